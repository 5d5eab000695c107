/** The extended form of posting, straight into the ring. Hot: nothing here allocates. */
import type { SendPath } from '../data-path.ts';
import { SendFlags, WrOpcode } from '../enums/wr.ts';
import { Errno } from '../errors.ts';
import type { ProtectionDomain } from '../protection-domain.ts';
import type { SgeLike } from '../sge.ts';
import { NoOperation, StagedAddress, StagedData, type StagedSend } from '../staged-send.ts';
import { ATOMIC_WRITE_BYTES, SendWqe, SendWqeFlagsField, SGE_WORDS, SgeWords } from './layout.ts';
import { ATOMICS, CONNECTED, INLINE_OPS, RingSendQueue, SPECIAL, XRC } from './ring-send-queue.ts';
import type { QpRings } from './rings.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { OPCODE, FLAGS, IMM, INLINE_LENGTH, RKEY, REMOTE_ADDR_LO, REMOTE_ADDR_HI, REMOTE_SRQN, SGE, FLUSH_LENGTH } =
  SendWqe;
const { COMPARE_ADD_LO, COMPARE_ADD_HI, SWAP_LO, SWAP_HI } = SendWqe;
const { ADDR_LO, ADDR_HI, LENGTH, LKEY } = SgeWords;
const { INLINE } = SendFlags;
const { BIND_MW, FLUSH, ATOMIC_WRITE } = WrOpcode;
const { NONE, SGE: ONE_SGE, INLINE: INLINE_DATA } = StagedData;
const { UD: UD_ADDRESS, XRC: XRC_ADDRESS } = StagedAddress;
const { EINVAL, ENOMEM } = Errno;
const LIST_ENDED = NoOperation.IDLE;
const SPECIAL_OPS = SPECIAL;
const ATOMIC_OPS = ATOMICS;
const OPS_WITH_INLINE = INLINE_OPS;
const IS_XRC = XRC;
const WORD64_BYTES = ATOMIC_WRITE_BYTES;
const WORDS_PER_SGE = SGE_WORDS;
const TWO_32 = 4294967296;
const { SGE_COUNT_SHIFT } = SendWqeFlagsField;
const SGE_ADDR_LO = SGE + ADDR_LO;
const SGE_ADDR_HI = SGE + ADDR_HI;
const SGE_LENGTH = SGE + LENGTH;
const SGE_LKEY = SGE + LKEY;
/** Among the flags: that there is one SGE. */
const ONE_SGE_FLAG = 1 << SGE_COUNT_SHIFT;

/**
 * The send queue of a QP with the extended form.
 *
 * The work requests of a list go to WQEs that are not published yet, each to its place behind the head, so `complete` has nothing to
 * copy, and giving up leaves nothing to undo.
 *
 * What {@link RingSendQueue} writes from a `SendWr` is written here from a {@link StagedSend}, by methods of its own: a method that
 * took both would find two classes of object, and V8 would look at each field which of them it is.
 */
export class RingSendBuilder extends RingSendQueue implements SendPath {
  /** What the ring takes is found out while it is built. */
  readonly badWr: null;
  /** Bit n: `WrOpcode` n with one SGE has no words but those that {@link RingSendBuilder.append} writes by itself. */
  private readonly plain: number;

  constructor(rings: QpRings, qpType: number, sqSigAll: boolean, domain: ProtectionDomain | null) {
    super(rings, qpType, sqSigAll, domain);
    this.badWr = null;
    this.plain = this.addressing === CONNECTED && this.maxSge > 0 ? this.opcodes & ~SPECIAL : 0;
  }

  /**
   * Writes a work request to its place; its commonest form first.
   *
   * One method, and longer than what V8 inlines (460 bytes of bytecode), on purpose: what V8 inlines into one program is bounded, and
   * that is for the setters, which cost an object for each address where they are called.
   */
  append(staged: StagedSend): number {
    const { i32, slots } = this;
    const index = (this.head + staged.index) | 0;
    if (((index - slots.tail) | 0) >= this.limit) return this.limit === 0 ? EINVAL : ENOMEM;
    const { opcode, data } = staged;
    const slot = index & this.mask;
    const wqe = this.base + (slot << this.strideShift);
    const flags = staged.flags | this.signalAll;
    if (data === ONE_SGE && ((this.plain >>> opcode) & 1) !== 0) {
      i32[wqe + OPCODE] = opcode;
      i32[wqe + FLAGS] = flags | ONE_SGE_FLAG;
      i32[wqe + RKEY] = staged.rkey;
      i32[wqe + REMOTE_ADDR_LO] = staged.remoteAddrLo;
      i32[wqe + REMOTE_ADDR_HI] = staged.remoteAddrHi;
      i32[wqe + SGE_ADDR_LO] = staged.addrLo;
      i32[wqe + SGE_ADDR_HI] = staged.addrHi;
      i32[wqe + SGE_LENGTH] = staged.length;
      i32[wqe + SGE_LKEY] = staged.lkey;
    } else {
      if (((this.opcodes >>> opcode) & 1) === 0) return EINVAL;
      i32[wqe + OPCODE] = opcode;
      if (data === ONE_SGE) {
        if (this.maxSge === 0) return EINVAL;
        i32[wqe + FLAGS] = flags | ONE_SGE_FLAG;
        i32[wqe + SGE_ADDR_LO] = staged.addrLo;
        i32[wqe + SGE_ADDR_HI] = staged.addrHi;
        i32[wqe + SGE_LENGTH] = staged.length;
        i32[wqe + SGE_LKEY] = staged.lkey;
      } else this.describeData(wqe, flags, staged);
      if (((SPECIAL_OPS >>> opcode) & 1) !== 0 && !this.appendSpecial(wqe, staged)) return EINVAL;
      if (this.addressing === CONNECTED) this.appendRemote(wqe, staged);
      else if (!this.appendAddress(wqe, staged)) return EINVAL;
    }
    slots.wrIds[slot] = staged.wrId;
    return 0;
  }

  /** Writes the SGEs to where {@link RingSendBuilder.append} will have its WQE. */
  setSgeList(staged: StagedSend, sges: readonly SgeLike[]): number {
    const { i32 } = this;
    const count = sges.length;
    if (count > this.maxSge) return EINVAL;
    const wqe = this.place(staged);
    if (wqe < 0) return this.limit === 0 ? EINVAL : ENOMEM;
    for (let i = 0, w = wqe + SGE; i < count; i++, w += WORDS_PER_SGE) {
      const { addr, length, lkey } = sges[i];
      i32[w + ADDR_LO] = addr | 0;
      i32[w + ADDR_HI] = addr / TWO_32;
      i32[w + LENGTH] = length;
      i32[w + LKEY] = lkey;
    }
    return 0;
  }

  /** Copies the data to where {@link RingSendBuilder.append} will have its WQE. */
  setInlineData(staged: StagedSend, bytes: Uint8Array): number {
    if (bytes.length > this.maxInlineData || ((OPS_WITH_INLINE >>> staged.opcode) & 1) === 0) return EINVAL;
    const wqe = this.place(staged);
    if (wqe < 0) return this.limit === 0 ? EINVAL : ENOMEM;
    this.copyIn(wqe, bytes);
    return 0;
  }

  /** Appends the last work request and posts the list, with one ring of the doorbell; or nothing, and says what is wrong. */
  complete(last: StagedSend): number {
    const errno = this.append(last);
    if (errno !== 0) {
      this.badWrIndex = last.index;
      return errno;
    }
    last.opcode = LIST_ENDED;
    this.head = (this.head + last.index + 1) | 0;
    this.publish();
    return 0;
  }

  /** Word index of the WQE that a work request will have; -1 when there is none. */
  private place(staged: StagedSend): number {
    const index = (this.head + staged.index) | 0;
    if (((index - this.slots.tail) | 0) >= this.limit) return -1;
    return this.base + ((index & this.mask) << this.strideShift);
  }

  /** Says how much data the WQE has, which is there already. */
  private describeData(wqe: number, flags: number, { data, count }: StagedSend): void {
    const { i32 } = this;
    if (data === INLINE_DATA) {
      i32[wqe + FLAGS] = flags | INLINE;
      i32[wqe + INLINE_LENGTH] = count;
    } else i32[wqe + FLAGS] = data === NONE ? flags : flags | (count << SGE_COUNT_SHIFT);
  }

  /** Immediate data, keys to invalidate and operands of atomics. */
  private appendSpecial(wqe: number, staged: StagedSend): boolean {
    const { i32 } = this;
    if (staged.opcode === BIND_MW) return this.appendBind(wqe, staged);
    if (staged.opcode >= FLUSH) return this.appendWithoutSetters(wqe, staged);
    if (((ATOMIC_OPS >>> staged.opcode) & 1) === 0) {
      i32[wqe + IMM] = staged.imm;
      return true;
    }
    // The operands take the place of a second SGE.
    if (i32[wqe + FLAGS] >>> SGE_COUNT_SHIFT !== 1) return false;
    i32[wqe + COMPARE_ADD_LO] = staged.compareAddLo;
    i32[wqe + COMPARE_ADD_HI] = staged.compareAddHi;
    i32[wqe + SWAP_LO] = staged.swapLo;
    i32[wqe + SWAP_HI] = staged.swapHi;
    return true;
  }

  /** FLUSH and ATOMIC_WRITE, which take no setter for data. */
  private appendWithoutSetters(wqe: number, staged: StagedSend): boolean {
    const { i32 } = this;
    if (staged.data !== NONE) return false;
    if (staged.opcode === ATOMIC_WRITE) {
      i32[wqe + FLAGS] |= INLINE;
      i32[wqe + INLINE_LENGTH] = WORD64_BYTES;
      i32[wqe + SGE] = staged.compareAddLo;
      i32[wqe + SGE + 1] = staged.compareAddHi;
    } else {
      i32[wqe + IMM] = staged.imm;
      i32[wqe + FLUSH_LENGTH] = staged.length;
    }
    return true;
  }

  private appendRemote(wqe: number, staged: StagedSend): void {
    const { i32 } = this;
    i32[wqe + RKEY] = staged.rkey;
    i32[wqe + REMOTE_ADDR_LO] = staged.remoteAddrLo;
    i32[wqe + REMOTE_ADDR_HI] = staged.remoteAddrHi;
  }

  private appendBind(wqe: number, { data, bind }: StagedSend): boolean {
    return data === NONE && bind !== null && this.writeBind(wqe, bind);
  }

  /** Where a datagram or an XRC message goes. */
  private appendAddress(wqe: number, staged: StagedSend): boolean {
    const { i32 } = this;
    const { addressed, ah } = staged;
    if (this.addressing === IS_XRC) {
      this.appendRemote(wqe, staged);
      i32[wqe + REMOTE_SRQN] = (addressed & XRC_ADDRESS) !== 0 ? staged.remoteSrqn : 0;
      return true;
    }
    if ((addressed & UD_ADDRESS) === 0 || ah === null || ah.destroyed || ah.domain !== this.domain) return false;
    i32[wqe + RKEY] = staged.remoteQkey;
    i32[wqe + REMOTE_ADDR_LO] = ah.handle;
    i32[wqe + REMOTE_ADDR_HI] = staged.remoteQpn;
    return true;
  }
}
