/**
 * The split driver as a provider: a hypervisor in the lower devices' machine memory, a device domain with the back-end, and guests with a
 * front-end for each device. Programs see the guests' devices.
 */
import { CqePollers } from '@openverbs/cqe-poller';
import { DOM0, EmulatedHypervisor } from '@openverbs/hypervisor';
import type { Domain } from '@openverbs/hypervisor';
import { hostClock, Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import { defineProvider, DRIVER_ABI } from '@openverbs/verbs/driver';
import type {
  CqePollerOps,
  GuestCounters,
  LowerProvider,
  ProviderDefinition,
  ProviderEnvironment,
  ProviderInstance,
  UserDriver,
} from '@openverbs/verbs/driver';
import { closeEach } from './close-each.ts';
import { parseConfig } from './config.ts';
import type { XenConfig, XenGuestConfig } from './config.ts';
import { Dom0Thread } from './dom0/dom0-thread.ts';
import { InlineDom0 } from './dom0/inline-dom0.ts';
import type { FrontendInit } from './frontend/frontend.ts';
import { GuestMemory } from './frontend/guest-memory.ts';
import { readGuests } from './guest-counters.ts';
import { toVerbsError } from './hypervisor-errors.ts';
import { attachDevice } from './toolstack.ts';
import { XenDevice } from './xen-device.ts';

/** What to do when it is this that goes wrong with a guest. */
const HINTS = {
  ETIMEDOUT:
    "a device domain that is 'inline' runs only while its thread waits: set xen.placement to 'thread' (OPENVERBS_XEN_PLACEMENT=thread)",
};

/** What another thread joins with: also what a lower provider of the same machine does. */
interface XenHandle extends MachineHandle {
  /** There is a hypervisor with a device domain. */
  readonly xen?: true;
}

/** A guest on this thread: its domain, and a device for each of the lower ones. */
interface GuestDomain {
  readonly domain: Domain;
  readonly devices: readonly XenDevice[];
}

/** The Xen split driver, over an emulated hypervisor. */
export const provider: ProviderDefinition<XenConfig> = defineProvider({
  name: 'xen',
  driverAbi: DRIVER_ABI,
  parseConfig,
  machineKeys: ['placement', 'quotas', 'bandwidthBytesPerS'],
  open,
});

function open(environment: ProviderEnvironment, config: XenConfig): ProviderInstance {
  const lower = environment.lower?.(config.backend);
  if (lower === undefined) {
    throw new VerbsError({ code: 'EINVAL', message: `there is no provider '${config.backend}' to share devices of` });
  }
  const instance = lower.definition.open({ ...environment, lower: undefined }, lower.config);
  try {
    const machine = Machine.attach(machineOf(instance, config));
    try {
      return new XenProvider(machine, instance, lower, environment, config).instance;
    } catch (error) {
      machine.detach();
      throw toVerbsError(error, HINTS);
    }
  } catch (error) {
    instance.close();
    throw error;
  }
}

function machineOf({ machine }: ProviderInstance, { backend }: XenConfig): MachineHandle {
  if ((machine as Partial<MachineHandle> | undefined)?.kind === 'openverbs-machine') return machine as MachineHandle;
  throw new VerbsError({
    code: 'EOPNOTSUPP',
    message: `the devices of provider '${backend}' are in no machine memory that domains can share`,
    hint: "set xen.backend to 'emulated'",
  });
}

/** Everything of one `openVerbs()`. */
class XenProvider {
  readonly instance: ProviderInstance;
  readonly #machine: Machine;
  readonly #lower: ProviderInstance;
  readonly #hypervisor: EmulatedHypervisor;
  readonly #dom0: InlineDom0 | Dom0Thread | null;
  readonly #userDrivers: Readonly<Record<string, UserDriver>>;
  readonly #guests: GuestDomain[] = [];
  readonly #wallclockOffsetNs: () => number;
  readonly #cqePoller: CqePollerOps;
  readonly #cqeBuffering: boolean;

  constructor(
    machine: Machine,
    lower: ProviderInstance,
    { definition, config: lowerConfig, modulePath }: LowerProvider,
    { machine: joined, clock = hostClock, cqePoller = new CqePollers() }: ProviderEnvironment,
    config: XenConfig,
  ) {
    this.#machine = machine;
    this.#lower = lower;
    this.#userDrivers = Object.fromEntries((definition.userDrivers ?? []).map((driver) => [driver.name, driver]));
    this.#wallclockOffsetNs = () => clock.wallclockOffsetNs?.() ?? 0;
    const { quotas, placement, bandwidthBytesPerS } = config;
    this.#cqePoller = cqePoller;
    this.#cqeBuffering = config.cqeBuffering;
    if ((joined as Partial<XenHandle> | undefined)?.xen === true) {
      this.#hypervisor = EmulatedHypervisor.join({ kind: 'openverbs-hypervisor', machine: machine.handle }, machine);
      this.#dom0 = null;
    } else {
      this.#hypervisor = EmulatedHypervisor.create(machine);
      this.#dom0 =
        placement === 'thread'
          ? new Dom0Thread(machine, { modulePath, config: lowerConfig, quotas, bandwidthBytesPerS })
          : new InlineDom0({
              machine,
              domain: this.#hypervisor.domain(DOM0),
              listener: this.#hypervisor.domain(DOM0),
              devices: lower.devices,
              provider: definition.name,
              clock,
              quotas,
              bandwidthBytesPerS,
            });
    }
    try {
      for (const guest of config.guests) this.#guests.push(this.#addGuest(guest));
    } catch (error) {
      this.close();
      throw error;
    }
    this.instance = {
      devices: this.#guests.flatMap(({ devices }) => devices),
      machine: { ...(lower.machine as MachineHandle), xen: true } satisfies XenHandle,
      faults: lower.faults,
      guests: () => this.#readGuests(),
      close: () => {
        this.close();
      },
    };
  }

  /** Ends the guests, then the device domain, then the lower devices. */
  close(): void {
    const endGuest = ({ domain, devices }: GuestDomain): (() => void)[] => [
      ...devices.toReversed().map((device) => () => device.close()),
      () => domain.close(),
      () => this.#hypervisor.destroyDomain(domain.domid),
    ];
    closeEach([
      ...this.#guests.toReversed().flatMap(endGuest),
      () => this.#dom0?.close(),
      () => this.#machine.detach(),
      () => this.#lower.close(),
    ]);
  }

  /** The guests of all threads. Where the device domain is on this one, what it does not count as it happens is looked at now. */
  #readGuests(): GuestCounters[] {
    if (this.#dom0 instanceof InlineDom0) this.#dom0.backend.sample();
    const frontends = this.#guests.map(
      ({ domain, devices }) => [domain.domid, devices.map(({ frontend }) => frontend)] as const,
    );
    try {
      return readGuests(this.#hypervisor, new Map(frontends));
    } catch (error) {
      throw toVerbsError(error, HINTS);
    }
  }

  /** What the toolstack does, and then the guest itself. */
  #addGuest({ name, memoryBytes, ...share }: XenGuestConfig): GuestDomain {
    const domid = this.#hypervisor.createDomain({ name, memoryBytes });
    const domain = this.#hypervisor.domain(domid);
    const toolstack = this.#hypervisor.domain(DOM0);
    const memory = new GuestMemory(domain);
    const devices = this.#lower.devices.map((lower, index) => {
      const path = attachDevice(toolstack.xenstore, { domid, index, device: lower.name, ...share });
      return new XenDevice(`vib${domid}.${index}`, this.#frontendInit(domain, memory, path), lower);
    });
    toolstack.close();
    return { domain, devices };
  }

  #frontendInit(domain: Domain, memory: GuestMemory, path: string): FrontendInit {
    const dom0 = this.#dom0 instanceof InlineDom0 ? this.#dom0 : null;
    return {
      domain,
      memory,
      path,
      userDrivers: this.#userDrivers,
      machine: this.#machine,
      wallclockOffsetNs: this.#wallclockOffsetNs,
      cqePoller: this.#cqePoller,
      cqeBuffering: this.#cqeBuffering,
      tend: () => {
        dom0?.run();
      },
      hold: () => dom0?.hold() ?? (() => undefined),
    };
  }
}
