/**
 * The responder: what arrives at a QP, message by message.
 *
 * Order of checks as IBTA 9.7.4 and Linux rxe_resp.c have it: PSN, the QP's access flags, resources, length, key and range,
 * then the access itself. An answer is one of {@link Aeth}; {@link Responder.vendorErr} says why it is not an ACK.
 */
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from './async-event.ts';
import { AtomicResponder, type AtomicResponderParts } from './atomic-responder.ts';
import { Qpc, QpcType } from './layout.ts';
import { Access, WC_RECV, WC_RECV_RDMA_WITH_IMM, WC_WITH_IMM, WC_WITH_INV } from './opcode.ts';
import type { MemoryWindows } from './memory-windows.ts';
import type { Request } from './request.ts';
import { ScatterList } from './scatter-list.ts';
import { Aeth } from './syndrome.ts';
import type { WorkQueueReader } from './work-queue-reader.ts';

const { ACCESS_FLAGS } = Qpc;
const { ACK, RNR_NAK, NAK_INVALID_REQUEST, NAK_REMOTE_ACCESS, NAK_REMOTE_OPERATIONAL } = Aeth;
const { REMOTE_WRITE, REMOTE_READ } = Access;

/** What the responder works with. */
export interface ResponderParts extends AtomicResponderParts {
  readonly reader: WorkQueueReader;
  readonly windows: MemoryWindows;
}

export class Responder extends AtomicResponder {
  private readonly reader: WorkQueueReader;
  private readonly windows: MemoryWindows;
  private readonly receive = new ScatterList();
  /** A message of which nothing is here yet but its length. */
  private readonly toCome = new ScatterList();

  constructor(parts: ResponderParts) {
    super(parts);
    this.reader = parts.reader;
    this.windows = parts.windows;
  }

  /** RDMA WRITE. */
  write(p: number, request: Request, list: ScatterList): number {
    if ((this.i32[p + ACCESS_FLAGS] & REMOTE_WRITE) === 0) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.QP_NO_REMOTE_WRITE);
    }
    const { length, count } = list;
    if (length === 0) return ACK; // the key of an empty message isn't checked (IBTA C9-88)
    const answer = this.checkKey(p, request, length, REMOTE_WRITE, VendorErr.RKEY_NO_REMOTE_WRITE);
    if (answer !== ACK) return answer;
    const { tpt, dma } = this;
    const { mpt } = tpt;
    let to = tpt.address;
    for (let n = 0; n < count; n++) {
      dma.move(mpt, to, list.mpt[n], list.address[n], list.bytes[n]);
      to = (to + list.bytes[n]) | 0;
    }
    return ACK;
  }

  /** Whether `p` takes an RDMA WRITE of `length` bytes; asked of the whole message at its first packet. */
  checkWrite(p: number, request: Request, length: number): number {
    this.toCome.length = length;
    return this.write(p, request, this.toCome);
  }

  /** Completes the receive WQE that {@link Responder.checkReceive} found, with the immediate data of a write that was carried out. */
  writeImm(p: number, length: number, imm: number, solicited: boolean): number {
    return this.completer.prepareRecv(p, WC_RECV_RDMA_WITH_IMM, 0, 0, length, imm, WC_WITH_IMM, solicited)
      ? ACK
      : this.refuse(NAK_REMOTE_OPERATIONAL, VendorErr.CQ_OVERRUN);
  }

  /** Whether a message with immediate data finds a receive WQE; asked before its payload is moved. */
  checkReceive(p: number): number {
    const failed = this.queue.find(p);
    return failed === 0 ? ACK : this.noReceive(p, failed);
  }

  /** SEND: scatters the message over the receive WQE at the head of the queue. */
  send(p: number, list: ScatterList, imm: number, wcFlags: number, solicited: boolean): number {
    let failed = this.queue.find(p);
    if (failed !== 0) return this.noReceive(p, failed);
    failed = this.reader.recvSges(p, this.queue, list.length, this.receive);
    if (failed !== 0) return this.badReceive(p, failed);
    if (list.count === 1 && this.receive.count === 1) {
      this.dma.move(this.receive.mpt[0], this.receive.address[0], list.mpt[0], list.address[0], list.length);
    } else if (list.length !== 0) this.dma.transfer(this.receive, list);
    return this.completer.prepareRecv(p, WC_RECV, 0, 0, list.length, imm, wcFlags, solicited)
      ? ACK
      : this.refuse(NAK_REMOTE_OPERATIONAL, VendorErr.CQ_OVERRUN);
  }

  /**
   * A packet of a SEND: scatters what stands `offset` bytes into the message over the receive WQE, which is the message's until
   * {@link Responder.completeSend}.
   */
  sendPart(p: number, list: ScatterList, offset: number): number {
    let failed = this.queue.find(p);
    if (failed !== 0) return this.noReceive(p, failed);
    failed = this.reader.recvSges(p, this.queue, offset + list.length, this.receive);
    if (failed !== 0) return this.badReceive(p, failed);
    this.queue.hold(p);
    if (list.length === 0) return ACK;
    this.receive.skip(offset);
    this.dma.transfer(this.receive, list);
    return ACK;
  }

  /** The last packet of a SEND has been scattered. */
  completeSend(p: number, length: number, imm: number, wcFlags: number, solicited: boolean): number {
    this.queue.find(p); // it may have become the one that is held
    return this.completer.prepareRecv(p, WC_RECV, 0, 0, length, imm, wcFlags, solicited)
      ? ACK
      : this.refuse(NAK_REMOTE_OPERATIONAL, VendorErr.CQ_OVERRUN);
  }

  /** Where an RDMA READ of `length` bytes reads: checked, and left in `list`. */
  readSource(p: number, request: Request, length: number, list: ScatterList): number {
    const i32 = this.i32;
    if ((i32[p + ACCESS_FLAGS] & REMOTE_READ) === 0) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.QP_NO_REMOTE_READ);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    list.setRun(0, length);
    if (length === 0) return ACK;
    const answer = this.checkKey(p, request, length, REMOTE_READ, VendorErr.RKEY_NO_REMOTE_READ);
    list.mpt[0] = this.tpt.mpt;
    list.address[0] = this.tpt.address;
    return answer;
  }

  /**
   * SEND with invalidate: the key is checked before the message is received, and invalidated by the commit that completes the
   * receive, so that whoever polls the completion can rely on it (IBTA 9.4.1.1.3).
   */
  sendInv(p: number, list: ScatterList, rkey: number, solicited: boolean): number {
    const failed = this.queue.find(p);
    if (failed !== 0) return this.noReceive(p, failed);
    let answer = this.checkInvalidate(p, rkey);
    if (answer === ACK) answer = this.send(p, list, rkey, WC_WITH_INV, solicited);
    if (answer === ACK) this.invalidate();
    return answer;
  }

  /** Whether the peer of `p` may invalidate a key. */
  checkInvalidate(p: number, rkey: number): number {
    const failed = this.windows.checkInvalidate(p, rkey);
    return failed === 0 ? ACK : this.refuseAt(NAK_REMOTE_ACCESS, failed, rkey, 0, 0);
  }

  /** The next commit invalidates the key that was checked. */
  invalidate(): void {
    this.windows.invalidate();
  }

  /** RDMA READ: the responder's memory to the requester's list. */
  read(p: number, request: Request, list: ScatterList): number {
    const i32 = this.i32;
    if ((i32[p + ACCESS_FLAGS] & REMOTE_READ) === 0) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.QP_NO_REMOTE_READ);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    if (list.length === 0) return ACK;
    const answer = this.checkKey(p, request, list.length, REMOTE_READ, VendorErr.RKEY_NO_REMOTE_READ);
    if (answer !== ACK) return answer;
    const mpt = this.tpt.mpt;
    let from = this.tpt.address;
    for (let n = 0; n < list.count; n++) {
      this.dma.move(list.mpt[n], list.address[n], mpt, from, list.bytes[n]);
      from = (from + list.bytes[n]) | 0;
    }
    return ACK;
  }

  /** What {@link ReceiveQueue.find} answered but 0. */
  private noReceive(p: number, failed: number): number {
    if (failed === VendorErr.RNR) return this.refuse(RNR_NAK, VendorErr.RNR);
    if (failed === VendorErr.SRQ_ERR) {
      // IBTA 11.6.3.2: no WQE can be taken any more, and no completion here can tell of it.
      this.completer.enterError(p, AsyncEvent.QP_FATAL);
      return this.refuse(NAK_REMOTE_OPERATIONAL, VendorErr.SRQ_ERR);
    }
    return this.badReceive(p, this.reader.fault(failed, 0));
  }

  /** IBTA 9.7.4.1.2 and table 61: a receive WQE that can't hold the message, or can't be used at all. */
  private badReceive(p: number, failed: number): number {
    const completer = this.completer;
    const reader = this.reader;
    completer.faultKey = reader.faultKey;
    completer.faultAddrLo = reader.faultAddrLo;
    completer.faultAddrHi = reader.faultAddrHi;
    const tooSmall = failed === VendorErr.RECV_TOO_SMALL;
    // Class D of an unreliable QP: the message is dropped, and the receive waits for the next (source: Linux rxe_resp.c).
    if (tooSmall && this.isUnreliable(p)) return this.refuse(NAK_INVALID_REQUEST, failed);
    let syndrome: number = CqeSyndrome.LOCAL_PROT_ERR;
    if (tooSmall) syndrome = CqeSyndrome.LOCAL_LENGTH_ERR;
    else if (failed === VendorErr.BAD_RECV_WQE) syndrome = CqeSyndrome.LOCAL_QP_OP_ERR;
    completer.enterError(p, -1);
    completer.prepareRecv(p, WC_RECV, syndrome, failed, 0, 0, 0, false);
    completer.commitRecv();
    this.receiveFailed = true;
    if (!tooSmall) return this.refuse(NAK_REMOTE_OPERATIONAL, VendorErr.REMOTE_OPERATION);
    return this.refuseAt(NAK_INVALID_REQUEST, VendorErr.RECV_TOO_SMALL, 0, reader.faultAddrLo, 0);
  }

  private isUnreliable(p: number): boolean {
    const type = this.i32[p + Qpc.TYPE];
    return type === QpcType.UC || type === QpcType.UD;
  }
}
