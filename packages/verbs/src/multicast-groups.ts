/** The multicast groups of a queue pair. */
import { assertOp, callOp } from './call-op.ts';
import { checkInteger } from './check.ts';
import { QpType, qpTypeStr } from './enums/qp.ts';
import { invalid, VerbsError } from './errors.ts';
import { type Gid, toGid } from './gid.ts';
import type { QueuePair } from './queue-pair.ts';

/** What a queue pair is attached to. */
export class MulticastGroups {
  readonly #qp: QueuePair;
  readonly #groups = new Set<string>();

  constructor(qp: QueuePair) {
    this.#qp = qp;
  }

  /** See `QueuePair.attachMcast`. */
  attach(gid: Gid | string, lid: number): void {
    const { context, handle } = this.#qp;
    const verb = 'ibv_attach_mcast';
    const group = this.#check(verb, 'attachMcast', gid, lid);
    callOp(context, verb, 'attachMcast', handle, group, lid);
    this.#groups.add(group.toString());
  }

  /** See `QueuePair.detachMcast`. */
  detach(gid: Gid | string, lid: number): void {
    const { context, handle, label } = this.#qp;
    const verb = 'ibv_detach_mcast';
    const group = this.#check(verb, 'detachMcast', gid, lid);
    const name = group.toString();
    if (!this.#groups.has(name)) throw invalid(verb, `${label} is not attached to ${name}`);
    callOp(context, verb, 'detachMcast', handle, group, lid);
    this.#groups.delete(name);
  }

  /** Who destroys by name has to detach by name. Source: Linux ib_uverbs_detach_umcast. */
  assertNone(verb: string): void {
    if (this.#groups.size === 0) return;
    const groups = [...this.#groups];
    const message = `${this.#qp.label} is attached to ${groups.join(', ')}`;
    throw new VerbsError({ code: 'EBUSY', verb, message, hint: 'detach it first, or dispose it', details: { groups } });
  }

  #check(verb: string, op: 'attachMcast' | 'detachMcast', gid: Gid | string, lid: number): Gid {
    const { context, label, qpType } = this.#qp;
    this.#qp.assertLive(verb);
    assertOp(context, verb, op);
    const group = toGid(verb, 'gid', gid);
    if (qpType !== QpType.UD) throw invalid(verb, `${label} is ${qpTypeStr(qpType)}, not UD`);
    if (!group.isMulticast) throw invalid(verb, `${group.toString()} is no multicast address`);
    checkInteger(verb, 'lid', lid, 0, 0xffff, '16 bits');
    return group;
  }
}
