/** A device domain and guests on one thread, put together as the provider does it, with all parts in reach and what is in use counted. */
import { CqePollers } from '@openverbs/cqe-poller';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { Engine } from '@openverbs/hca';
import { DOM0, EmulatedHypervisor } from '@openverbs/hypervisor';
import type { Domain } from '@openverbs/hypervisor';
import { hostClock, Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { provider } from '@openverbs/provider-emulated';
import { Device } from '@openverbs/verbs';
import type { DeviceOps, ProviderInstance, UserDriver } from '@openverbs/verbs/driver';
import type { QuotaKind } from '../../src/backend/quota.ts';
import { InlineDom0 } from '../../src/dom0/inline-dom0.ts';
import { GuestMemory } from '../../src/frontend/guest-memory.ts';
import { XenDevice } from '../../src/xen-device.ts';
import { attachDevice } from '../../src/toolstack.ts';
import { countsOf, openFiles } from './counts.ts';

/** Turns after which a device domain that always has something to do counts as one that hangs. */
const TURNS_MAX = 10_000;
const GUEST_MEMORY_BYTES = 64 * 2 ** 20;
const NOT_LIMITED = { weight: 1, rateBytesPerS: 0, burstBytes: 0 };

/** A domain that the toolstack has given a device. */
export interface GuestParts {
  readonly domid: number;
  readonly domain: Domain;
  /** Directory of its front-end. */
  readonly path: string;
}

/** What a {@link XenMachine} may be made with. */
export interface XenMachineInit {
  readonly quotas?: Partial<Record<QuotaKind, number>>;
  /** Stands between the back-end and dom0's handle. */
  readonly wrapDom0?: (dom0: Domain) => Domain;
  /** Stands between the back-end and the lower devices. */
  readonly wrapLower?: (ops: DeviceOps) => DeviceOps;
}

export class XenMachine {
  readonly machine: Machine;
  readonly hypervisor: EmulatedHypervisor;
  readonly dom0: InlineDom0;
  /** dom0 once more, as the toolstack has it. */
  readonly toolstack: Domain;
  readonly userDriver: UserDriver;
  readonly #lower: ProviderInstance;
  readonly #engine: Engine;
  readonly #opened = new Map<number, XenDevice>();

  constructor({ quotas = {}, wrapDom0 = (dom0) => dom0, wrapLower = (ops) => ops }: XenMachineInit = {}) {
    const environment = { machine: undefined, clock: undefined, prng: undefined };
    this.#lower = provider.open(environment, provider.parseConfig({ memoryBytes: 2 ** 30 }));
    this.machine = Machine.attach(this.#lower.machine as MachineHandle);
    this.#engine = Engine.of(this.machine)!;
    this.hypervisor = EmulatedHypervisor.create(this.machine);
    this.userDriver = provider.userDrivers![0];
    this.dom0 = new InlineDom0({
      machine: this.machine,
      domain: wrapDom0(this.hypervisor.domain(DOM0)),
      listener: this.hypervisor.domain(DOM0),
      devices: this.#lower.devices.map(wrapLower),
      provider: 'emulated',
      clock: hostClock,
      quotas,
    });
    this.toolstack = this.hypervisor.domain(DOM0);
  }

  /** Makes a domain, and gives it the device. */
  addGuest(mode: 'basic' | 'bypass'): GuestParts {
    const domid = this.hypervisor.createDomain({ name: 'guest', memoryBytes: GUEST_MEMORY_BYTES });
    return this.attach({ domid, domain: this.hypervisor.domain(domid) }, 0, mode);
  }

  /** Gives a domain the device, as its device number `index`. */
  attach({ domid, domain }: Omit<GuestParts, 'path'>, index: number, mode: 'basic' | 'bypass'): GuestParts {
    const device = this.#lower.devices[0].name;
    const path = attachDevice(this.toolstack.xenstore, { domid, index, device, mode, ...NOT_LIMITED });
    this.settle();
    return { domid, domain, path };
  }

  /** The guest's own front-end on it, as a device for programs. */
  deviceOf({ domain, path, domid }: GuestParts): Device {
    const init = {
      domain,
      memory: new GuestMemory(domain),
      path,
      userDrivers: { [this.userDriver.name]: this.userDriver },
      machine: this.machine,
      wallclockOffsetNs: () => 0,
      cqePoller: new CqePollers(),
      cqeBuffering: true,
      tend: () => {
        this.dom0.run();
      },
      hold: () => this.dom0.hold(),
    };
    const device = new XenDevice(`vib${domid}`, init, this.#lower.devices[0]);
    this.#opened.set(domid, device);
    return new Device(device, 'xen', new EventDispatcher());
  }

  /** Lets the device domain do all that there is to do. Whatever it throws, the test gets, and what it failed at by itself. */
  settle(): void {
    this.turns();
    const { fault } = this.dom0.backend;
    if (fault !== undefined) throw new Error('the back-end has failed at a guest', { cause: fault });
  }

  /** The same, for a test in which the back-end is to fail. */
  turns(): void {
    for (let turn = 0; turn < TURNS_MAX; turn++) if (!this.dom0.run()) return;
    throw new Error('the device domain always finds something to do');
  }

  /** Everything that guests could leave behind. */
  counts(): Record<string, number> {
    const { machine, hypervisor, toolstack } = this;
    const counts = countsOf({ machine, hypervisor, toolstack, engine: this.#engine });
    return { ...counts, uarsKept: this.dom0.backend.uarsKept, files: openFiles() };
  }

  /** All memory that a domain owns, as word indices: runs of pages. */
  runsOf({ domain }: GuestParts): { readonly word: number; readonly words: number }[] {
    const { pages } = this.machine;
    const frame = domain.memory.allocPages(1);
    const owner = pages.ownerOf(frame * 4096);
    domain.memory.freePages(frame);
    return pages.ownedBy(owner).map((address) => ({ word: address / 4, words: pages.sizeOf(address) / 4 }));
  }

  /** Ends a domain as `xl destroy` does, and lets the device domain see it. */
  destroy(guest: GuestParts): void {
    this.destroyUnseen(guest);
    this.settle();
  }

  /** Ends a domain before the device domain has a turn. */
  destroyUnseen({ domid }: GuestParts): void {
    this.hypervisor.destroyDomain(domid);
    this.#opened.delete(domid);
  }

  close(): void {
    for (const device of this.#opened.values()) device.close();
    this.dom0.close();
    this.toolstack.close();
    this.hypervisor.close();
    this.machine.detach();
    this.#lower.close();
  }
}
