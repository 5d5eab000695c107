/** The extended form of posting (`struct ibv_qp_ex`): building work requests field by field, straight in the queue. */
import type { AddressHandle } from './address-handle.ts';
import { AsyncEventTarget } from './async-event-target.ts';
import type { Context } from './context.ts';
import type { SendPath } from './data-path.ts';
import { WrOpcode } from './enums/wr.ts';
import type { VerbsError } from './errors.ts';
import type { VerbsObject } from './lifetime.ts';
import type { SgeLike } from './sge.ts';
import { bigHigh, bigLow } from './words.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND, SEND_WITH_IMM, SEND_WITH_INV, RDMA_READ, LOCAL_INV } = WrOpcode;
const { ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD } = WrOpcode;

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
  wrId = 0.5; // a double in place, never a boxed number
  /** `SendFlags` bits of the next operation. */
  wrFlags = 0;
  /** @internal */
  protected readonly sendPath: SendPath;

  /** @internal */
  constructor(context: Context, handle: number, parents: readonly VerbsObject[], sendPath: SendPath) {
    super(context, 'qp', handle, parents);
    this.wrId = 0;
    this.sendPath = sendPath;
    sendPath.bind(this);
  }

  /** Begins a list of work requests; one that was begun and not completed is given up. */
  wrStart(): void {
    this.sendPath.start();
  }

  /** SEND. */
  wrSend(): void {
    this.sendPath.send(SEND);
  }

  /** SEND with immediate data, an unsigned 32-bit number in host order. */
  wrSendImm(immData: number): void {
    this.sendPath.sendImm(SEND_WITH_IMM, immData);
  }

  /** SEND that invalidates a key of the peer. */
  wrSendInv(invalidateRkey: number): void {
    this.sendPath.sendImm(SEND_WITH_INV, invalidateRkey);
  }

  /** RDMA WRITE. A remote address beyond 2^53 - 1 is set by {@link QueuePairEx.wrSetRemoteAddr}. */
  wrRdmaWrite(rkey: number, remoteAddr: number): void {
    this.sendPath.rdma(RDMA_WRITE, rkey, remoteAddr);
  }

  /** RDMA WRITE with immediate data. */
  wrRdmaWriteImm(rkey: number, remoteAddr: number, immData: number): void {
    this.sendPath.rdmaImm(RDMA_WRITE_WITH_IMM, rkey, remoteAddr, immData);
  }

  /** RDMA READ. */
  wrRdmaRead(rkey: number, remoteAddr: number): void {
    this.sendPath.rdma(RDMA_READ, rkey, remoteAddr);
  }

  /** Atomic compare and swap of 8 bytes. */
  wrAtomicCmpSwp(rkey: number, remoteAddr: number, compare: bigint, swap: bigint): void {
    const path = this.sendPath;
    path.atomic(ATOMIC_CMP_AND_SWP, rkey, remoteAddr, bigLow(compare), bigHigh(compare), bigLow(swap), bigHigh(swap));
  }

  /** Atomic fetch and add of 8 bytes. */
  wrAtomicFetchAdd(rkey: number, remoteAddr: number, add: bigint): void {
    this.sendPath.atomic(ATOMIC_FETCH_AND_ADD, rkey, remoteAddr, bigLow(add), bigHigh(add), 0, 0);
  }

  /** Invalidates a local key. */
  wrLocalInv(invalidateRkey: number): void {
    this.sendPath.sendImm(LOCAL_INV, invalidateRkey);
  }

  /** Sets all 64 bits of the remote address, as two 32-bit words. */
  wrSetRemoteAddr(lo: number, hi: number): void {
    this.sendPath.setRemoteAddr(lo, hi);
  }

  /** UD: sets where the datagram goes. */
  wrSetUdAddr(ah: AddressHandle, remoteQpn: number, remoteQkey: number): void {
    this.sendPath.setDatagram(ah, remoteQpn, remoteQkey);
  }

  /** XRC: sets the peer's SRQ. */
  wrSetXrcSrqn(remoteSrqn: number): void {
    this.sendPath.setXrcSrqn(remoteSrqn);
  }

  /** Sets the local memory, one piece. */
  wrSetSge(lkey: number, addr: number, length: number): void {
    this.sendPath.setSge(lkey, addr, length);
  }

  /** Sets the local memory, several pieces. */
  wrSetSgeList(sgList: readonly SgeLike[]): void {
    this.sendPath.setSgeList(sgList);
  }

  /** Copies the data to send, from any memory. */
  wrSetInlineData(bytes: Uint8Array): void {
    this.sendPath.setInlineData(bytes);
  }

  /** Posts what was built. Throws the first mistake, with `details.badWrIndex`; then nothing is posted. */
  wrComplete(): void {
    const errno = this.sendPath.complete();
    if (errno !== 0) throw this.extendedError(errno);
  }

  /** Gives up what was built. */
  wrAbort(): void {
    this.sendPath.abort();
  }

  /** Explains why {@link QueuePairEx.wrComplete} refused. @internal */
  protected abstract extendedError(errno: number): VerbsError;
}
