/** What the ports of an HCA tell: attributes, GID and P_Key tables, counters. A device that has failed tells nothing. */
import { Gid, GidType, VerbsError } from '@openverbs/verbs';
import type { GidEntry, PortAttr } from '@openverbs/verbs';
import { assertAlive } from '../device-faults.ts';
import type { Engine } from '../engine.ts';
import type { Hca } from '../hca.ts';
import { isPortUp } from '../resolve-peer.ts';
import { portAttr } from './device-attributes.ts';
import { asVerbsError } from './errors.ts';

export class HcaPorts {
  readonly #engine: Engine;
  readonly #hca: Hca;

  constructor(engine: Engine, hca: Hca) {
    this.#engine = engine;
    this.#hca = hca;
  }

  query(port: number): PortAttr {
    this.#check(port);
    return portAttr(this.#hca, port, isPortUp(this.#engine.machine.i32, this.#hca.header, port));
  }

  queryGid(port: number, index: number): GidEntry {
    this.#check(port);
    return asVerbsError(() => {
      this.#hca.checkGidIndex(port, index);
      const gid = new Gid(this.#hca.gid(port, index));
      return { gid, gidIndex: index, portNum: port, gidType: GidType.ROCE_V2, ndevIfindex: 0 };
    });
  }

  queryPkey(port: number, index: number): number {
    const { pkeyTblLen } = this.query(port);
    if (index >= 0 && index < pkeyTblLen) return this.#hca.pkey(port, index);
    throw new VerbsError({ code: 'EINVAL', message: `P_Key index ${index} is beyond the table of ${pkeyTblLen}` });
  }

  queryHwCounters(port: number): Readonly<Record<string, number>> {
    this.#check(port);
    return this.#engine.counters.read(this.#hca.header, port);
  }

  #check(port: number): void {
    asVerbsError(() => {
      assertAlive(this.#engine, this.#hca);
      this.#hca.checkPort(port);
    });
  }
}
