/** Posts send WQEs to a ring in the OpenVerbs layout. Hot: nothing here allocates. */
import { QpType } from '../enums/qp.ts';
import { SendFlags, WrOpcode } from '../enums/wr.ts';
import { Errno } from '../errors.ts';
import type { MwBind } from '../memory-window.ts';
import type { ProtectionDomain } from '../protection-domain.ts';
import type { SendWr } from '../send-wr.ts';
import {
  ATOMIC_WRITE_BYTES,
  FLUSH_LEVEL_SHIFT,
  QpDoorbellRecord,
  SendWqe,
  SendWqeFlagsField,
  SGE_WORDS,
  SgeWords,
} from './layout.ts';
import { isFlush } from './is-flush.ts';
import { storeOrdered } from './ordering.ts';
import type { Doorbell, QpRings } from './rings.ts';
import { WorkQueueSlots } from './work-queue-slots.ts';
import { SEND_FLAGS_KNOWN } from './send-flags.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { OPCODE, FLAGS, IMM, INLINE_LENGTH, RKEY, REMOTE_ADDR_LO, REMOTE_ADDR_HI, REMOTE_SRQN, SGE } = SendWqe;
const { COMPARE_ADD_LO, COMPARE_ADD_HI, SWAP_LO, SWAP_HI } = SendWqe;
const { BIND_LENGTH_LO, BIND_LENGTH_HI, BIND_LKEY, BIND_MW: BIND_WINDOW, BIND_RKEY, BIND_ACCESS } = SendWqe;
const { BIND_ADDR_LO, BIND_ADDR_HI, FLUSH_LENGTH } = SendWqe;
const { BIND_MW, ATOMIC_WRITE } = WrOpcode;
const { ADDR_LO, ADDR_HI, LENGTH, LKEY } = SgeWords;
const { SQ_PRODUCER } = QpDoorbellRecord;
const { SIGNALED, INLINE } = SendFlags;
const { EINVAL, ENOMEM, EFAULT } = Errno;
const FLAGS_KNOWN = SEND_FLAGS_KNOWN;
const WORDS_PER_SGE = SGE_WORDS;
const WORD64_BYTES = ATOMIC_WRITE_BYTES;
const LEVEL_SHIFT = FLUSH_LEVEL_SHIFT;
const TWO_32 = 4294967296;
const { SGE_COUNT_SHIFT } = SendWqeFlagsField;

const ops = (...opcodes: readonly number[]): number => opcodes.reduce((bits, opcode) => bits | (1 << opcode), 0);
export const ATOMICS = ops(WrOpcode.ATOMIC_CMP_AND_SWP, WrOpcode.ATOMIC_FETCH_AND_ADD);
/** Operations that take the place of the SGEs for themselves, or need just one. */
const WITHOUT_LIST = ops(WrOpcode.BIND_MW, WrOpcode.FLUSH, WrOpcode.ATOMIC_WRITE);
const WITH_RKEY = ops(WrOpcode.LOCAL_INV, WrOpcode.SEND_WITH_INV);
const WITH_IMM = ops(WrOpcode.SEND_WITH_IMM, WrOpcode.RDMA_WRITE_WITH_IMM);
/** Operations that fill more words than the others. */
export const SPECIAL = ATOMICS | WITH_RKEY | WITH_IMM | WITHOUT_LIST;
const SENDS = ops(WrOpcode.SEND, WrOpcode.SEND_WITH_IMM, WrOpcode.SEND_WITH_INV);
/** Only what goes out can be inline. */
export const INLINE_OPS = SENDS | ops(WrOpcode.RDMA_WRITE, WrOpcode.RDMA_WRITE_WITH_IMM);

/** From this length on, the built-in copy is faster than a loop. */
const LOOP_BYTES_MAX = 64;

/** What the words from RKEY on mean. */
export const CONNECTED = 0;
const DATAGRAM = 1;
export const XRC = 2;

/** The send queue of a QP: `ibv_post_send`. {@link RingSendBuilder} adds the extended form. */
export class RingSendQueue {
  /** Shared with the completion queue, which frees them. */
  readonly slots: WorkQueueSlots;
  /** After a refused post: which work request of the chain it was. */
  badWrIndex: number;
  /** How many SGEs a work request may have. */
  readonly maxSge: number;
  /** How many work requests may be outstanding. */
  readonly maxWr: number;
  /** Bytes of inline data of a work request. */
  readonly maxInlineData: number;
  /** Bit n: `WrOpcode` n is allowed. */
  readonly opcodes: number;
  /** @internal */
  protected readonly i32: Int32Array;
  /** @internal */
  protected readonly u8: Uint8Array;
  /** @internal */
  protected readonly doorbell: Doorbell;
  /** @internal */
  protected readonly qpNum: number;
  /** Word index of the first WQE. @internal */
  protected readonly base: number;
  /** Word index of the producer in the doorbell record. @internal */
  protected readonly producer: number;
  /** log2 of the words of a WQE. @internal */
  protected readonly strideShift: number;
  /** Number of WQEs minus 1. @internal */
  protected readonly mask: number;
  /** SIGNALED when every work request makes a completion, else 0. */
  protected readonly signalAll: number;
  /** Where address handles, memory windows and their regions have to be from; null takes none. @internal */
  protected readonly domain: ProtectionDomain | null;
  /** CONNECTED, DATAGRAM or XRC. */
  protected readonly addressing: number;
  /** Free-running count of WQEs posted, an int32. */
  protected head: number;
  /** {@link RingSendQueue.maxWr}, or 0 while nothing may be posted, so that one comparison sees both. */
  protected limit: number;

  constructor(rings: QpRings, qpType: number, sqSigAll: boolean, domain: ProtectionDomain | null) {
    this.slots = new WorkQueueSlots(rings.sqLog2Count);
    this.badWrIndex = 0;
    this.maxSge = rings.maxSendSge;
    this.maxWr = rings.maxSendWr;
    this.maxInlineData = rings.maxInlineData;
    this.opcodes = rings.sendOpcodes;
    this.i32 = rings.i32;
    this.u8 = rings.u8;
    this.doorbell = rings.doorbell;
    this.qpNum = rings.qpNum;
    this.base = rings.sqAddr >>> 2;
    this.producer = (rings.doorbellRecordAddr >>> 2) + SQ_PRODUCER;
    this.strideShift = rings.sqLog2Bytes - 2;
    this.mask = this.slots.mask;
    this.signalAll = sqSigAll ? SIGNALED : 0;
    this.domain = domain;
    this.addressing = qpType === QpType.UD ? DATAGRAM : qpType === QpType.XRC_SEND ? XRC : CONNECTED;
    this.head = 0;
    this.limit = 0;
  }

  /**
   * Posts a chain and rings the doorbell once. Returns 0 or an error number; the work requests before `badWrIndex` are posted
   * then.
   */
  post(first: SendWr): number {
    let wr: SendWr | null = first;
    let count = 0;
    let errno: number;
    try {
      do {
        errno = this.write(wr);
        if (errno !== 0) break;
        count++;
        wr = wr.next;
      } while (wr !== null);
    } catch {
      errno = EINVAL; // no list of SGEs, a bigint in an SGE …; what comes before it is posted all the same
    }
    if (errno !== 0) this.badWrIndex = count;
    if (count !== 0) this.publish();
    return errno;
  }

  /** Allows posts, or refuses them: in the states RESET, INIT and RTR, and after the end. */
  setReady(ready: boolean): void {
    this.limit = ready ? this.maxWr : 0;
  }

  /** Empties the queue, after the device has reset the QP. */
  reset(): void {
    this.head = this.slots.tail = 0;
    Atomics.store(this.i32, this.producer, 0);
  }

  /** The WQEs up to the head are the device's from here on. */
  protected publish(): void {
    storeOrdered(this.i32, this.producer, this.head);
    this.doorbell.ringSq(this.qpNum);
  }

  // Three methods of a size that V8 inlines, where one would be too long.
  private write(wr: SendWr): number {
    const { head, slots } = this;
    if (((head - slots.tail) | 0) >= this.limit) return this.limit === 0 ? EINVAL : ENOMEM;
    const { opcode, sendFlags, wrId } = wr;
    if ((opcode & 31) !== opcode || ((this.opcodes >>> opcode) & 1) === 0) return EINVAL;
    if ((sendFlags & FLAGS_KNOWN) !== sendFlags || !(wrId >= 0)) return EINVAL;
    const slot = head & this.mask;
    const wqe = this.base + (slot << this.strideShift);
    const flags = sendFlags | this.signalAll;
    const errno = (flags & INLINE) === 0 ? this.writeSgList(wqe, flags, wr) : this.writeInline(wqe, opcode, flags, wr);
    if (errno !== 0) return errno;
    this.i32[wqe + OPCODE] = opcode;
    if (((SPECIAL >>> opcode) & 1) !== 0 && !this.writeSpecial(wqe, opcode, wr)) return EINVAL;
    if (this.addressing === CONNECTED) this.writeRemote(wqe, wr);
    else if (!this.writeAddress(wqe, wr)) return EINVAL;
    slots.wrIds[slot] = wrId;
    this.head = (head + 1) | 0;
    return 0;
  }

  private writeSgList(wqe: number, flags: number, wr: SendWr): number {
    const { i32 } = this;
    const sgList = wr.sgList;
    const count = sgList.length;
    // Not `count > maxSge`: what has no length is refused by the same compare.
    if (!(count <= this.maxSge) || (count === 0 && wr.inlineData !== null)) return EINVAL;
    i32[wqe + FLAGS] = flags | (count << SGE_COUNT_SHIFT);
    for (let i = 0, w = wqe + SGE; i < count; i++, w += WORDS_PER_SGE) {
      const sge = sgList[i];
      const addr = sge.addr;
      i32[w + ADDR_LO] = addr | 0;
      i32[w + ADDR_HI] = addr / TWO_32;
      i32[w + LENGTH] = sge.length | 0;
      i32[w + LKEY] = sge.lkey | 0;
    }
    return 0;
  }

  private writeRemote(wqe: number, wr: SendWr): void {
    const { i32 } = this;
    i32[wqe + RKEY] = wr.rkey | 0;
    i32[wqe + REMOTE_ADDR_LO] = wr.remoteAddrLo;
    i32[wqe + REMOTE_ADDR_HI] = wr.remoteAddrHi;
  }

  /** Immediate data, keys to invalidate and operands of atomics. */
  private writeSpecial(wqe: number, opcode: number, wr: SendWr): boolean {
    const { i32 } = this;
    if (((ATOMICS >>> opcode) & 1) !== 0) {
      // The operands take the place of a second SGE.
      if (wr.sgList.length !== 1) return false;
      i32[wqe + COMPARE_ADD_LO] = wr.compareAddLo;
      i32[wqe + COMPARE_ADD_HI] = wr.compareAddHi;
      i32[wqe + SWAP_LO] = wr.swapLo;
      i32[wqe + SWAP_HI] = wr.swapHi;
    } else if (((WITHOUT_LIST >>> opcode) & 1) !== 0) {
      return this.writeWithoutList(wqe, opcode, wr);
    } else {
      i32[wqe + IMM] = ((WITH_RKEY >>> opcode) & 1) !== 0 ? wr.invalidateRkey | 0 : wr.immData | 0;
    }
    return true;
  }

  /** What is bound, or flushed, takes the place of SGEs and inline data; an atomic write has one or the other. */
  private writeWithoutList(wqe: number, opcode: number, wr: SendWr): boolean {
    const { i32 } = this;
    const isInline = (i32[wqe + FLAGS] & INLINE) !== 0;
    const count = i32[wqe + FLAGS] >>> SGE_COUNT_SHIFT;
    if (opcode === ATOMIC_WRITE) return isInline ? i32[wqe + INLINE_LENGTH] === WORD64_BYTES : count === 1;
    if (isInline || count !== 0) return false;
    if (opcode === BIND_MW) return wr.bindMw !== null && this.writeBind(wqe, wr.bindMw);
    const { flushType, flushLevel, flushLength } = wr;
    if (!isFlush(flushType, flushLevel) || flushLength >>> 0 !== flushLength) return false;
    i32[wqe + IMM] = flushType | (flushLevel << LEVEL_SHIFT);
    i32[wqe + FLUSH_LENGTH] = flushLength;
    return true;
  }

  /** What a memory window is to show. @internal */
  protected writeBind(wqe: number, { mw, mr, rkey, access, addr, length }: MwBind): boolean {
    // The device knows keys and handles by number, and those of another device are numbers too.
    if (!mw.bindable || mw.pd.domain !== this.domain) return false;
    if (mr !== null && (mr.destroyed || mr.pd.domain !== this.domain)) return false;
    const { i32 } = this;
    i32[wqe + BIND_LENGTH_LO] = length | 0;
    i32[wqe + BIND_LENGTH_HI] = length / TWO_32;
    i32[wqe + BIND_LKEY] = mr === null ? 0 : mr.lkey | 0;
    i32[wqe + BIND_WINDOW] = mw.handle;
    i32[wqe + BIND_RKEY] = rkey | 0;
    i32[wqe + BIND_ACCESS] = access | 0;
    i32[wqe + BIND_ADDR_LO] = addr | 0;
    i32[wqe + BIND_ADDR_HI] = addr / TWO_32;
    mw.region = mr;
    return true;
  }

  /** Where a datagram or an XRC message goes. */
  private writeAddress(wqe: number, wr: SendWr): boolean {
    const { i32 } = this;
    if (this.addressing === XRC) {
      this.writeRemote(wqe, wr);
      i32[wqe + REMOTE_SRQN] = wr.remoteSrqn;
      return true;
    }
    const ah = wr.ah;
    if (ah === null || ah.destroyed || ah.domain !== this.domain) return false;
    i32[wqe + RKEY] = wr.remoteQkey | 0;
    i32[wqe + REMOTE_ADDR_LO] = ah.handle;
    i32[wqe + REMOTE_ADDR_HI] = wr.remoteQpn;
    return true;
  }

  /** Gathers the data into the WQE. The lkeys are not looked at: the memory is the program's own. */
  private writeInline(wqe: number, opcode: number, flags: number, wr: SendWr): number {
    if (((INLINE_OPS >>> opcode) & 1) === 0 && opcode !== ATOMIC_WRITE) return EINVAL;
    // That fits the smallest WQE.
    const most = opcode === ATOMIC_WRITE ? WORD64_BYTES : this.maxInlineData;
    let filled = 0;
    if (wr.inlineData !== null) {
      if (!(wr.inlineData instanceof Uint8Array)) return EINVAL;
      filled = wr.inlineData.length;
      if (filled > most) return EINVAL;
      this.copyIn(wqe, wr.inlineData);
    } else {
      const sgList = wr.sgList;
      for (let i = 0; i < sgList.length; i++) {
        const { addr, length } = sgList[i];
        // A negative length would have the next piece written in front of the WQE.
        if (length >>> 0 !== length || filled + length > most) return EINVAL;
        if (length === 0) continue;
        const source = this.doorbell.inlineSource(addr, length);
        if (source < 0) return EFAULT;
        this.copyWithin((wqe + SGE) * 4 + filled, source, length);
        filled += length;
      }
    }
    this.i32[wqe + FLAGS] = flags;
    this.i32[wqe + INLINE_LENGTH] = filled;
    return 0;
  }

  /** Copies inline data from outside of the ring's memory. */
  protected copyIn(wqe: number, bytes: Uint8Array): void {
    const { u8 } = this;
    const { length } = bytes;
    const target = (wqe + SGE) * 4;
    if (length > LOOP_BYTES_MAX) u8.set(bytes, target);
    else for (let i = 0; i < length; i++) u8[target + i] = bytes[i]!;
  }

  private copyWithin(target: number, source: number, length: number): void {
    const { u8 } = this;
    if (length > LOOP_BYTES_MAX) u8.copyWithin(target, source, source + length);
    else for (let i = 0; i < length; i++) u8[target + i] = u8[source + i]!;
  }
}
