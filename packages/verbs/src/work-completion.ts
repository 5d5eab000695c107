/** Work completions. */
import { checkInteger } from './check.ts';
import { enumName } from './enums/name-of.ts';
import { WcOpcode, WcStatus } from './enums/wc.ts';
import { explainCompletion } from './explain.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { DOUBLE } from './words.ts';

/** Most completions of an array; more than any queue has. */
const WCS_MAX = 2 ** 24;

/**
 * A work completion (`struct ibv_wc`), filled by `cq.poll`. Make an array of them once and poll into it again and again. When
 * `status` is not SUCCESS only `wrId`, `status`, `qpNum`, `vendorErr` and the fault fields mean something, and bit 7 of
 * `opcode` tells the receive queue. Source: `ibv_poll_cq`(3).
 *
 * @example
 * ```ts
 * import { WcStatus, WorkCompletion, type CompletionQueue } from '@openverbs/verbs';
 *
 * const wcs = WorkCompletion.array(16);
 *
 * function drain(cq: CompletionQueue): void {
 *   const n = cq.poll(wcs);
 *   for (let i = 0; i < n; i++) if (wcs[i].status !== WcStatus.SUCCESS) console.error(wcs[i].explain());
 * }
 * ```
 */
export class WorkCompletion {
  /** The `wrId` of the work request. */
  wrId = DOUBLE;
  /** One of `WcStatus`. */
  status = 0;
  /** One of `WcOpcode`. */
  opcode = 0;
  /** Why it failed, in the device's own codes: one of `VendorErr` for the devices of OpenVerbs; 0 on success. */
  vendorErr = DOUBLE;
  /** Bytes transferred: of a receive, and of RDMA reads and atomics. */
  byteLen = DOUBLE;
  /** Immediate data, with `WcFlags.WITH_IMM`; an unsigned 32-bit number in host order. */
  immData = DOUBLE;
  /** Number of the local QP. */
  qpNum = 0;
  /** UD: number of the sender's QP. */
  srcQp = 0;
  /** `WcFlags` bits. */
  wcFlags = 0;
  /** Index of the P_Key; QP1 only. */
  pkeyIndex = 0;
  /** UD: LID of the sender. */
  slid = 0;
  /** UD: service level. */
  sl = 0;
  /** UD: path bits of the local LID. */
  dlidPathBits = 0;
  /** The key that the failed check looked at; its meaning follows from `vendorErr`. 0 when none is known. */
  faultKey = DOUBLE;
  /** The address or length that the failed check looked at; its meaning follows from `vendorErr`. */
  faultAddr = DOUBLE;

  constructor() {
    this.wrId = this.vendorErr = this.byteLen = this.immData = this.faultKey = this.faultAddr = 0;
  }

  /** `n` of them, for `cq.poll`. Throws EINVAL for what is no number of completions. */
  static array(n: number): WorkCompletion[] {
    checkInteger('WorkCompletion.array', 'n', n, 0, WCS_MAX);
    return Array.from({ length: n }, () => new WorkCompletion());
  }

  /** The key that was invalidated, with `WcFlags.WITH_INV`. */
  get invalidatedRkey(): number {
    return this.immData;
  }

  /** Says what happened and, for a failure, why, as far as the device told: `REM_ACCESS_ERR: rkey 0x1a07 of MR 26 lacks …` */
  explain(): string {
    return explainCompletion(this);
  }

  /** @internal */
  [inspectCustom](): string {
    const { wrId, qpNum, byteLen } = this;
    const status = enumName(WcStatus, this.status);
    return inspectLine('WorkCompletion', { wrId, status, opcode: enumName(WcOpcode, this.opcode), qpNum, byteLen });
  }
}
