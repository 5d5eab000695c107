/** The device's private copy of a send WQE: fetched once, then checked, never looked at again. */
import { FLUSH_LEVEL_SHIFT, SendWqe } from '@openverbs/verbs/rings';
import { Placement, Selectivity, SendFlag } from './opcode.ts';

const { BIND_LENGTH_LO, BIND_LENGTH_HI, BIND_LKEY, BIND_MW, BIND_RKEY, BIND_ACCESS, BIND_ADDR_LO, BIND_ADDR_HI } =
  SendWqe;
const { FLUSH_LENGTH } = SendWqe;
const PLACEMENT_ALL = Placement.GLOBAL | Placement.PERSISTENT;

export class Request {
  opcode = 0;
  flags = 0;
  sgeCount = 0;
  imm = 0;
  rkey = 0;
  remoteAddrLo = 0;
  remoteAddrHi = 0;
  compareAddLo = 0;
  compareAddHi = 0;
  swapLo = 0;
  swapHi = 0;
  /** BIND_MW. */
  bindMw = 0;
  bindRkey = 0;
  bindLkey = 0;
  bindAccess = 0;
  bindAddrLo = 0;
  bindAddrHi = 0;
  bindLengthLo = 0;
  bindLengthHi = 0;
  /** FLUSH: bytes of the range, as an int32. */
  flushLength = 0;

  /** Reads what a BIND_MW at word `w` has in the place of SGEs. */
  fetchBind(i32: Int32Array, w: number): void {
    this.bindMw = i32[w + BIND_MW];
    this.bindRkey = i32[w + BIND_RKEY];
    this.bindLkey = i32[w + BIND_LKEY];
    this.bindAccess = i32[w + BIND_ACCESS];
    this.bindAddrLo = i32[w + BIND_ADDR_LO];
    this.bindAddrHi = i32[w + BIND_ADDR_HI];
    this.bindLengthLo = i32[w + BIND_LENGTH_LO];
    this.bindLengthHi = i32[w + BIND_LENGTH_HI];
  }

  /** Reads what a FLUSH at word `w` has in the place of SGEs. */
  fetchFlush(i32: Int32Array, w: number): void {
    this.flushLength = i32[w + FLUSH_LENGTH];
  }

  /** Sets what a FLUSH asks for. */
  setFlush(placement: number, selectivity: number, length: number): void {
    this.imm = placement | (selectivity << FLUSH_LEVEL_SHIFT);
    this.flushLength = length;
  }

  /** FLUSH: {@link Placement} bits, whatever the WQE or packet says. */
  get placement(): number {
    return this.imm & ((1 << FLUSH_LEVEL_SHIFT) - 1);
  }

  /** FLUSH: one of {@link Selectivity}, or what is none. */
  get selectivity(): number {
    return this.imm >>> FLUSH_LEVEL_SHIFT;
  }

  /** Whether there is such a FLUSH: it asks for something, of a range or of a region. */
  get isFlush(): boolean {
    const { placement, selectivity } = this;
    return placement !== 0 && placement <= PLACEMENT_ALL && selectivity <= Selectivity.MR;
  }

  /** Sets the remote address: one of 64 bits, `offset` bytes on. */
  setRemote(lo: number, hi: number, offset: number): void {
    const sum = (lo >>> 0) + offset;
    this.remoteAddrLo = sum | 0;
    this.remoteAddrHi = (hi + Math.floor(sum / 4294967296)) | 0;
  }

  get solicited(): boolean {
    return (this.flags & SendFlag.SOLICITED) !== 0;
  }
}
