/** Reads completions one at a time through the provider. */
import type { CqCursor } from '../data-path.ts';
import type { CqCalls } from '../driver/data-path.ts';
import { errnoName, VerbsError } from '../errors.ts';
import { WorkCompletion } from '../work-completion.ts';
import { DOUBLE } from '../words.ts';

/**
 * Goes through a completion queue whose CQEs the provider reads. Completions are fetched one by one, so that none is taken that the
 * program has not come to: `poll` finds it, and a reset of its QP can still remove it.
 */
export class CallsCqCursor implements CqCursor {
  wrId = DOUBLE;
  status = 0;
  private readonly calls: CqCalls;
  private readonly wcs = WorkCompletion.array(1);
  private readonly wc: WorkCompletion;

  constructor(calls: CqCalls) {
    this.calls = calls;
    this.wrId = 0;
    [this.wc] = this.wcs;
  }

  next(): boolean {
    const n = this.calls.poll(this.wcs, 1);
    if (n < 0) throw new VerbsError({ code: errnoName(-n), verb: 'ibv_start_poll', message: "the CQ can't be polled" });
    if (n === 0) return false;
    this.wrId = this.wc.wrId;
    this.status = this.wc.status;
    return true;
  }

  end(): void {} // each poll gave back what it took

  opcode(): number {
    return this.wc.opcode;
  }
  vendorErr(): number {
    return this.wc.vendorErr;
  }
  byteLen(): number {
    return this.wc.byteLen;
  }
  immData(): number {
    return this.wc.immData;
  }
  qpNum(): number {
    return this.wc.qpNum;
  }
  srcQp(): number {
    return this.wc.srcQp;
  }
  wcFlags(): number {
    return this.wc.wcFlags;
  }
  sl(): number {
    return this.wc.sl;
  }
  slid(): number {
    return this.wc.slid;
  }
  dlidPathBits(): number {
    return this.wc.dlidPathBits;
  }
  completionTs(): number {
    return this.calls.completionTs?.() ?? 0;
  }
  faultKey(): number {
    return this.wc.faultKey;
  }
  faultAddr(): number {
    return this.wc.faultAddr;
  }
}
