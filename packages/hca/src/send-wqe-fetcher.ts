/**
 * Fetches a send WQE: reads it once into the device's private copy, then checks it, SGEs included.
 *
 * What it may contain depends on the device alone, not on how its message travels.
 */
import type { Machine } from '@openverbs/machine';
import { ATOMIC_WRITE_BYTES, CqeSyndrome, SendWqe, SendWqeFlagsField, VendorErr } from '@openverbs/verbs/rings';
import { Qpc } from './layout.ts';
import { executes, Opcode, SEND_OPCODES, SendFlag } from './opcode.ts';
import { Request } from './request.ts';
import { ScatterList } from './scatter-list.ts';
import type { WorkQueueReader } from './work-queue-reader.ts';

const { MAX_RD_ATOMIC, TYPE } = Qpc;
const { OPCODE, FLAGS, IMM, RKEY, REMOTE_ADDR_LO, REMOTE_ADDR_HI } = SendWqe;
const { COMPARE_ADD_LO, COMPARE_ADD_HI, SWAP_LO, SWAP_HI } = SendWqe;
const { SEND_FLAGS_MASK, SGE_COUNT_SHIFT, SGE_COUNT_MASK } = SendWqeFlagsField;
const { RDMA_READ, ATOMIC_FETCH_AND_ADD, LOCAL_INV, BIND_MW, FLUSH, ATOMIC_WRITE } = Opcode;
const { INLINE } = SendFlag;
const { LOCAL_QP_OP_ERR, LOCAL_PROT_ERR, LOCAL_LENGTH_ERR } = CqeSyndrome;

/** What the fetch answers for work that concerns this side alone: see {@link LocalOperations}. No vendor error. */
export const LOCAL_OPERATION = -1;

export class SendWqeFetcher {
  private readonly i32: Int32Array;
  private readonly reader: WorkQueueReader;
  readonly request = new Request();
  /** Where the message is read from, or for reads and atomics, where the response goes. */
  readonly list = new ScatterList();
  /** Of a WQE that failed a check: the syndrome of its completion, and where the check looked. */
  syndrome = 0;
  faultKey = 0;
  faultAddrLo = 0;
  faultAddrHi = 0;

  constructor(machine: Machine, reader: WorkQueueReader) {
    this.i32 = machine.i32;
    this.reader = reader;
  }

  /**
   * Fetches the WQE at word `w` of the QP at `q`. Answers a vendor error, 0, or {@link LOCAL_OPERATION}.
   *
   * One method, and longer than what V8 inlines (460 bytes of bytecode), on purpose: so the checks of the SGEs are inlined here, and what
   * follows the fetch is inlined into the loop of the send queue.
   */
  fetch(q: number, w: number): number {
    const { i32, request, list } = this;
    const opcode = i32[w + OPCODE];
    const flags = i32[w + FLAGS];
    const sgeCount = (flags >>> SGE_COUNT_SHIFT) & SGE_COUNT_MASK;
    request.opcode = opcode;
    request.flags = flags & SEND_FLAGS_MASK;
    request.sgeCount = sgeCount;
    request.imm = i32[w + IMM];
    request.rkey = i32[w + RKEY];
    request.remoteAddrLo = i32[w + REMOTE_ADDR_LO];
    request.remoteAddrHi = i32[w + REMOTE_ADDR_HI];
    if (opcode >>> 0 > RDMA_READ) {
      request.compareAddLo = i32[w + COMPARE_ADD_LO];
      request.compareAddHi = i32[w + COMPARE_ADD_HI];
      request.swapLo = i32[w + SWAP_LO];
      request.swapHi = i32[w + SWAP_HI];
      if (opcode >>> 0 > ATOMIC_FETCH_AND_ADD) return this.fetchOther(q, w, opcode);
      if (sgeCount !== 1) return this.refuse(LOCAL_QP_OP_ERR, VendorErr.BAD_SGE_COUNT, sgeCount);
    }
    const failed =
      (flags & INLINE) === 0
        ? this.reader.sendSges(q, w, sgeCount, opcode >= RDMA_READ, list)
        : this.inline(q, w, opcode);
    if (failed !== 0) return this.refuseSges(failed);
    if (opcode >= RDMA_READ) {
      if (i32[q + MAX_RD_ATOMIC] === 0) return this.refuse(LOCAL_QP_OP_ERR, VendorErr.RD_ATOMIC_LIMIT, 0);
      if (opcode > RDMA_READ && list.length !== 8) {
        return this.refuse(LOCAL_LENGTH_ERR, VendorErr.ATOMIC_LENGTH, list.length);
      }
    }
    return 0;
  }

  /** Opcodes that came later than the others; apart, so that those don't pay. */
  private fetchOther(q: number, w: number, opcode: number): number {
    const { request, list } = this;
    // Those before are of RC and XRC alike.
    if (!executes(SEND_OPCODES[this.i32[q + TYPE]], opcode)) return this.refuseOpcode(opcode);
    if (opcode === LOCAL_INV) return LOCAL_OPERATION;
    const isInline = (request.flags & INLINE) !== 0;
    if (opcode === BIND_MW) {
      if (isInline || request.sgeCount !== 0) {
        return this.refuse(LOCAL_QP_OP_ERR, VendorErr.BAD_SGE_COUNT, request.sgeCount);
      }
      request.fetchBind(this.i32, w);
      return LOCAL_OPERATION;
    }
    if (opcode === FLUSH) return this.fetchFlush(q, w, isInline);
    if (opcode === ATOMIC_WRITE) return this.fetchAtomicWrite(q, w, isInline);
    const reader = this.reader;
    const failed = isInline ? reader.inlineData(q, w, list) : reader.sendSges(q, w, request.sgeCount, false, list);
    return failed === 0 ? 0 : this.refuseSges(failed);
  }

  /** Like a read in what it takes of the peer (IBTA annex A19), but nothing is sent and nothing comes back. */
  private fetchFlush(q: number, w: number, isInline: boolean): number {
    const { request, list } = this;
    if (isInline || request.sgeCount !== 0) {
      return this.refuse(LOCAL_QP_OP_ERR, VendorErr.BAD_SGE_COUNT, request.sgeCount);
    }
    if (!request.isFlush) return this.refuse(LOCAL_QP_OP_ERR, VendorErr.BAD_FLUSH, request.imm);
    if (this.i32[q + MAX_RD_ATOMIC] === 0) return this.refuse(LOCAL_QP_OP_ERR, VendorErr.RD_ATOMIC_LIMIT, 0);
    request.fetchFlush(this.i32, w);
    list.count = list.length = 0;
    return 0;
  }

  /** Its 8 bytes are in the WQE, or in one SGE. */
  private fetchAtomicWrite(q: number, w: number, isInline: boolean): number {
    const { request, list } = this;
    if (!isInline && request.sgeCount !== 1) {
      return this.refuse(LOCAL_QP_OP_ERR, VendorErr.BAD_SGE_COUNT, request.sgeCount);
    }
    const failed = isInline ? this.reader.inlineWord(w, list) : this.reader.sendSges(q, w, 1, false, list);
    if (failed !== 0) return this.refuseSges(failed);
    if (list.length !== ATOMIC_WRITE_BYTES) {
      return this.refuse(LOCAL_LENGTH_ERR, VendorErr.ATOMIC_LENGTH, list.length);
    }
    if (this.i32[q + MAX_RD_ATOMIC] === 0) return this.refuse(LOCAL_QP_OP_ERR, VendorErr.RD_ATOMIC_LIMIT, 0);
    return 0;
  }

  /** The same, of a send queue that executes `opcodes` only, a bit mask. */
  fetchOf(q: number, w: number, opcodes: number): number {
    const failed = this.fetch(q, w);
    const { opcode } = this.request;
    return executes(opcodes, opcode) ? failed : this.refuseOpcode(opcode);
  }

  private refuseOpcode(opcode: number): number {
    return this.refuse(LOCAL_QP_OP_ERR, VendorErr.BAD_OPCODE, opcode);
  }

  /** Inline data makes sense where the device only reads. */
  private inline(q: number, w: number, opcode: number): number {
    if (opcode >= RDMA_READ) return this.reader.fault(VendorErr.BAD_OPCODE, opcode);
    return this.reader.inlineData(q, w, this.list);
  }

  private refuseSges(vendorErr: number): number {
    const reader = this.reader;
    this.syndrome = LOCAL_PROT_ERR;
    if (vendorErr === VendorErr.MESSAGE_TOO_LONG) this.syndrome = LOCAL_LENGTH_ERR;
    else if (vendorErr >= VendorErr.ATOMIC_MISALIGNED && vendorErr !== VendorErr.LKEY_NOT_OWNED)
      this.syndrome = LOCAL_QP_OP_ERR;
    this.faultKey = reader.faultKey;
    this.faultAddrLo = reader.faultAddrLo;
    this.faultAddrHi = reader.faultAddrHi;
    return vendorErr;
  }

  /** Refuses the WQE that was fetched, for what it needs beside; answers the vendor error. */
  refuse(syndrome: number, vendorErr: number, value: number): number {
    this.syndrome = syndrome;
    this.faultKey = 0;
    this.faultAddrLo = value;
    this.faultAddrHi = 0;
    return vendorErr;
  }
}
