/**
 * The responder: what arrives at a QP, message by message.
 *
 * Order of checks as IBTA 9.7.4 and Linux rxe_resp.c have it: PSN, the QP's access flags, resources, length, key and range,
 * then the access itself. An answer is one of {@link Aeth}; {@link Responder.vendorErr} says why it is not an ACK.
 */
import type { Machine } from '@openverbs/machine';
import { comparePsn } from '@openverbs/rocev2';
import { ATOMIC_WRITE_BYTES, CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from './async-event.ts';
import type { Completer } from './completer.ts';
import type { DmaEngine } from './dma-engine.ts';
import { countBadPkey } from './drop-counters.ts';
import type { EventQueues } from './event-queue.ts';
import { Qpc, QpcState, QpcType, Srqc } from './layout.ts';
import {
  Access,
  Opcode,
  Placement,
  Selectivity,
  WC_RECV,
  WC_RECV_RDMA_WITH_IMM,
  WC_WITH_IMM,
  WC_WITH_INV,
} from './opcode.ts';
import type { MemoryWindows } from './memory-windows.ts';
import { isSameService, pkeysMatch } from './pkey.ts';
import type { PathMigration } from './path-migration.ts';
import type { ReceiveQueue } from './receive-queue.ts';
import type { Request } from './request.ts';
import { ScatterList } from './scatter-list.ts';
import { Aeth } from './syndrome.ts';
import type { Tpt } from './tpt.ts';
import type { WorkQueueReader } from './work-queue-reader.ts';

const { STATE, PD, MPT_TABLE, RQ_PSN, SQ_PSN } = Qpc;
const { ACCESS_FLAGS, ROUTE_OUT, ROUTE_IN, DEST_QPN, PATH_MTU, PEER, QPN, SERVICE_PKEY } = Qpc;
const { RTR, RTS, ERR } = QpcState;
const { ACK, RNR_NAK, NAK_INVALID_REQUEST, NAK_REMOTE_ACCESS, NAK_REMOTE_OPERATIONAL, NONE, DUPLICATE } = Aeth;
const { REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC } = Access;
/** From {@link Placement} to the right that it needs. */
const FLUSH_ACCESS_SHIFT = Math.log2(Access.FLUSH_GLOBAL / Placement.GLOBAL);

export class Responder {
  private readonly i32: Int32Array;
  private readonly tpt: Tpt;
  private readonly dma: DmaEngine;
  private readonly reader: WorkQueueReader;
  private readonly completer: Completer;
  private readonly events: EventQueues;
  private readonly queue: ReceiveQueue;
  private readonly windows: MemoryWindows;
  private readonly migration: PathMigration;
  private readonly receive = new ScatterList();
  /** A message of which nothing is here yet but its length. */
  private readonly toCome = new ScatterList();

  /** Whether the last message was refused by the completion of a receive. */
  receiveFailed = false;
  /** Why the last answer was not an ACK, and where the check looked. */
  vendorErr = 0;
  faultKey = 0;
  faultAddrLo = 0;
  faultAddrHi = 0;

  constructor(
    machine: Machine,
    tpt: Tpt,
    dma: DmaEngine,
    reader: WorkQueueReader,
    completer: Completer,
    events: EventQueues,
    queue: ReceiveQueue,
    windows: MemoryWindows,
    migration: PathMigration,
  ) {
    this.migration = migration;
    this.i32 = machine.i32;
    this.tpt = tpt;
    this.dma = dma;
    this.reader = reader;
    this.completer = completer;
    this.events = events;
    this.queue = queue;
    this.windows = windows;
  }

  /**
   * Whether the responder of `q` takes its next message of `packets` packets: ACK, NONE when nobody is there, DUPLICATE, or a
   * NAK. The source is checked as rxe's check_addr does: by address and QPN.
   */
  accept(q: number, packets: number): number {
    const i32 = this.i32;
    const p = i32[q + PEER];
    this.receiveFailed = false;
    // Everything as it mostly is, by one look each; else the same in its order, and why not.
    const ours = i32[q + SERVICE_PKEY];
    return p !== 0 &&
      i32[p + STATE] === RTS &&
      i32[p + QPN] === i32[q + DEST_QPN] &&
      i32[p + ROUTE_IN] === i32[q + ROUTE_OUT] &&
      i32[p + SERVICE_PKEY] === ours &&
      ours < 0 &&
      i32[p + RQ_PSN] === i32[q + SQ_PSN] &&
      (packets === 1 || i32[p + PATH_MTU] === i32[q + PATH_MTU])
      ? ACK
      : this.acceptUnusual(q, p, packets);
  }

  private acceptUnusual(q: number, p: number, packets: number): number {
    const i32 = this.i32;
    if (p === 0 || !this.reaches(q, p)) return this.refuse(NONE, VendorErr.NO_RESPONSE);
    if (!this.isInPartition(q, p)) return NONE;
    if (i32[q + SQ_PSN] !== i32[p + RQ_PSN]) {
      if (comparePsn(i32[q + SQ_PSN], i32[p + RQ_PSN]) > 0) return this.refuse(NONE, VendorErr.PSN_MISMATCH);
      return this.refuse(DUPLICATE, VendorErr.PSN_MISMATCH);
    }
    if (packets > 1 && i32[p + PATH_MTU] !== i32[q + PATH_MTU]) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.MTU_MISMATCH);
    }
    if (i32[p + STATE] === RTR) this.events.establish(p);
    return ACK;
  }

  /** Whether a message of the QP at `q` comes to the one at `p`, which may change its path for it. */
  reaches(q: number, p: number): boolean {
    return this.isPeer(q, p) || this.migration.follow(q, p);
  }

  /** Whether the QP at `p` receives, and from the one at `q`. */
  isPeer(q: number, p: number): boolean {
    const i32 = this.i32;
    const state = i32[p + STATE];
    return (
      i32[p + QPN] === i32[q + DEST_QPN] && i32[p + ROUTE_IN] === i32[q + ROUTE_OUT] && state >= RTR && state < ERR
    );
  }

  /**
   * XRC: takes the SRQ that a message names. It must be of the QP's domain; the message's keys are then those of the SRQ's
   * protection domain (IBTA annex A14, XRC domains).
   */
  nameSrq(p: number, srqn: number): number {
    const i32 = this.i32;
    if (i32[p + Qpc.XRCD] === 0) return this.refuse(NONE, VendorErr.NO_RESPONSE); // an XRC_SEND, which receives nothing
    const srq = this.queue.xrcSrq(p, srqn);
    if (srq === 0) return this.refuseAt(NAK_INVALID_REQUEST, VendorErr.BAD_SRQN, 0, srqn, 0);
    i32[p + Qpc.SRQ] = srq;
    i32[p + PD] = i32[srq + Srqc.PD];
    return ACK;
  }

  /** Whether the QPs at `q` and `p` use one service, and their P_Keys match; else {@link Responder.vendorErr} says why not. */
  isInPartition(q: number, p: number): boolean {
    const ours = this.i32[q + SERVICE_PKEY];
    const theirs = this.i32[p + SERVICE_PKEY];
    return (ours === theirs && ours < 0) || this.checkPartition(p, ours, theirs);
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

  /** Both atomics: the old value to `result` (word index), the new one to the completer, who stores it at the commit. */
  atomic(p: number, request: Request, result: number): number {
    const i32 = this.i32;
    if ((i32[p + ACCESS_FLAGS] & REMOTE_ATOMIC) === 0) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.QP_NO_REMOTE_ATOMIC);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    if ((request.remoteAddrLo & 7) !== 0) return this.misaligned(request);
    const answer = this.checkKey(p, request, 8, REMOTE_ATOMIC, VendorErr.RKEY_NO_REMOTE_ATOMIC);
    if (answer !== ACK) return answer;
    const target = this.wordOf(request);
    if (target === 0) return NAK_INVALID_REQUEST;
    const lo = Atomics.load(i32, target);
    const hi = Atomics.load(i32, target + 1);
    i32[result] = lo;
    i32[result + 1] = hi;
    const operandLo = request.compareAddLo;
    const operandHi = request.compareAddHi;
    const completer = this.completer;
    completer.atomicTarget = target;
    if (request.opcode === Opcode.ATOMIC_FETCH_AND_ADD) {
      const sum = (lo >>> 0) + (operandLo >>> 0);
      completer.atomicLo = sum | 0;
      completer.atomicHi = (hi + operandHi + (sum > 0xffffffff ? 1 : 0)) | 0;
    } else {
      const equal = lo === operandLo && hi === operandHi;
      completer.atomicLo = equal ? request.swapLo : lo;
      completer.atomicHi = equal ? request.swapHi : hi;
    }
    return ACK;
  }

  /**
   * ATOMIC_WRITE of 8 bytes: the data to the completer, who stores it at the commit, so that nobody sees half of it (IBTA annex A19).
   * `scratch` is the index of two words.
   */
  atomicWrite(p: number, request: Request, list: ScatterList, scratch: number): number {
    const i32 = this.i32;
    if ((i32[p + ACCESS_FLAGS] & REMOTE_WRITE) === 0) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.QP_NO_REMOTE_WRITE);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    if ((request.remoteAddrLo & 7) !== 0) return this.misaligned(request);
    const answer = this.checkKey(p, request, ATOMIC_WRITE_BYTES, REMOTE_WRITE, VendorErr.RKEY_NO_REMOTE_WRITE);
    if (answer !== ACK) return answer;
    const target = this.wordOf(request);
    if (target === 0) return NAK_INVALID_REQUEST;
    let to = scratch << 2;
    for (let n = 0; n < list.count; n++) {
      this.dma.move(0, to, list.mpt[n], list.address[n], list.bytes[n]);
      to = (to + list.bytes[n]) | 0;
    }
    this.completer.atomicLo = i32[scratch];
    this.completer.atomicHi = i32[scratch + 1];
    this.completer.atomicTarget = target;
    return ACK;
  }

  /**
   * FLUSH: whether the peer may ask for it. There is nothing to do: what was written before is in the memory that everybody reads, in
   * the order of the stores, and memory that outlives the process can't be registered (IBTA annex A19; Linux rxe_resp.c
   * process_flush).
   */
  flush(p: number, request: Request): number {
    const i32 = this.i32;
    if (!request.isFlush) return this.refuse(NAK_INVALID_REQUEST, VendorErr.BAD_FLUSH);
    const need = request.placement << FLUSH_ACCESS_SHIFT;
    const lacks = need & ~i32[p + ACCESS_FLAGS];
    if (lacks !== 0) {
      const isGlobal = (lacks & Access.FLUSH_GLOBAL) !== 0;
      const vendorErr = isGlobal ? VendorErr.QP_NO_FLUSH_GLOBAL : VendorErr.QP_NO_FLUSH_PERSISTENT;
      return this.refuse(NAK_INVALID_REQUEST, vendorErr);
    }
    if (i32[p + Qpc.MAX_DEST_RD_ATOMIC] === 0) return this.refuse(NAK_INVALID_REQUEST, VendorErr.RD_ATOMIC_LIMIT);
    const ofRegion = request.selectivity === Selectivity.MR;
    const length = ofRegion ? 0 : request.flushLength >>> 0;
    const global = need & Access.FLUSH_GLOBAL;
    const persistent = need & Access.FLUSH_PERSISTENT;
    let answer = this.checkFlush(p, request, length, ofRegion, global, VendorErr.RKEY_NO_FLUSH_GLOBAL);
    if (answer === ACK) {
      answer = this.checkFlush(p, request, length, ofRegion, persistent, VendorErr.RKEY_NO_FLUSH_PERSISTENT);
    }
    return answer;
  }

  /** The flush of all of a region names its key only; the range is what the check of a key looks at last. */
  private checkFlush(
    p: number,
    request: Request,
    length: number,
    ofRegion: boolean,
    need: number,
    denied: number,
  ): number {
    const answer = this.checkKey(p, request, length, need, denied);
    return ofRegion && answer !== ACK && this.vendorErr === VendorErr.RKEY_RANGE ? ACK : answer;
  }

  /** Word index of the 8 bytes of the key that was checked; 0 when they can't be stored at once: the region begins at an odd place. */
  private wordOf(request: Request): number {
    const address = this.dma.address(this.tpt.mpt, this.tpt.address);
    if ((address & 7) === 0) return address >>> 2;
    this.misaligned(request);
    return 0;
  }

  private misaligned({ rkey, remoteAddrLo, remoteAddrHi }: Request): number {
    return this.refuseAt(NAK_INVALID_REQUEST, VendorErr.ATOMIC_MISALIGNED, rkey, remoteAddrLo, remoteAddrHi);
  }

  private checkKey(p: number, request: Request, length: number, need: number, denied: number): number {
    const i32 = this.i32;
    const key = request.rkey;
    const lo = request.remoteAddrLo;
    const hi = request.remoteAddrHi;
    const tpt = this.tpt;
    const failed = tpt.checkRemote(i32[p + MPT_TABLE], i32[p + PD], key, lo, hi, length, need, denied, i32[p + QPN]);
    if (failed === 0) return ACK;
    return this.refuseAt(NAK_REMOTE_ACCESS, failed, key, lo, hi);
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

  private checkPartition(p: number, ours: number, theirs: number): boolean {
    this.refuse(NONE, VendorErr.NO_RESPONSE);
    if (!isSameService(ours, theirs)) return false;
    if (pkeysMatch(ours, theirs)) return true;
    countBadPkey(this.i32, p);
    this.refuse(NONE, VendorErr.PKEY_MISMATCH);
    return false;
  }

  private isUnreliable(p: number): boolean {
    const type = this.i32[p + Qpc.TYPE];
    return type === QpcType.UC || type === QpcType.UD;
  }

  private refuse(answer: number, vendorErr: number): number {
    return this.refuseAt(answer, vendorErr, 0, 0, 0);
  }

  private refuseAt(answer: number, vendorErr: number, key: number, lo: number, hi: number): number {
    this.vendorErr = vendorErr;
    this.faultKey = key;
    this.faultAddrLo = lo;
    this.faultAddrHi = hi;
    return answer;
  }
}
