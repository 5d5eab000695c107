/** The extended form of posting (`struct ibv_qp_ex`): building work requests field by field. */
import { AddressHandle } from './address-handle.ts';
import { checkInstance } from './check.ts';
import { WrOpcode } from './enums/wr.ts';
import { refuseLeftOut } from './left-out.ts';
import { checkBind, type MemoryWindow, type MwBindInfo } from './memory-window.ts';
import { isFlush } from './rings/is-flush.ts';
import { ATOMIC_WRITE_BYTES, FLUSH_LEVEL_SHIFT } from './rings/layout.ts';
import {
  addressFault,
  atomicWriteFault,
  bigintsFault,
  bindFault,
  flushFault,
  inlineFault,
  inlineListFault,
  operationFault,
  sgListFault,
  stagedFacts,
  wordsFault,
} from './send-facts.ts';
import { NOWHERE, SendList } from './send-list.ts';
import { checkInlineData } from './send-wr.ts';
import { checkSgList, type SgeLike } from './sge.ts';
import { StagedAddress, StagedData, type StagedSend } from './staged-send.ts';
import { bigHigh, bigLow } from './words.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND, SEND_WITH_IMM, SEND_WITH_INV, RDMA_READ, LOCAL_INV } = WrOpcode;
const { ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD, BIND_MW, FLUSH, ATOMIC_WRITE } = WrOpcode;
const WORD64_BYTES = ATOMIC_WRITE_BYTES;
const LEVEL_SHIFT = FLUSH_LEVEL_SHIFT;
const { SGE, SGE_LIST, INLINE } = StagedData;
const { UD, XRC } = StagedAddress;
const TWO_32 = 4294967296;

/**
 * The extended form of posting. `wrStart`; set {@link SendList.wrId} and {@link SendList.wrFlags}, call an operation and
 * its setters, as often as there are work requests; `wrComplete` posts them all with one doorbell, `wrAbort` none.
 *
 * A mistake on the way (a setter before an operation, an operand that is none, an operation that the QP can't do, a full queue)
 * is remembered, what comes after it does not count, and `wrComplete` throws it; then nothing is posted. Source: `ibv_wr_post`(3).
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
export abstract class QueuePairEx extends SendList {
  /** SEND. */
  wrSend(): void {
    this.openSend(SEND);
  }

  /** SEND with immediate data, an unsigned 32-bit number in host order. */
  wrSendImm(immData: number): void {
    this.setImm(this.openSend(SEND_WITH_IMM), 'immData', immData);
  }

  /** SEND that invalidates a key of the peer. */
  wrSendInv(invalidateRkey: number): void {
    this.setImm(this.openSend(SEND_WITH_INV), 'invalidateRkey', invalidateRkey);
  }

  /** RDMA WRITE. A remote address beyond 2^53 - 1 is set by {@link QueuePairEx.wrSetRemoteAddr}. */
  wrRdmaWrite(rkey: number, remoteAddr: number): void {
    try {
      this.open(RDMA_WRITE, rkey | 0, remoteAddr | 0, (remoteAddr / TWO_32) | 0);
    } catch {
      this.refuseOperation(rkey, remoteAddr);
    }
  }

  /** RDMA WRITE with immediate data. */
  wrRdmaWriteImm(rkey: number, remoteAddr: number, immData: number): void {
    this.setImm(this.openRdma(RDMA_WRITE_WITH_IMM, rkey, remoteAddr), 'immData', immData);
  }

  /** RDMA READ. */
  wrRdmaRead(rkey: number, remoteAddr: number): void {
    try {
      this.open(RDMA_READ, rkey | 0, remoteAddr | 0, (remoteAddr / TWO_32) | 0);
    } catch {
      this.refuseOperation(rkey, remoteAddr);
    }
  }

  /** Atomic compare and swap of 8 bytes. */
  wrAtomicCmpSwp(rkey: number, remoteAddr: number, compare: bigint, swap: bigint): void {
    this.setOperands(this.openRdma(ATOMIC_CMP_AND_SWP, rkey, remoteAddr), compare, swap);
  }

  /** Atomic fetch and add of 8 bytes. */
  wrAtomicFetchAdd(rkey: number, remoteAddr: number, add: bigint): void {
    this.setOperands(this.openRdma(ATOMIC_FETCH_AND_ADD, rkey, remoteAddr), add, 0n);
  }

  /**
   * ATOMIC_WRITE: 8 bytes, which are copied, to a remote address that is a multiple of 8; nobody sees a part of them. Takes no setter.
   * Source: `ibv_wr_post`(3).
   *
   * @example
   * ```ts
   * import { SendFlags, type QueuePair } from '@openverbs/verbs';
   *
   * function publish(qp: QueuePair, rkey: number, remoteAddr: number, count: bigint): void {
   *   qp.wrStart();
   *   qp.wrFlags = SendFlags.SIGNALED;
   *   qp.wrAtomicWrite(rkey, remoteAddr, new Uint8Array(BigUint64Array.of(count).buffer));
   *   qp.wrComplete();
   * }
   * ```
   */
  wrAtomicWrite(rkey: number, remoteAddr: number, bytes: Uint8Array): void {
    const staged = this.openRdma(ATOMIC_WRITE, rkey, remoteAddr);
    if (!(bytes instanceof Uint8Array) || bytes.length !== WORD64_BYTES) {
      return this.refuseOperand(atomicWriteFault(bytes));
    }
    staged.compareAddLo = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
    staged.compareAddHi = bytes[4] | (bytes[5] << 8) | (bytes[6] << 16) | (bytes[7] << 24);
  }

  /**
   * FLUSH: completes when what this QP wrote before to the range, or with `SelectivityLevel.MR` to all of the region, is where `type`
   * (`PlacementType` bits) says. `length` is an unsigned 32-bit number. Takes no setter. Source: `ibv_wr_post`(3).
   */
  wrFlush(rkey: number, remoteAddr: number, length: number, type: number, level: number): void {
    const staged = this.openRdma(FLUSH, rkey, remoteAddr);
    if (length >>> 0 !== length || !isFlush(type, level)) return this.refuseOperand(flushFault(length, type, level));
    staged.imm = type | (level << LEVEL_SHIFT);
    staged.length = length | 0;
  }

  /** Invalidates a local key. */
  wrLocalInv(invalidateRkey: number): void {
    this.setImm(this.openSend(LOCAL_INV), 'invalidateRkey', invalidateRkey);
  }

  /** Binds a memory window of type 2, which it can't be bound already; `rkey` is its new key. */
  wrBindMw(mw: MemoryWindow, rkey: number, bindInfo: MwBindInfo): void {
    const staged = this.openSend(BIND_MW);
    try {
      staged.bind = checkBind('', mw, rkey, bindInfo);
    } catch {
      this.refuseOperand(bindFault(mw, rkey, bindInfo));
    }
  }

  /** Left out: throws EOPNOTSUPP. */
  wrSendTso(): never {
    refuseLeftOut('ibv_wr_send_tso');
  }

  /** Sets all 64 bits of the remote address, as two 32-bit words. */
  wrSetRemoteAddr(lo: number, hi: number): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.misplaced();
    try {
      staged.remoteAddrLo = lo | 0;
      staged.remoteAddrHi = hi | 0;
    } catch {
      this.refuseOperand(wordsFault({ lo, hi }));
    }
  }

  /** UD: sets where the datagram goes. */
  wrSetUdAddr(ah: AddressHandle, remoteQpn: number, remoteQkey: number): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.misplaced();
    try {
      checkInstance('', 'ah', ah, AddressHandle);
      staged.remoteQpn = remoteQpn | 0;
      staged.remoteQkey = remoteQkey | 0;
      staged.ah = ah;
      staged.addressed |= UD;
    } catch {
      this.refuseOperand(addressFault(ah, remoteQpn, remoteQkey));
    }
  }

  /** XRC: sets the peer's SRQ. */
  wrSetXrcSrqn(remoteSrqn: number): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.misplaced();
    try {
      staged.remoteSrqn = remoteSrqn | 0;
      staged.addressed |= XRC;
    } catch {
      this.refuseOperand(wordsFault({ remoteSrqn }));
    }
  }

  /** Sets the local memory, one piece. */
  wrSetSge(lkey: number, addr: number, length: number): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.misplaced();
    try {
      staged.lkey = lkey | 0;
      staged.addrLo = addr | 0;
      staged.addrHi = (addr / TWO_32) | 0;
      staged.length = length | 0;
      staged.data = SGE;
    } catch {
      this.refuseSge(lkey, addr, length);
    }
  }

  /** Sets the local memory, several pieces. They are copied. */
  wrSetSgeList(sgList: readonly SgeLike[]): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.misplaced();
    try {
      checkSgList('', sgList);
      const errno = this.sendPath.setSgeList(staged, sgList);
      if (errno !== 0) return this.refuse(errno, stagedFacts(staged, { sgeCount: sgList.length }));
      staged.count = sgList.length;
      staged.data = SGE_LIST;
    } catch {
      this.refuseOperand(sgListFault(sgList));
    }
  }

  /** Copies the data to send, from any memory. */
  wrSetInlineData(bytes: Uint8Array): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.misplaced();
    try {
      checkInlineData('', bytes);
      const errno = this.sendPath.setInlineData(staged, bytes);
      if (errno !== 0) return this.refuse(errno, stagedFacts(staged, { inlineBytes: bytes.length }));
      staged.count = bytes.length;
      staged.data = INLINE;
    } catch {
      this.refuseOperand(inlineFault(bytes));
    }
  }

  /** Copies the data to send, in pieces that follow each other, from any memory. */
  wrSetInlineDataList(pieces: readonly Uint8Array[]): void {
    if (this.staged.opcode < 0) return this.misplaced();
    const reason = inlineListFault(pieces);
    if (reason !== null) return this.refuseOperand(reason);
    gather(pieces);
    this.wrSetInlineData(gathered);
  }

  private openRdma(opcode: number, rkey: number, remoteAddr: number): StagedSend {
    try {
      return this.open(opcode, rkey | 0, remoteAddr | 0, (remoteAddr / TWO_32) | 0);
    } catch {
      return this.refuseOperation(rkey, remoteAddr);
    }
  }

  /** An operation without a remote address. */
  private openSend(opcode: number): StagedSend {
    return this.openRdma(opcode, 0, 0);
  }

  private setImm(staged: StagedSend, name: string, imm: number): void {
    try {
      staged.imm = imm | 0;
    } catch {
      this.refuseOperand(wordsFault({ [name]: imm }));
    }
  }

  private setOperands(staged: StagedSend, compareAdd: bigint, swap: bigint): void {
    try {
      staged.compareAddLo = bigLow(compareAdd);
      staged.compareAddHi = bigHigh(compareAdd);
      staged.swapLo = bigLow(swap);
      staged.swapHi = bigHigh(swap);
    } catch {
      this.refuseOperand(bigintsFault({ compareAdd, swap }));
    }
  }

  // Apart, for the setters to be short: V8 inlines them into the program, and boxes the addresses where it does not.
  private refuseSge(lkey: number, addr: number, length: number): void {
    this.refuseOperand(sgListFault([{ lkey, addr, length }]));
  }

  private refuseOperation(rkey: number, remoteAddr: number): StagedSend {
    if (this.staged.opcode >= 0 && !this.append(this.staged)) return NOWHERE; // the one before is refused first
    this.refuseOperand(operationFault(this.wrId, this.wrFlags, rkey, remoteAddr));
    return NOWHERE;
  }
}

/** The pieces of the last list, one behind the other. Kept, so that lists of one size allocate once; it is copied at once. */
let gathered = new Uint8Array(0);

function gather(pieces: readonly Uint8Array[]): void {
  let length = 0;
  for (let i = 0; i < pieces.length; i++) length += pieces[i].length;
  if (gathered.length !== length) gathered = new Uint8Array(length);
  for (let i = 0, at = 0; i < pieces.length; at += pieces[i].length, i++) gathered.set(pieces[i], at);
}
