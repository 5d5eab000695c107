/** The extended form of posting (`struct ibv_qp_ex`): building work requests field by field. */
import type { AddressHandle } from './address-handle.ts';
import { AsyncEventTarget } from './async-event-target.ts';
import type { Context } from './context.ts';
import type { SendPath } from './data-path.ts';
import { WrOpcode } from './enums/wr.ts';
import { Errno, type VerbsError } from './errors.ts';
import { refuseLeftOut } from './left-out.ts';
import type { VerbsObject } from './lifetime.ts';
import type { SgeLike } from './sge.ts';
import { StagedData, StagedSend } from './staged-send.ts';
import { bigHigh, bigLow, DOUBLE } from './words.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND, SEND_WITH_IMM, SEND_WITH_INV, RDMA_READ, LOCAL_INV } = WrOpcode;
const { ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD } = WrOpcode;
const { NONE, SGE, SGE_LIST, INLINE } = StagedData;
const { EINVAL } = Errno;
const TWO_32 = 4294967296;
const NO_OPERATION = -1;

/**
 * The extended form of posting. `wrStart`; set {@link QueuePairEx.wrId} and {@link QueuePairEx.wrFlags}, call an operation and
 * its setters, as often as there are work requests; `wrComplete` posts them all with one doorbell, `wrAbort` none.
 *
 * A mistake on the way (a setter before an operation, an operation that the QP can't do, a full queue) is remembered, and
 * `wrComplete` throws it; then nothing is posted. Source: `ibv_wr_post`(3).
 *
 * @example
 * ```ts
 * import { SendFlags, type MemoryRegion, type QueuePair } from '@openverbs/verbs';
 *
 * function writeTwice(qp: QueuePair, mr: MemoryRegion, rkey: number, remoteAddr: number): void {
 *   qp.wrStart();
 *   qp.wrId = 1;
 *   qp.wrFlags = 0;
 *   qp.wrRdmaWrite(rkey, remoteAddr);
 *   qp.wrSetSge(mr.lkey, mr.addr, 64);
 *   qp.wrId = 2;
 *   qp.wrFlags = SendFlags.SIGNALED;
 *   qp.wrRdmaWrite(rkey, remoteAddr + 64);
 *   qp.wrSetSge(mr.lkey, mr.addr, 64);
 *   qp.wrComplete();
 * }
 * ```
 */
export abstract class QueuePairEx extends AsyncEventTarget {
  /** `wrId` of the next operation, a safe integer. */
  wrId = DOUBLE;
  /** `SendFlags` bits of the next operation. */
  wrFlags = 0;
  /** @internal */
  protected readonly sendPath: SendPath;
  /** Whether `wrStart` was called, and neither `wrComplete` nor `wrAbort`. @internal */
  protected building = false;
  /** The operation that was called last, until it is appended. */
  private readonly staged = new StagedSend();
  /** The first mistake since `wrStart`. */
  private mistake: VerbsError | null = null;

  /** @internal */
  constructor(context: Context, handle: number, parents: readonly VerbsObject[], sendPath: SendPath) {
    super(context, 'qp', handle, parents);
    this.wrId = 0;
    this.sendPath = sendPath;
  }

  /** Begins a list of work requests; one that was begun and not completed is given up. */
  wrStart(): void {
    const { staged } = this;
    staged.index = 0;
    staged.opcode = NO_OPERATION;
    this.mistake = null;
    this.building = true;
  }

  /** SEND. */
  wrSend(): void {
    this.openSend(SEND);
  }

  /** SEND with immediate data, an unsigned 32-bit number in host order. */
  wrSendImm(immData: number): void {
    this.openSend(SEND_WITH_IMM).imm = immData;
  }

  /** SEND that invalidates a key of the peer. */
  wrSendInv(invalidateRkey: number): void {
    this.openSend(SEND_WITH_INV).imm = invalidateRkey;
  }

  /** RDMA WRITE. A remote address beyond 2^53 - 1 is set by {@link QueuePairEx.wrSetRemoteAddr}. */
  wrRdmaWrite(rkey: number, remoteAddr: number): void {
    this.openRdma(RDMA_WRITE, rkey, remoteAddr);
  }

  /** RDMA WRITE with immediate data. */
  wrRdmaWriteImm(rkey: number, remoteAddr: number, immData: number): void {
    this.openRdma(RDMA_WRITE_WITH_IMM, rkey, remoteAddr).imm = immData;
  }

  /** RDMA READ. */
  wrRdmaRead(rkey: number, remoteAddr: number): void {
    this.openRdma(RDMA_READ, rkey, remoteAddr);
  }

  /** Atomic compare and swap of 8 bytes. */
  wrAtomicCmpSwp(rkey: number, remoteAddr: number, compare: bigint, swap: bigint): void {
    const staged = this.openRdma(ATOMIC_CMP_AND_SWP, rkey, remoteAddr);
    staged.compareAddLo = bigLow(compare);
    staged.compareAddHi = bigHigh(compare);
    staged.swapLo = bigLow(swap);
    staged.swapHi = bigHigh(swap);
  }

  /** Atomic fetch and add of 8 bytes. */
  wrAtomicFetchAdd(rkey: number, remoteAddr: number, add: bigint): void {
    const staged = this.openRdma(ATOMIC_FETCH_AND_ADD, rkey, remoteAddr);
    staged.compareAddLo = bigLow(add);
    staged.compareAddHi = bigHigh(add);
    staged.swapLo = staged.swapHi = 0;
  }

  /** Invalidates a local key. */
  wrLocalInv(invalidateRkey: number): void {
    this.openSend(LOCAL_INV).imm = invalidateRkey;
  }

  /** Left out: throws EOPNOTSUPP. */
  wrSendTso(): never {
    refuseLeftOut('ibv_wr_send_tso');
  }

  /** Sets all 64 bits of the remote address, as two 32-bit words. */
  wrSetRemoteAddr(lo: number, hi: number): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.refuse(EINVAL);
    staged.remoteAddrLo = lo | 0;
    staged.remoteAddrHi = hi | 0;
  }

  /** UD: sets where the datagram goes. */
  wrSetUdAddr(ah: AddressHandle, remoteQpn: number, remoteQkey: number): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.refuse(EINVAL);
    staged.ah = ah;
    staged.remoteQpn = remoteQpn;
    staged.remoteQkey = remoteQkey;
  }

  /** XRC: sets the peer's SRQ. */
  wrSetXrcSrqn(remoteSrqn: number): void {
    if (this.staged.opcode < 0) return this.refuse(EINVAL);
    this.staged.remoteSrqn = remoteSrqn;
  }

  /** Sets the local memory, one piece. */
  wrSetSge(lkey: number, addr: number, length: number): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.refuse(EINVAL);
    staged.data = SGE;
    staged.lkey = lkey;
    staged.addr = addr;
    staged.length = length;
  }

  /** Sets the local memory, several pieces. They are copied. */
  wrSetSgeList(sgList: readonly SgeLike[]): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.refuse(EINVAL);
    staged.data = NONE; // if reading the list throws, none of it counts
    const errno = this.sendPath.setSgeList(staged, sgList);
    staged.data = SGE_LIST;
    staged.count = sgList.length;
    if (errno !== 0) this.refuse(errno);
  }

  /** Copies the data to send, from any memory. */
  wrSetInlineData(bytes: Uint8Array): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.refuse(EINVAL);
    staged.data = NONE;
    const errno = this.sendPath.setInlineData(staged, bytes);
    staged.data = INLINE;
    staged.count = bytes.length;
    if (errno !== 0) this.refuse(errno);
  }

  /** Posts what was built. Throws the first mistake, with `details.badWrIndex`; then nothing is posted. */
  wrComplete(): void {
    const { staged } = this;
    if (!this.building) throw this.extendedError(EINVAL, 0, null);
    this.building = false;
    if (this.mistake !== null) throw this.mistake;
    if (staged.opcode < 0) return; // an empty list
    const errno = this.sendPath.complete(staged);
    if (errno !== 0) throw this.extendedError(errno, this.sendPath.badWrIndex, staged);
    staged.opcode = NO_OPERATION;
  }

  /** Gives up what was built. */
  wrAbort(): void {
    this.building = false;
    this.staged.opcode = NO_OPERATION;
  }

  /** Explains a mistake. `staged` is the work request, null where there is none. @internal */
  protected abstract extendedError(errno: number, badWrIndex: number, staged: StagedSend | null): VerbsError;

  /** Appends the operation before, and notes the next one. */
  private open(opcode: number): StagedSend {
    const { staged } = this;
    if (staged.opcode >= 0) this.append(staged);
    staged.opcode = opcode;
    staged.flags = this.wrFlags;
    staged.wrId = this.wrId;
    staged.ah = null;
    staged.data = NONE;
    return staged;
  }

  /** An operation without a remote address. */
  private openSend(opcode: number): StagedSend {
    const staged = this.open(opcode);
    staged.rkey = 0;
    staged.remoteAddrLo = 0;
    staged.remoteAddrHi = 0;
    return staged;
  }

  private openRdma(opcode: number, rkey: number, remoteAddr: number): StagedSend {
    const staged = this.open(opcode);
    staged.rkey = rkey;
    staged.remoteAddrLo = remoteAddr | 0;
    staged.remoteAddrHi = (remoteAddr / TWO_32) | 0;
    return staged;
  }

  private append(staged: StagedSend): void {
    const errno = this.sendPath.append(staged);
    if (errno !== 0) this.refuse(errno);
    staged.index++;
  }

  /** Remembers the first mistake. Outside of `wrStart` and `wrComplete` there is nothing to remember it for: `wrComplete` will say so. */
  private refuse(errno: number): void {
    if (!this.building || this.mistake !== null) return;
    const { staged } = this;
    this.mistake = this.extendedError(errno, staged.index, staged.opcode < 0 ? null : staged);
  }
}
