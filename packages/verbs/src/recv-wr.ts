/** Receive work requests. */
import { ENDLESS, isEndless } from './chain.ts';
import { checkU53 } from './check.ts';
import { invalid } from './errors.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { assignSgList, type Sge, type SgeLike } from './sge.ts';
import { DOUBLE } from './words.ts';

/** A receive work request as a literal. What is left out is 0, no list, no next. */
export interface RecvWrInit {
  /** Comes back in the completion; a safe integer, not negative. */
  readonly wrId?: number;
  /** The next one of a chain. */
  readonly next?: RecvWr | RecvWrInit | null;
  /** Where the message goes; at most `cap.maxRecvSge` pieces. */
  readonly sgList?: readonly SgeLike[];
}

const RECV_WR_KEYS = literalKeys<RecvWrInit>({ wrId: true, next: true, sgList: true });

/**
 * A receive work request (`struct ibv_recv_wr`). Make it once and post it again and again. For UD, the first 40 bytes of the
 * buffer are for the GRH. Source: `ibv_post_recv`(3).
 */
export class RecvWr {
  /** Comes back in the completion; a safe integer. */
  wrId = DOUBLE;
  /** The next one of a chain, or null. */
  next: RecvWr | null = null;
  /** Where the message goes. */
  sgList: Sge[] = [];

  /** Throws EINVAL when a field of `init` is not what it has to be. */
  constructor(init: RecvWrInit = {}) {
    if (!(init instanceof RecvWr)) checkRecvWrKeys('RecvWr', init);
    assignRecvWr('RecvWr', this, init);
    const { next = null } = init;
    if (next !== null && isEndless(next)) throw invalid('RecvWr', ...ENDLESS);
    this.next = next === null || next instanceof RecvWr ? next : new RecvWr(next);
  }
}

/**
 * Refuses a literal with keys that a receive does not have; they would just be left out.
 *
 * @internal
 */
export function checkRecvWrKeys(verb: string, init: RecvWrInit): void {
  checkLiteral(verb, 'the work request', init, RECV_WR_KEYS);
}

/**
 * Sets every field but `next` from a literal, checked.
 *
 * @internal
 */
export function assignRecvWr(verb: string, wr: RecvWr, init: RecvWrInit): void {
  const { wrId = 0 } = init;
  checkU53(verb, 'wrId', wrId);
  wr.wrId = wrId;
  assignSgList(verb, wr.sgList, init.sgList ?? []);
}
