/** What a context does for datagrams: its address handles, and the groups of its queue pairs. */
import type { AhAttr, Gid } from '@openverbs/verbs';
import type { AhOps } from '@openverbs/verbs/driver';
import { createAh, destroyAh } from '../address-handles.ts';
import type { CommandInterface } from '../command-interface.ts';
import type { Engine } from '../engine.ts';
import type { Hca } from '../hca.ts';
import { attachMulticast, detachMulticast } from '../multicast.ts';
import { asVerbsError } from './errors.ts';
import { toAddressVector } from './qp-attributes.ts';

export class Datagrams {
  readonly #engine: Engine;
  readonly #hca: Hca;
  readonly #uar: number;
  readonly #handles = new Set<number>();

  constructor(engine: Engine, hca: Hca, uar: number) {
    this.#engine = engine;
    this.#hca = hca;
    this.#uar = uar;
  }

  createAh(pd: number, attr: AhAttr): AhOps {
    const handle = this.#command(() => createAh(this.#engine, this.#hca, this.#uar, pd, toAddressVector(attr)));
    this.#handles.add(handle);
    return { handle };
  }

  destroyAh(handle: number): void {
    this.#command(() => {
      destroyAh(this.#engine, this.#hca, handle);
    });
    this.#handles.delete(handle);
  }

  attach(commands: CommandInterface, qpn: number, { bytes }: Gid): void {
    this.#command(() => {
      attachMulticast(this.#engine, this.#hca, commands.qps.context(qpn), bytes);
    });
  }

  detach(commands: CommandInterface, qpn: number, { bytes }: Gid): void {
    this.#command(() => {
      detachMulticast(this.#engine, this.#hca, commands.qps.context(qpn), bytes);
    });
  }

  /** Destroys what is left. */
  close(): void {
    for (const handle of [...this.#handles]) this.destroyAh(handle);
  }

  #command<T>(execute: () => T): T {
    return asVerbsError(() => this.#engine.command(execute));
  }
}
