/** An HCA as verbs see it. */
import { hostClock } from '@openverbs/machine';
import type { Clock } from '@openverbs/machine';
import { NodeType, TransportType, VerbsError } from '@openverbs/verbs';
import type { CapabilityManifest, ContextOps, DeviceFaults, DeviceOps } from '@openverbs/verbs/driver';
import { assertAlive, isRemoved } from '../device-faults.ts';
import type { Engine } from '../engine.ts';
import type { Hca } from '../hca.ts';
import { CAPABILITIES, nodeGuid } from './device-attributes.ts';
import { asVerbsError } from './errors.ts';
import { HcaContext } from './hca-context.ts';
import { hcaFaults } from './hca-faults.ts';

export class HcaDevice implements DeviceOps {
  readonly name: string;
  readonly guid: bigint;
  /** All devices of a machine are on its link, and on no other. */
  readonly fabric: string;
  readonly nodeType = NodeType.CA;
  readonly transportType = TransportType.IB;
  readonly capabilities: CapabilityManifest;
  readonly faults: DeviceFaults;
  readonly #engine: Engine;
  readonly #hca: Hca;
  readonly #clock: Clock;
  readonly #contexts = new Set<HcaContext>();

  constructor(engine: Engine, hca: Hca, clock: Clock = hostClock) {
    this.name = hca.name;
    this.guid = nodeGuid(hca);
    this.fabric = `machine ${engine.machine.id.toString(16).padStart(16, '0')}`;
    this.capabilities = CAPABILITIES;
    this.#engine = engine;
    this.#hca = hca;
    this.#clock = clock;
    this.faults = hcaFaults(engine, hca);
  }

  open(): ContextOps {
    if (this.removed) throw new VerbsError({ code: 'ENODEV', message: `the device ${this.name} was removed` });
    return asVerbsError(() => {
      assertAlive(this.#engine, this.#hca);
      const context = new HcaContext(this.#engine, this.#hca, this.#clock, (closed) => {
        this.#contexts.delete(closed);
      });
      this.#contexts.add(context);
      return context;
    });
  }

  /** Whether it was removed. */
  get removed(): boolean {
    return isRemoved(this.#engine, this.#hca);
  }

  /** Closes the contexts that are still open. */
  closeAll(): void {
    for (const context of [...this.#contexts]) context.close();
  }
}
