/**
 * The responder's part of what is done at once, or not at all: both atomics and ATOMIC_WRITE, and FLUSH, which makes sure that it was
 * (IBTA 9.4.5, annex A19).
 */
import { ATOMIC_WRITE_BYTES, VendorErr } from '@openverbs/verbs/rings';
import type { Completer } from './completer.ts';
import type { DmaEngine } from './dma-engine.ts';
import { Qpc } from './layout.ts';
import { Access, Opcode, Placement, Selectivity } from './opcode.ts';
import type { Request } from './request.ts';
import { RequestValidation, type ValidationParts } from './request-validation.ts';
import type { ScatterList } from './scatter-list.ts';
import { Aeth } from './syndrome.ts';
import type { Tpt } from './tpt.ts';

const { PD, MPT_TABLE, ACCESS_FLAGS, QPN } = Qpc;
const { ACK, NAK_INVALID_REQUEST, NAK_REMOTE_ACCESS } = Aeth;
const { REMOTE_WRITE, REMOTE_ATOMIC } = Access;
/** From {@link Placement} to the right that it needs. */
const FLUSH_ACCESS_SHIFT = Math.log2(Access.FLUSH_GLOBAL / Placement.GLOBAL);

/** What {@link AtomicResponder} works with. */
export interface AtomicResponderParts extends ValidationParts {
  readonly tpt: Tpt;
  readonly dma: DmaEngine;
  readonly completer: Completer;
}

export class AtomicResponder extends RequestValidation {
  /** @internal */
  protected readonly tpt: Tpt;
  /** @internal */
  protected readonly dma: DmaEngine;
  /** @internal */
  protected readonly completer: Completer;

  constructor(parts: AtomicResponderParts) {
    super(parts);
    this.tpt = parts.tpt;
    this.dma = parts.dma;
    this.completer = parts.completer;
  }

  /** Both atomics: the old value to `result` (word index), the new one to the completer, who stores it at the commit. */
  atomic(p: number, request: Request, result: number): number {
    const i32 = this.i32;
    if ((i32[p + ACCESS_FLAGS] & REMOTE_ATOMIC) === 0) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.QP_NO_REMOTE_ATOMIC);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    if ((request.remoteAddrLo & 7) !== 0) return this.misaligned(request);
    const answer = this.checkKey(p, request, 8, REMOTE_ATOMIC, VendorErr.RKEY_NO_REMOTE_ATOMIC);
    if (answer !== ACK) return answer;
    const target = this.wordOf(request);
    if (target === 0) return NAK_INVALID_REQUEST;
    const lo = Atomics.load(i32, target);
    const hi = Atomics.load(i32, target + 1);
    i32[result] = lo;
    i32[result + 1] = hi;
    const operandLo = request.compareAddLo;
    const operandHi = request.compareAddHi;
    const completer = this.completer;
    completer.atomicTarget = target;
    if (request.opcode === Opcode.ATOMIC_FETCH_AND_ADD) {
      const sum = (lo >>> 0) + (operandLo >>> 0);
      completer.atomicLo = sum | 0;
      completer.atomicHi = (hi + operandHi + (sum > 0xffffffff ? 1 : 0)) | 0;
    } else {
      const equal = lo === operandLo && hi === operandHi;
      completer.atomicLo = equal ? request.swapLo : lo;
      completer.atomicHi = equal ? request.swapHi : hi;
    }
    return ACK;
  }

  /**
   * ATOMIC_WRITE of 8 bytes: the data to the completer, who stores it at the commit, so that nobody sees half of it (IBTA annex A19).
   * `scratch` is the index of two words.
   */
  atomicWrite(p: number, request: Request, list: ScatterList, scratch: number): number {
    const i32 = this.i32;
    if ((i32[p + ACCESS_FLAGS] & REMOTE_WRITE) === 0) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.QP_NO_REMOTE_WRITE);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    if ((request.remoteAddrLo & 7) !== 0) return this.misaligned(request);
    const answer = this.checkKey(p, request, ATOMIC_WRITE_BYTES, REMOTE_WRITE, VendorErr.RKEY_NO_REMOTE_WRITE);
    if (answer !== ACK) return answer;
    const target = this.wordOf(request);
    if (target === 0) return NAK_INVALID_REQUEST;
    let to = scratch << 2;
    for (let n = 0; n < list.count; n++) {
      this.dma.move(0, to, list.mpt[n], list.address[n], list.bytes[n]);
      to = (to + list.bytes[n]) | 0;
    }
    this.completer.atomicLo = i32[scratch];
    this.completer.atomicHi = i32[scratch + 1];
    this.completer.atomicTarget = target;
    return ACK;
  }

  /**
   * FLUSH: whether the peer may ask for it. There is nothing to do: what was written before is in the memory that everybody reads, in
   * the order of the stores, and memory that outlives the process can't be registered (IBTA annex A19; Linux rxe_resp.c
   * process_flush).
   */
  flush(p: number, request: Request): number {
    const i32 = this.i32;
    if (!request.isFlush) return this.refuse(NAK_INVALID_REQUEST, VendorErr.BAD_FLUSH);
    const need = request.placement << FLUSH_ACCESS_SHIFT;
    const lacks = need & ~i32[p + ACCESS_FLAGS];
    if (lacks !== 0) {
      const isGlobal = (lacks & Access.FLUSH_GLOBAL) !== 0;
      const vendorErr = isGlobal ? VendorErr.QP_NO_FLUSH_GLOBAL : VendorErr.QP_NO_FLUSH_PERSISTENT;
      return this.refuse(NAK_INVALID_REQUEST, vendorErr);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    const ofRegion = request.selectivity === Selectivity.MR;
    const length = ofRegion ? 0 : request.flushLength >>> 0;
    const global = need & Access.FLUSH_GLOBAL;
    const persistent = need & Access.FLUSH_PERSISTENT;
    let answer = this.checkFlush(p, request, length, ofRegion, global, VendorErr.RKEY_NO_FLUSH_GLOBAL);
    if (answer === ACK) {
      answer = this.checkFlush(p, request, length, ofRegion, persistent, VendorErr.RKEY_NO_FLUSH_PERSISTENT);
    }
    return answer;
  }

  /** The flush of all of a region names its key only; the range is what the check of a key looks at last. */
  private checkFlush(
    p: number,
    request: Request,
    length: number,
    ofRegion: boolean,
    need: number,
    denied: number,
  ): number {
    const answer = this.checkKey(p, request, length, need, denied);
    return ofRegion && answer !== ACK && this.vendorErr === VendorErr.RKEY_RANGE ? ACK : answer;
  }

  /** Word index of the 8 bytes of the key that was checked; 0 when they can't be stored at once: the region begins at an odd place. */
  private wordOf(request: Request): number {
    const address = this.dma.address(this.tpt.mpt, this.tpt.address);
    if ((address & 7) === 0) return address >>> 2;
    this.misaligned(request);
    return 0;
  }

  private misaligned({ rkey, remoteAddrLo, remoteAddrHi }: Request): number {
    return this.refuseAt(NAK_INVALID_REQUEST, VendorErr.ATOMIC_MISALIGNED, rkey, remoteAddrLo, remoteAddrHi);
  }

  /** Whether the message's key opens its range to the QP at `p`, for what `need` says. @internal */
  protected checkKey(p: number, request: Request, length: number, need: number, denied: number): number {
    const i32 = this.i32;
    const key = request.rkey;
    const lo = request.remoteAddrLo;
    const hi = request.remoteAddrHi;
    const tpt = this.tpt;
    const failed = tpt.checkRemote(i32[p + MPT_TABLE], i32[p + PD], key, lo, hi, length, need, denied, i32[p + QPN]);
    if (failed === 0) return ACK;
    return this.refuseAt(NAK_REMOTE_ACCESS, failed, key, lo, hi);
  }
}
