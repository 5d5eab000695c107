/** Extended completion queues: completions read field by field, where they lie. */
import { CallsCqCursor } from './calls/calls-cq-cursor.ts';
import type { CompletionChannel } from './completion-channel.ts';
import { CompletionQueue } from './completion-queue.ts';
import type { Context } from './context.ts';
import type { CqCursor } from './data-path.ts';
import type { CqExOps } from './driver/device-ops.ts';
import { WcExFlags } from './enums/cq.ts';
import { flagNames } from './enums/name-of.ts';
import { invalid } from './errors.ts';
import { explainCompletion } from './explain.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import type { VerbsObject } from './lifetime.ts';
import { RingCompletionQueue } from './rings/ring-completion-queue.ts';
import { RingCqCursor } from './rings/ring-cq-cursor.ts';
import { traceReads } from './tracing/trace-polls.ts';
import type { WorkCompletion } from './work-completion.ts';
import { DOUBLE } from './words.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { BYTE_LEN, IMM, QP_NUM, SRC_QP, SLID, SL, DLID_PATH_BITS } = WcExFlags;
const { COMPLETION_TIMESTAMP, COMPLETION_TIMESTAMP_WALLCLOCK } = WcExFlags;

/**
 * An extended completion queue (`struct ibv_cq_ex`), from `context.createCqEx`. `startPoll` goes to the first completion,
 * `nextPoll` to the next, `endPoll` gives the room of all of them back. In between, `wrId` and `status` and the `read…` methods
 * tell of the completion that was gone to, and nothing is copied that nobody reads. What was not asked for by `wcFlags` at create
 * can't be read: EINVAL. It is a `CompletionQueue` for everything else; outside of a batch `poll` works, too. Source:
 * `ibv_create_cq_ex`(3).
 *
 * @example
 * ```ts
 * import { WcExFlags, WcStatus, type Context } from '@openverbs/verbs';
 *
 * function lengths(context: Context): number {
 *   const cq = context.createCqEx({ cqe: 16, wcFlags: WcExFlags.BYTE_LEN });
 *   let bytes = 0;
 *   if (cq.startPoll()) {
 *     do {
 *       if (cq.status === WcStatus.SUCCESS) bytes += cq.readByteLen();
 *     } while (cq.nextPoll());
 *     cq.endPoll();
 *   }
 *   return bytes;
 * }
 * ```
 */
export class CompletionQueueEx extends CompletionQueue {
  /** What can be read of a completion, `WcExFlags` bits. */
  readonly wcFlags: number;
  /** `wrId` of the completion. */
  wrId = DOUBLE;
  /** `WcStatus` of the completion. */
  status = 0;
  private readonly cursor: CqCursor;
  private readonly wallclockOffsetNs: () => number;
  /** From a `startPoll` that found something to `endPoll`. */
  private batch = false;
  /** Whether there is a completion to read. */
  private current = false;
  /** What turns the device's time into that of the wall; read once a batch. */
  private offsetNs = DOUBLE;

  /** @internal */
  constructor(
    context: Context,
    channel: CompletionChannel | null,
    ops: CqExOps,
    init: { readonly wcFlags: number; readonly cqContext: unknown; readonly owner: VerbsObject },
  ) {
    super(context, channel, ops, init.cqContext, init.owner);
    const { dataPath, wallclockOffsetNs } = ops;
    this.wcFlags = init.wcFlags;
    this.wrId = this.offsetNs = 0;
    this.wallclockOffsetNs = wallclockOffsetNs ?? (() => 0);
    if (this.path instanceof RingCompletionQueue) this.cursor = new RingCqCursor(this.path);
    else if (dataPath.kind === 'calls') this.cursor = new CallsCqCursor(dataPath);
    else throw invalid('ibv_create_cq_ex', 'the data path is of no known kind');
    traceReads(this);
  }

  /** Goes to the first completion; false when there is none, and then no batch begins. Never waits. Source: `ibv_start_poll`. */
  startPoll(): boolean {
    if (this.destroyed) this.assertLive('ibv_start_poll');
    if (this.batch) throw this.misuse('ibv_start_poll', 'a batch is open', 'call endPoll() first');
    if (!this.step(true)) return false;
    this.batch = true;
    if ((this.wcFlags & COMPLETION_TIMESTAMP_WALLCLOCK) !== 0) this.offsetNs = this.wallclockOffsetNs();
    return true;
  }

  /** Goes to the next completion; false when there is none, and then the batch is still open. Source: `ibv_next_poll`. */
  nextPoll(): boolean {
    if (!this.batch) throw this.misuse('ibv_next_poll', 'no batch is open', 'call startPoll() first');
    return this.step(false);
  }

  /** Ends the batch: the room of its completions is free again. Source: `ibv_end_poll`. */
  endPoll(): void {
    if (!this.batch) throw this.misuse('ibv_end_poll', 'no batch is open', 'call startPoll() first');
    this.batch = this.current = false;
    this.cursor.end();
  }

  /** As `CompletionQueue.poll`; EINVAL within a batch. */
  override poll(wcs: WorkCompletion[], limit?: number): number {
    if (this.batch) throw this.misuse('ibv_poll_cq', 'a batch is open', 'call endPoll() first');
    return super.poll(wcs, limit);
  }

  /** As `CompletionQueue.resize`; EINVAL within a batch. */
  override resize(cqe: number): void {
    if (this.batch) throw this.misuse('ibv_resize_cq', 'a batch is open', 'call endPoll() first');
    super.resize(cqe);
  }

  /** One of `WcOpcode`. */
  readOpcode(): number {
    if (!this.current) throw this.nothing('ibv_wc_read_opcode');
    return this.cursor.opcode();
  }

  /** Why it failed, in the device's own codes: one of `VendorErr` for the devices of OpenVerbs; 0 on success. */
  readVendorErr(): number {
    if (!this.current) throw this.nothing('ibv_wc_read_vendor_err');
    return this.cursor.vendorErr();
  }

  /** `WcFlags` bits. */
  readWcFlags(): number {
    if (!this.current) throw this.nothing('ibv_wc_read_wc_flags');
    return this.cursor.wcFlags();
  }

  /** Bytes transferred. Needs `WcExFlags.BYTE_LEN`. */
  readByteLen(): number {
    if ((this.wcFlags & BYTE_LEN) === 0 || !this.current) throw this.unreadable('ibv_wc_read_byte_len', BYTE_LEN);
    return this.cursor.byteLen();
  }

  /** Immediate data, in host order. Needs `WcExFlags.IMM`. */
  readImmData(): number {
    if ((this.wcFlags & IMM) === 0 || !this.current) throw this.unreadable('ibv_wc_read_imm_data', IMM);
    return this.cursor.immData();
  }

  /** The key that was invalidated. Needs `WcExFlags.IMM`. */
  readInvalidatedRkey(): number {
    if ((this.wcFlags & IMM) === 0 || !this.current) throw this.unreadable('ibv_wc_read_invalidated_rkey', IMM);
    return this.cursor.immData();
  }

  /** Number of the local QP. Needs `WcExFlags.QP_NUM`. */
  readQpNum(): number {
    if ((this.wcFlags & QP_NUM) === 0 || !this.current) throw this.unreadable('ibv_wc_read_qp_num', QP_NUM);
    return this.cursor.qpNum();
  }

  /** UD: number of the sender's QP. Needs `WcExFlags.SRC_QP`. */
  readSrcQp(): number {
    if ((this.wcFlags & SRC_QP) === 0 || !this.current) throw this.unreadable('ibv_wc_read_src_qp', SRC_QP);
    return this.cursor.srcQp();
  }

  /** UD: LID of the sender. Needs `WcExFlags.SLID`. */
  readSlid(): number {
    if ((this.wcFlags & SLID) === 0 || !this.current) throw this.unreadable('ibv_wc_read_slid', SLID);
    return this.cursor.slid();
  }

  /** UD: service level. Needs `WcExFlags.SL`. */
  readSl(): number {
    if ((this.wcFlags & SL) === 0 || !this.current) throw this.unreadable('ibv_wc_read_sl', SL);
    return this.cursor.sl();
  }

  /** UD: path bits of the local LID. Needs `WcExFlags.DLID_PATH_BITS`. */
  readDlidPathBits(): number {
    if ((this.wcFlags & DLID_PATH_BITS) === 0 || !this.current) {
      throw this.unreadable('ibv_wc_read_dlid_path_bits', DLID_PATH_BITS);
    }
    return this.cursor.dlidPathBits();
  }

  /** When it was completed, in ticks of the device's clock (`hcaCoreClock`). Needs `WcExFlags.COMPLETION_TIMESTAMP`. */
  readCompletionTs(): number {
    if ((this.wcFlags & COMPLETION_TIMESTAMP) === 0 || !this.current) {
      throw this.unreadable('ibv_wc_read_completion_ts', COMPLETION_TIMESTAMP);
    }
    return this.cursor.completionTs();
  }

  /**
   * When it was completed, in nanoseconds since 1970; under a virtual clock, in the time of that. A double has steps of 256 ns
   * there. Needs `WcExFlags.COMPLETION_TIMESTAMP_WALLCLOCK`.
   */
  readCompletionWallclockNs(): number {
    if ((this.wcFlags & COMPLETION_TIMESTAMP_WALLCLOCK) === 0 || !this.current) {
      throw this.unreadable('ibv_wc_read_completion_wallclock_ns', COMPLETION_TIMESTAMP_WALLCLOCK);
    }
    return this.cursor.completionTs() + this.offsetNs;
  }

  /** Says what happened and, for a failure, why; as `WorkCompletion.explain`. */
  explain(): string {
    if (!this.current) throw this.nothing('ibv_wc_status_str');
    const { status, cursor } = this;
    const [faultKey, faultAddr] = [cursor.faultKey(), cursor.faultAddr()];
    return explainCompletion({
      status,
      opcode: cursor.opcode(),
      vendorErr: cursor.vendorErr(),
      faultKey,
      faultAddr,
    });
  }

  /** @internal */
  override [inspectCustom](): string {
    return inspectLine('CompletionQueueEx', {
      handle: this.handle,
      cqe: this.cqe,
      wcFlags: flagNames(WcExFlags, this.wcFlags),
    });
  }

  /** @internal */ protected override onEnded(): void {
    super.onEnded();
    this.batch = this.current = false;
  }

  private step(first: boolean): boolean {
    const { cursor } = this;
    this.current = false;
    if (!cursor.next(first)) return false;
    this.wrId = cursor.wrId;
    this.status = cursor.status;
    this.current = true;
    return true;
  }

  private nothing(verb: string): Error {
    this.assertLive(verb);
    return this.misuse(verb, 'there is no completion to read', 'read after startPoll() or nextPoll() returned true');
  }

  private unreadable(verb: string, flag: number): Error {
    if ((this.wcFlags & flag) !== 0) return this.nothing(verb);
    const name = flagNames(WcExFlags, flag);
    return this.misuse(
      verb,
      `it was made without WcExFlags.${name}`,
      `ask for it: createCqEx({ wcFlags: … | ${name} })`,
    );
  }

  private misuse(verb: string, what: string, hint: string): Error {
    return invalid(verb, `${this.label}: ${what}`, hint);
  }
}
