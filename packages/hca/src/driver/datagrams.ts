/** What a context does for datagrams: its address handles. */
import type { AhAttr } from '@openverbs/verbs';
import type { AhOps } from '@openverbs/verbs/driver';
import { createAh, destroyAh } from '../address-handles.ts';
import type { Engine } from '../engine.ts';
import type { Hca } from '../hca.ts';
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

  /** Destroys what is left. */
  close(): void {
    for (const handle of [...this.#handles]) this.destroyAh(handle);
  }

  #command<T>(execute: () => T): T {
    return asVerbsError(() => this.#engine.command(execute));
  }
}
