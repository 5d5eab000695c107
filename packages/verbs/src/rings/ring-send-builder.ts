/** The extended form of posting, straight into the ring. Hot: nothing here allocates. */
import type { SendPath } from '../data-path.ts';
import { SendFlags } from '../enums/wr.ts';
import { Errno } from '../errors.ts';
import type { SgeLike } from '../sge.ts';
import { StagedData, type StagedSend } from '../staged-send.ts';
import { SendWqe, SGE_WORDS, SgeWords } from './layout.ts';
import { ATOMICS, CONNECTED, INLINE_OPS, RingSendQueue, SPECIAL, XRC } from './ring-send-queue.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { OPCODE, FLAGS, IMM, INLINE_LENGTH, RKEY, REMOTE_ADDR_LO, REMOTE_ADDR_HI, REMOTE_SRQN, SGE } = SendWqe;
const { COMPARE_ADD_LO, COMPARE_ADD_HI, SWAP_LO, SWAP_HI } = SendWqe;
const { ADDR_LO, ADDR_HI, LENGTH, LKEY } = SgeWords;
const { INLINE } = SendFlags;
const { NONE, SGE: ONE_SGE, INLINE: INLINE_DATA } = StagedData;
const { EINVAL, ENOMEM } = Errno;
const SPECIAL_OPS = SPECIAL;
const ATOMIC_OPS = ATOMICS;
const OPS_WITH_INLINE = INLINE_OPS;
const IS_CONNECTED = CONNECTED;
const IS_XRC = XRC;
const WORDS_PER_SGE = SGE_WORDS;
const TWO_32 = 4294967296;
const SGE_COUNT_SHIFT = 8;
/** INLINE is not for the caller to set: inline data does. */
const FLAGS_OF_OWNER = 0xff & ~INLINE;

/**
 * The send queue of a QP with the extended form.
 *
 * The work requests of a list go to WQEs that are not published yet, each to its place behind the head, so `complete` has nothing to
 * copy, and giving up leaves nothing to undo.
 */
export class RingSendBuilder extends RingSendQueue implements SendPath {
  /** Writes a work request to its place. */
  append(staged: StagedSend): number {
    const { i32, slots } = this;
    const index = (this.head + staged.index) | 0;
    if (((index - slots.tail) | 0) >= this.limit) return this.limit === 0 ? EINVAL : ENOMEM;
    const { opcode, data } = staged;
    if (((this.opcodes >>> opcode) & 1) === 0) return EINVAL;
    const slot = index & this.mask;
    const wqe = this.base + (slot << this.strideShift);
    const flags = (staged.flags & FLAGS_OF_OWNER) | this.signalAll;
    if (data === ONE_SGE) {
      if (this.maxSge === 0) return EINVAL;
      const { addr } = staged;
      i32[wqe + FLAGS] = flags | (1 << SGE_COUNT_SHIFT);
      i32[wqe + SGE + ADDR_LO] = addr | 0;
      i32[wqe + SGE + ADDR_HI] = addr / TWO_32;
      i32[wqe + SGE + LENGTH] = staged.length | 0;
      i32[wqe + SGE + LKEY] = staged.lkey | 0;
    } else this.describeData(wqe, flags, staged);
    i32[wqe + OPCODE] = opcode;
    if (((SPECIAL_OPS >>> opcode) & 1) !== 0 && !this.appendSpecial(wqe, staged)) return EINVAL;
    if (this.addressing === IS_CONNECTED) {
      i32[wqe + RKEY] = staged.rkey | 0;
      i32[wqe + REMOTE_ADDR_LO] = staged.remoteAddrLo;
      i32[wqe + REMOTE_ADDR_HI] = staged.remoteAddrHi;
    } else if (!this.appendAddress(wqe, staged)) return EINVAL;
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
    if (((ATOMIC_OPS >>> staged.opcode) & 1) === 0) {
      i32[wqe + IMM] = staged.imm | 0;
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

  /** Where a datagram or an XRC message goes. */
  private appendAddress(wqe: number, staged: StagedSend): boolean {
    const { i32 } = this;
    if (this.addressing === IS_XRC) {
      i32[wqe + RKEY] = staged.rkey | 0;
      i32[wqe + REMOTE_ADDR_LO] = staged.remoteAddrLo;
      i32[wqe + REMOTE_ADDR_HI] = staged.remoteAddrHi;
      i32[wqe + REMOTE_SRQN] = staged.remoteSrqn;
      return true;
    }
    const { ah } = staged;
    if (ah?.destroyed !== false) return false;
    i32[wqe + RKEY] = staged.remoteQkey | 0;
    i32[wqe + REMOTE_ADDR_LO] = ah.handle;
    i32[wqe + REMOTE_ADDR_HI] = staged.remoteQpn;
    return true;
  }
}
