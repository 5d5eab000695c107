/** The extended form of posting, straight into the ring. Hot: nothing here allocates. */
import type { AddressHandle } from '../address-handle.ts';
import type { SendPath, WrDefaults } from '../data-path.ts';
import { SendFlags, WrOpcode } from '../enums/wr.ts';
import { Errno } from '../errors.ts';
import type { SgeLike } from '../sge.ts';
import { SendWqe, SGE_WORDS, SgeWords } from './layout.ts';
import { DATAGRAM, INLINE_OPS, RingSendQueue } from './ring-send-queue.ts';
import type { QpRings } from './rings.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { OPCODE, FLAGS, IMM, INLINE_LENGTH, RKEY, REMOTE_ADDR_LO, REMOTE_ADDR_HI, REMOTE_SRQN, SGE } = SendWqe;
const { COMPARE_ADD_LO, COMPARE_ADD_HI, SWAP_LO, SWAP_HI } = SendWqe;
const { ADDR_LO, ADDR_HI, LENGTH, LKEY } = SgeWords;
const { INLINE } = SendFlags;
const { EINVAL, ENOMEM } = Errno;
const { ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD } = WrOpcode;
const WORDS_PER_SGE = SGE_WORDS;
const TWO_32 = 4294967296;
const SGE_COUNT_SHIFT = 8;
const ONE_SGE = 1 << SGE_COUNT_SHIFT;
const FLAG_BITS = 0xff;
/** INLINE is not for the caller to set: `setInlineData` does, with the length. */
const FLAGS_OF_OWNER = FLAG_BITS & ~INLINE;

const NO_DEFAULTS: WrDefaults = { wrId: 0, wrFlags: 0 };

/**
 * The send queue of a QP with the extended form: `wrStart`, operations and setters, `wrComplete` or `wrAbort`.
 *
 * It writes into WQEs that are not published yet, so `wrComplete` has nothing to copy, and giving up costs nothing. The first
 * mistake is remembered, later calls do nothing, and `wrComplete` reports it, as `ibv_wr_complete` does.
 */
export class RingSendBuilder extends RingSendQueue implements SendPath {
  /** Who says what `wrId` and flags the next operation gets. Read from there: as arguments, V8 would box numbers. */
  private owner: WrDefaults;
  /** {@link RingSendQueue.limit} while building, else 0. A post while building sees a limit of 0. */
  private buildLimit: number;
  /** Index of the WQE after the last one built. */
  private cursor: number;
  /** Word index of the WQE that setters write to; -1 for none. */
  private current: number;
  /** The first mistake, 0 for none. */
  private failure: number;
  /** Whether {@link RingSendBuilder.complete} has to look closer: at a mistake, an atomic operation, or a datagram. */
  private suspect: boolean;

  constructor(rings: QpRings, qpType: number, sqSigAll: boolean) {
    super(rings, qpType, sqSigAll);
    this.owner = NO_DEFAULTS;
    this.buildLimit = 0;
    this.cursor = 0;
    this.current = -1;
    this.failure = 0;
    this.suspect = this.addressing === DATAGRAM;
  }

  /** Says whose `wrId` and flags operations take. */
  bind(owner: WrDefaults): void {
    this.owner = owner;
  }

  /** Begins. Whatever was begun before and not completed is given up. */
  start(): void {
    if (this.limit === 0) this.abort(); // begun before, or not ready
    this.buildLimit = this.limit;
    this.limit = 0;
    this.cursor = this.head;
  }

  /** SEND, or another operation whose words from RKEY on are 0 until `setDatagram` says otherwise. */
  send(opcode: number): void {
    const wqe = this.open(opcode);
    if (wqe >= 0) this.i32[wqe + RKEY] = this.i32[wqe + REMOTE_ADDR_LO] = this.i32[wqe + REMOTE_ADDR_HI] = 0;
  }

  /** As {@link RingSendBuilder.send}, with immediate data or a key to invalidate. */
  sendImm(opcode: number, imm: number): void {
    const wqe = this.open(opcode);
    if (wqe < 0) return;
    this.i32[wqe + IMM] = imm;
    this.i32[wqe + RKEY] = this.i32[wqe + REMOTE_ADDR_LO] = this.i32[wqe + REMOTE_ADDR_HI] = 0;
  }

  /** An RDMA operation. */
  rdma(opcode: number, rkey: number, remoteAddr: number): void {
    const wqe = this.open(opcode);
    if (wqe < 0) return;
    const { i32 } = this;
    i32[wqe + RKEY] = rkey;
    i32[wqe + REMOTE_ADDR_LO] = remoteAddr | 0;
    i32[wqe + REMOTE_ADDR_HI] = remoteAddr / TWO_32;
  }

  /** An RDMA operation with immediate data. */
  rdmaImm(opcode: number, rkey: number, remoteAddr: number, imm: number): void {
    this.rdma(opcode, rkey, remoteAddr);
    if (this.current >= 0) this.i32[this.current + IMM] = imm;
  }

  /** An atomic operation; the operands as words, so that no bigint comes here. */
  atomic(
    opcode: number,
    rkey: number,
    remoteAddr: number,
    lo: number,
    hi: number,
    swapLo: number,
    swapHi: number,
  ): void {
    this.rdma(opcode, rkey, remoteAddr);
    const wqe = this.current;
    if (wqe < 0) return;
    const { i32 } = this;
    i32[wqe + COMPARE_ADD_LO] = lo;
    i32[wqe + COMPARE_ADD_HI] = hi;
    i32[wqe + SWAP_LO] = swapLo;
    i32[wqe + SWAP_HI] = swapHi;
    this.suspect = true;
  }

  /** Sets the remote address, all 64 bits. */
  setRemoteAddr(lo: number, hi: number): void {
    const wqe = this.current;
    if (wqe < 0) return this.refuse(EINVAL);
    this.i32[wqe + REMOTE_ADDR_LO] = lo;
    this.i32[wqe + REMOTE_ADDR_HI] = hi;
  }

  /** Sets where a datagram goes. */
  setDatagram(ah: AddressHandle, remoteQpn: number, remoteQkey: number): void {
    const wqe = this.current;
    if (wqe < 0 || ah.destroyed) return this.refuse(EINVAL);
    this.i32[wqe + RKEY] = remoteQkey;
    this.i32[wqe + REMOTE_ADDR_LO] = ah.handle;
    this.i32[wqe + REMOTE_ADDR_HI] = remoteQpn;
  }

  /** Sets the SRQ of the peer. */
  setXrcSrqn(remoteSrqn: number): void {
    if (this.current < 0) return this.refuse(EINVAL);
    this.i32[this.current + REMOTE_SRQN] = remoteSrqn;
  }

  /** Sets the one SGE. */
  setSge(lkey: number, addr: number, length: number): void {
    const wqe = this.current;
    if (wqe < 0 || this.maxSge === 0) return this.refuse(EINVAL);
    const { i32 } = this;
    i32[wqe + FLAGS] = (i32[wqe + FLAGS] & FLAG_BITS) | ONE_SGE;
    i32[wqe + SGE + ADDR_LO] = addr | 0;
    i32[wqe + SGE + ADDR_HI] = addr / TWO_32;
    i32[wqe + SGE + LENGTH] = length;
    i32[wqe + SGE + LKEY] = lkey;
  }

  /** Sets the SGEs. */
  setSgeList(sges: readonly SgeLike[]): void {
    const wqe = this.current;
    const count = sges.length;
    if (wqe < 0 || count > this.maxSge) return this.refuse(EINVAL);
    const { i32 } = this;
    // The second SGE of an atomic operation would take the place of its operands; complete() refuses that.
    for (let i = 0, w = wqe + SGE; i < count; i++, w += WORDS_PER_SGE) {
      const { addr, length, lkey } = sges[i];
      i32[w + ADDR_LO] = addr | 0;
      i32[w + ADDR_HI] = addr / TWO_32;
      i32[w + LENGTH] = length;
      i32[w + LKEY] = lkey;
    }
    // Last: an exception on the way, caught by the program, must not let SGEs count that an earlier lap left here.
    i32[wqe + FLAGS] = (i32[wqe + FLAGS] & FLAG_BITS) | (count << SGE_COUNT_SHIFT);
  }

  /** Copies data into the WQE. */
  setInlineData(bytes: Uint8Array): void {
    const wqe = this.current;
    const length = bytes.length;
    if (wqe < 0 || length > this.maxInlineData) return this.refuse(EINVAL);
    const { i32 } = this;
    if (((INLINE_OPS >>> i32[wqe + OPCODE]) & 1) === 0) return this.refuse(EINVAL);
    this.copyIn(wqe, bytes);
    i32[wqe + FLAGS] = (i32[wqe + FLAGS] & FLAG_BITS) | INLINE;
    i32[wqe + INLINE_LENGTH] = length;
  }

  /** Posts what was built, with one ring of the doorbell; or nothing, and returns the first mistake as an error number. */
  complete(): number {
    const { buildLimit, cursor } = this;
    if (buildLimit === 0 || this.suspect) {
      const errno = this.lookCloser();
      if (errno !== 0) return errno;
    }
    this.limit = buildLimit;
    this.buildLimit = 0;
    this.current = -1;
    if (cursor !== this.head) {
      this.head = cursor;
      this.publish();
    }
    return 0;
  }

  /** Gives up what was built. */
  abort(): void {
    if (this.buildLimit !== 0) this.limit = this.buildLimit;
    this.buildLimit = 0;
    this.current = -1;
    this.failure = 0;
    this.suspect = this.addressing === DATAGRAM;
  }

  /** Whether `start` was called, and neither `complete` nor `abort`. */
  get isBuilding(): boolean {
    return this.buildLimit !== 0;
  }

  override setReady(ready: boolean): void {
    this.abort();
    super.setReady(ready);
  }

  /** Takes the next WQE and fills what all operations have; returns its word index, or -1. */
  private open(opcode: number): number {
    const { i32, cursor, slots, owner } = this;
    if (((cursor - slots.tail) | 0) >= this.buildLimit || ((this.opcodes >>> opcode) & 1) === 0)
      return this.refuseOpen();
    const slot = cursor & this.mask;
    const wqe = this.base + (slot << this.strideShift);
    i32[wqe + OPCODE] = opcode;
    i32[wqe + FLAGS] = (owner.wrFlags & FLAGS_OF_OWNER) | this.signalAll;
    slots.wrIds[slot] = owner.wrId;
    this.cursor = (cursor + 1) | 0;
    this.current = wqe;
    return wqe;
  }

  private refuseOpen(): number {
    const { cursor, slots } = this;
    const full = this.buildLimit !== 0 && ((cursor - slots.tail) | 0) >= this.buildLimit;
    this.current = -1; // the mistake is this operation, not a setter of the one before
    this.refuse(full ? ENOMEM : EINVAL);
    return -1;
  }

  /** Remembers the first mistake. Outside of start and complete there is nothing to remember it for: complete will say so. */
  private refuse(errno: number): void {
    if (this.buildLimit !== 0 && this.failure === 0) {
      this.failure = errno;
      this.suspect = true;
      this.badWrIndex = Math.max(0, ((this.cursor - this.head) | 0) - (this.current < 0 ? 0 : 1));
    }
    this.current = -1;
  }

  /** What is wrong, if anything; then the building is over. */
  private lookCloser(): number {
    const errno = this.buildLimit === 0 ? EINVAL : this.failure; // EINVAL: not begun, or in a state that takes no sends
    if (errno !== 0 || !this.isWellFormed()) {
      this.abort();
      return errno === 0 ? EINVAL : errno;
    }
    this.suspect = this.addressing === DATAGRAM;
    return 0;
  }

  /** Checks what only shows when all setters were called: the SGE of atomics, the address of datagrams. */
  private isWellFormed(): boolean {
    const { i32 } = this;
    for (let index = this.head; index !== this.cursor; index = (index + 1) | 0) {
      const wqe = this.base + ((index & this.mask) << this.strideShift);
      const opcode = i32[wqe + OPCODE];
      const atomic = opcode === ATOMIC_CMP_AND_SWP || opcode === ATOMIC_FETCH_AND_ADD;
      const addressed = this.addressing !== DATAGRAM || i32[wqe + REMOTE_ADDR_LO] !== 0;
      if (addressed && (!atomic || i32[wqe + FLAGS] >>> SGE_COUNT_SHIFT === 1)) continue;
      this.badWrIndex = (index - this.head) | 0;
      return false;
    }
    return true;
  }
}
