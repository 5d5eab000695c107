/** An HCA as verbs see it. */
import { hostClock } from '@openverbs/machine';
import type { Clock } from '@openverbs/machine';
import { NodeType, TransportType } from '@openverbs/verbs';
import type { ContextOps, DeviceOps } from '@openverbs/verbs/driver';
import type { Engine } from '../engine.ts';
import type { Hca } from '../hca.ts';
import { CAPABILITIES, nodeGuid } from './device-attributes.ts';
import { asVerbsError } from './errors.ts';
import { HcaContext } from './hca-context.ts';

export class HcaDevice implements DeviceOps {
  readonly name: string;
  readonly guid: bigint;
  readonly nodeType = NodeType.CA;
  readonly transportType = TransportType.IB;
  readonly capabilities = CAPABILITIES;
  readonly #engine: Engine;
  readonly #hca: Hca;
  readonly #clock: Clock;
  readonly #contexts = new Set<HcaContext>();

  constructor(engine: Engine, hca: Hca, clock: Clock = hostClock) {
    this.name = hca.name;
    this.guid = nodeGuid(hca);
    this.#engine = engine;
    this.#hca = hca;
    this.#clock = clock;
  }

  open(): ContextOps {
    return asVerbsError(() => {
      const context = new HcaContext(this.#engine, this.#hca, this.#clock, (closed) => {
        this.#contexts.delete(closed);
      });
      this.#contexts.add(context);
      return context;
    });
  }

  /** Closes the contexts that are still open. */
  closeAll(): void {
    for (const context of [...this.#contexts]) context.close();
  }
}
