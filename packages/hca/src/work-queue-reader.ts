/**
 * Reads a WQE's SGEs once, checks each through the TPT, and leaves what they came to in a {@link ScatterList}.
 */
import type { Machine } from '@openverbs/machine';
import { ATOMIC_WRITE_BYTES, RecvWqe, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { MESSAGE_BYTES_MAX, SGES_MAX } from './limits.ts';
import { Qpc } from './layout.ts';
import type { ReceiveQueue } from './receive-queue.ts';
import type { ScatterList } from './scatter-list.ts';
import type { Tpt } from './tpt.ts';

const { PD, MPT_TABLE, MAX_SEND_SGE, MAX_INLINE } = Qpc;
const { SGE, INLINE_LENGTH } = SendWqe;
const { SGE: RECV_SGE, SGE_COUNT } = RecvWqe;
const { BAD_SGE_COUNT, BAD_INLINE_LENGTH, MESSAGE_TOO_LONG, BAD_RECV_WQE, RECV_TOO_SMALL } = VendorErr;
// Constants of this module: V8 folds them, and does not fold imported ones.
const LENGTH_MAX = MESSAGE_BYTES_MAX;
const COUNT_MAX = SGES_MAX;

export class WorkQueueReader {
  private readonly i32: Int32Array;
  private readonly tpt: Tpt;
  /** Where a failed check looked. */
  faultKey = 0;
  faultAddrLo = 0;
  faultAddrHi = 0;

  constructor(machine: Machine, tpt: Tpt) {
    this.i32 = machine.i32;
    this.tpt = tpt;
  }

  /** The SGEs of the send WQE at `w`; `write` when the device will write there. Answers a vendor error or 0. */
  sendSges(q: number, w: number, count: number, write: boolean, list: ScatterList): number {
    if (count > this.i32[q + MAX_SEND_SGE] || count > COUNT_MAX) return this.fault(BAD_SGE_COUNT, count);
    list.count = 0;
    list.length = 0;
    const table = this.i32[q + MPT_TABLE];
    const pd = this.i32[q + PD];
    for (let n = 0; n < count; n++) {
      const failed = this.sge(table, pd, w + SGE + (n << 2), LENGTH_MAX, write, list);
      if (failed !== 0) return failed;
      if (list.length > LENGTH_MAX) return this.fault(MESSAGE_TOO_LONG, list.length | 0);
    }
    return 0;
  }

  /** Inline data: it lies in the WQE itself, which is the queue owner's memory. */
  inlineData(q: number, w: number, list: ScatterList): number {
    const length = this.i32[w + INLINE_LENGTH];
    if (length >>> 0 > this.i32[q + MAX_INLINE]) return this.fault(BAD_INLINE_LENGTH, length);
    list.count = length === 0 ? 0 : 1;
    list.length = length;
    list.mpt[0] = 0;
    list.address[0] = (w + SGE) << 2;
    list.bytes[0] = length;
    return 0;
  }

  /** The inline data of an ATOMIC_WRITE, to which the QP's limit for inline data does not apply. */
  inlineWord(w: number, list: ScatterList): number {
    const length = this.i32[w + INLINE_LENGTH];
    if (length !== ATOMIC_WRITE_BYTES) return this.fault(BAD_INLINE_LENGTH, length);
    list.setRun((w + SGE) << 2, length);
    return 0;
  }

  /** The SGEs of the receive WQE that `queue` found last for the QP at `p`, as far as `length` bytes need them. */
  recvSges(p: number, queue: ReceiveQueue, length: number, list: ScatterList): number {
    const w = queue.wqe;
    const count = this.i32[w + SGE_COUNT];
    if (count >>> 0 > queue.maxSge || count > COUNT_MAX) return this.fault(BAD_RECV_WQE, count);
    list.count = 0;
    list.length = 0;
    const table = this.i32[p + MPT_TABLE];
    const pd = queue.pd;
    for (let n = 0; n < count && list.length < length; n++) {
      const failed = this.sge(table, pd, w + RECV_SGE + (n << 2), length - list.length, true, list);
      if (failed !== 0) return failed;
    }
    return list.length < length ? this.fault(RECV_TOO_SMALL, length) : 0;
  }

  /** One SGE, each word read once. The whole element must lie in its region, even if only `most` bytes of it are used. */
  private sge(table: number, pd: number, at: number, most: number, write: boolean, list: ScatterList): number {
    const i32 = this.i32;
    const lo = i32[at];
    const hi = i32[at + 1];
    const length = i32[at + 2] >>> 0;
    const key = i32[at + 3];
    if (length === 0) return 0;
    if (length > LENGTH_MAX) return this.fault(MESSAGE_TOO_LONG, length | 0);
    const tpt = this.tpt;
    const failed = tpt.checkLocal(table, pd, key, lo, hi, length, write);
    if (failed !== 0) return this.faultAt(failed, key, lo, hi);
    const used = length < most ? length : most;
    const n = list.count++;
    list.mpt[n] = tpt.mpt;
    list.address[n] = tpt.address;
    list.bytes[n] = used;
    list.length += used;
    if (used === LENGTH_MAX) list.halve();
    return 0;
  }

  /** A failed check that looked at a number, not at a key. */
  fault(vendorErr: number, value: number): number {
    return this.faultAt(vendorErr, 0, value, 0);
  }

  private faultAt(vendorErr: number, key: number, addrLo: number, addrHi: number): number {
    this.faultKey = key;
    this.faultAddrLo = addrLo;
    this.faultAddrHi = addrHi;
    return vendorErr;
  }
}
