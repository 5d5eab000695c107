/** Queue pairs: posts, the requester that carries them out, and the responder that answers. */
import {
  AccessFlags,
  Errno,
  QpState,
  SendFlags,
  VendorErr,
  VerbsError,
  WcFlags,
  WcOpcode,
  WcStatus,
  WorkCompletion,
  type QpAttr,
  type RecvWr,
  type SendWr,
  type SgeLike,
} from '@openverbs/verbs';
import {
  newQpAttr,
  rnrTimerNs,
  timeoutNs,
  type Handle,
  type QpCalls,
  type QpQueryOps,
  type QpRequest,
} from '@openverbs/verbs/driver';
import type { Adapter } from './adapter.ts';
import type { LoopbackCq } from './completion-queue.ts';
import { portAttr } from './device-attributes.ts';
import { Fault } from './memory.ts';
import { copyRecv, copySend, OPERATIONS, type RecvWqe, type SendWqe } from './work-request.ts';

/** A value of `rnrRetry`: for ever. */
const RNR_RETRY_FOR_EVER = 7;

/** How a request ended. */
interface Outcome {
  readonly status: WcStatus;
  readonly fault: Fault;
  /** Whether the peer's QP fails as well, because the connection is of no more use. */
  readonly peerFails?: boolean;
}

const DONE: Outcome = { status: WcStatus.SUCCESS, fault: new Fault(VendorErr.NONE) };
/** The request was not looked at: it has to be tried again. */
const NO_ANSWER: Outcome = { status: WcStatus.RETRY_EXC_ERR, fault: new Fault(VendorErr.NO_RESPONSE) };
const NOT_READY: Outcome = { status: WcStatus.RNR_RETRY_EXC_ERR, fault: new Fault(VendorErr.RNR) };
const FLUSHED: Outcome = { status: WcStatus.WR_FLUSH_ERR, fault: new Fault(VendorErr.FLUSHED) };

export class LoopbackQp implements QpCalls {
  readonly kind = 'calls';
  badWrIndex = 0;
  readonly handle: Handle;
  readonly qpNum: number;
  deadlineNs = 0;
  readonly #adapter: Adapter;
  readonly #request: QpRequest;
  readonly #sendCq: LoopbackCq;
  readonly #recvCq: LoopbackCq;
  #attr: Required<QpAttr>;
  #sends: SendWqe[] = [];
  #receives: RecvWqe[] = [];
  /** Posted, and no completion for them polled yet. */
  #sendSlots = 0;
  #recvSlots = 0;
  /** Sends that completed without a completion since the last one that had one. */
  #silent = 0;
  #tries = 0;
  /** A message counts as one packet here. */
  #sendPsn = 0;
  #expectedPsn = 0;

  constructor(adapter: Adapter, request: QpRequest, sendCq: LoopbackCq, recvCq: LoopbackCq) {
    this.handle = adapter.newHandle();
    this.qpNum = adapter.newQpNum();
    this.#adapter = adapter;
    this.#request = request;
    this.#sendCq = sendCq;
    this.#recvCq = recvCq;
    this.#attr = newQpAttr(request.cap);
  }

  postSend(first: SendWr): number {
    this.badWrIndex = 0;
    for (let wr: SendWr | null = first; wr !== null; wr = wr.next, this.badWrIndex++) {
      const wqe = copySend(wr, this.#request.cap);
      if (wqe === null) return Errno.EINVAL;
      if (this.#sendSlots === this.#request.cap.maxSendWr) return Errno.ENOMEM;
      this.#sendSlots++;
      this.#sends.push(wqe);
      this.#run();
    }
    return 0;
  }

  postRecv(first: RecvWr): number {
    this.badWrIndex = 0;
    for (let wr: RecvWr | null = first; wr !== null; wr = wr.next, this.badWrIndex++) {
      const wqe = copyRecv(wr, this.#request.cap);
      if (wqe === null) return Errno.EINVAL;
      if (this.#recvSlots === this.#request.cap.maxRecvWr) return Errno.ENOMEM;
      this.#recvSlots++;
      this.#receives.push(wqe);
    }
    if (this.#attr.qpState === QpState.ERR) this.#flush();
    return 0;
  }

  freeSlots(count: number, ofReceive: boolean): void {
    if (ofReceive) this.#recvSlots -= count;
    else this.#sendSlots -= count;
  }

  modify(attr: QpAttr): void {
    const { qpState: from } = this.#attr;
    const { qpState: to = from } = attr;
    // `verbs` knows the states that the application asked for, not that the device has failed the QP meanwhile.
    if (from === QpState.ERR && to !== QpState.ERR && to !== QpState.RESET) {
      throw new VerbsError({ code: 'EINVAL', message: `QP ${this.qpNum} is in ERR`, hint: 'modify it to RESET' });
    }
    if (to === QpState.RESET) this.reset();
    else Object.assign(this.#attr, attr);
    if (from === QpState.INIT && to === QpState.RTR) this.#expectedPsn = this.#attr.rqPsn;
    if (from === QpState.RTR && to === QpState.RTS) this.#sendPsn = this.#attr.sqPsn;
    if (to === QpState.ERR) this.#flush();
  }

  query(): QpQueryOps {
    return { attr: { ...this.#attr, curQpState: this.#attr.qpState }, cap: this.#request.cap };
  }

  /** What `qp.state` reads, so that an application sees at once that its QP has failed. */
  state(): QpState {
    return this.#attr.qpState;
  }

  /** As new: nothing is posted, and no completion is left anywhere. */
  reset(): void {
    this.#attr = newQpAttr(this.#request.cap);
    this.#sends = [];
    this.#receives = [];
    this.#sendSlots = this.#recvSlots = this.#silent = this.#tries = 0;
    this.#adapter.waiting.delete(this);
    this.#sendCq.purge(this);
    this.#recvCq.purge(this);
  }

  /** The deadline has passed. */
  retry(): void {
    this.#adapter.waiting.delete(this);
    this.#run();
  }

  /** The requester: one request after the other, until one has to wait (IBTA 9.4.1: in order). */
  #run(): void {
    if (this.#attr.qpState === QpState.ERR) this.#flush();
    while (this.#sends.length > 0 && !this.#adapter.waiting.has(this)) {
      const [wqe] = this.#sends;
      const peer = this.#adapter.qps.get(this.#attr.destQpNum);
      const outcome = this.#execute(wqe, peer);
      if ((outcome === NO_ANSWER || outcome === NOT_READY) && this.#mayWait(outcome, peer)) return;
      this.#tries = 0;
      this.#sends.shift();
      this.#sendPsn = (this.#sendPsn + 1) & 0xffffff;
      this.#completeSend(wqe, outcome);
      if (outcome.status === WcStatus.SUCCESS) continue;
      if (outcome.peerFails === true) peer?.fail();
      this.fail();
    }
  }

  #execute(wqe: SendWqe, peer: LoopbackQp | undefined): Outcome {
    const length = wqe.sgList.reduce((sum, sge) => sum + sge.length, 0);
    if (!(length <= portAttr.maxMsgSz)) {
      return { status: WcStatus.LOC_LEN_ERR, fault: new Fault(VendorErr.MESSAGE_TOO_LONG, 0, length) };
    }
    const pieces = this.#pieces(wqe.sgList, length, 0);
    if (pieces instanceof Fault) return { status: WcStatus.LOC_PROT_ERR, fault: pieces };
    // A copy, because source and target may overlap.
    const message = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      message.set(piece, at);
      at += piece.length;
    }
    return peer?.respond(wqe, message, this.#sendPsn) ?? NO_ANSWER;
  }

  /** The responder: carries out a request of the peer, wholly or not at all. */
  respond(request: SendWqe, message: Uint8Array, psn: number): Outcome {
    const { qpState, qpAccessFlags } = this.#attr;
    if ((qpState !== QpState.RTR && qpState !== QpState.RTS) || psn !== this.#expectedPsn) return NO_ANSWER;
    const { writes, takesReceive, hasImm } = OPERATIONS.get(request.opcode)!;
    let target: Uint8Array | Fault = new Uint8Array(0);
    if (writes) {
      if ((qpAccessFlags & AccessFlags.REMOTE_WRITE) === 0) {
        const fault = new Fault(VendorErr.QP_NO_REMOTE_WRITE);
        return { status: WcStatus.REM_INV_REQ_ERR, fault, peerFails: true };
      }
      const { rkey, remoteAddr } = request;
      // No bytes need no key (IBTA 9.7.4.1.4).
      if (message.length > 0) target = this.#find(rkey, remoteAddr, message.length, AccessFlags.REMOTE_WRITE);
      if (target instanceof Fault) return { status: WcStatus.REM_ACCESS_ERR, fault: target, peerFails: true };
    }
    if (takesReceive && this.#receives.length === 0) return NOT_READY;
    this.#expectedPsn = (psn + 1) & 0xffffff;
    target.set(writes ? message : []);
    if (!takesReceive) return DONE;
    const receive = this.#receives.shift()!;
    const outcome = writes ? DONE : this.#scatter(receive, message);
    const wc = this.#newCompletion(receive.wrId, outcome);
    wc.opcode = writes ? WcOpcode.RECV_RDMA_WITH_IMM : WcOpcode.RECV;
    wc.byteLen = message.length;
    wc.immData = hasImm ? request.immData : 0;
    wc.wcFlags = hasImm ? WcFlags.WITH_IMM : 0;
    this.#completeReceive(wc, (request.sendFlags & SendFlags.SOLICITED) !== 0);
    if (outcome.status === WcStatus.SUCCESS) return DONE;
    const tooSmall = outcome.status === WcStatus.LOC_LEN_ERR;
    const status = tooSmall ? WcStatus.REM_INV_REQ_ERR : WcStatus.REM_OP_ERR;
    const fault = tooSmall ? outcome.fault : new Fault(VendorErr.REMOTE_OPERATION);
    return { status, fault, peerFails: true };
  }

  /** To the error state, of its own accord. */
  fail(): void {
    this.#attr = { ...this.#attr, qpState: QpState.ERR };
    this.#flush();
  }

  /** Whether the request is tried again later; if so, sets when. */
  #mayWait(outcome: Outcome, peer: LoopbackQp | undefined): boolean {
    const { rnrRetry, retryCnt, timeout } = this.#attr;
    const isRnr = outcome === NOT_READY;
    const tries = !isRnr ? retryCnt : rnrRetry === RNR_RETRY_FOR_EVER ? Infinity : rnrRetry;
    if (this.#tries === tries) return false;
    this.#tries++;
    const delayNs = isRnr ? rnrTimerNs(peer!.#attr.minRnrTimer) : timeoutNs(timeout);
    this.deadlineNs = this.#adapter.clock.nowNs() + delayNs;
    this.#adapter.waiting.add(this);
    return true;
  }

  #scatter({ sgList }: RecvWqe, message: Uint8Array): Outcome {
    const room = sgList.reduce((sum, { length }) => sum + length, 0);
    if (!(message.length <= room)) {
      const fault = new Fault(VendorErr.RECV_TOO_SMALL, 0, message.length);
      return { status: WcStatus.LOC_LEN_ERR, fault };
    }
    const pieces = this.#pieces(sgList, message.length, AccessFlags.LOCAL_WRITE);
    if (pieces instanceof Fault) return { status: WcStatus.LOC_PROT_ERR, fault: pieces };
    let at = 0;
    for (const piece of pieces) {
      piece.set(message.subarray(at, at + piece.length));
      at += piece.length;
    }
    return DONE;
  }

  /** The memory of the first `length` bytes of a list. All of it is checked before a byte moves. */
  #pieces(sgList: readonly SgeLike[], length: number, right: number): Uint8Array[] | Fault {
    const pieces: Uint8Array[] = [];
    let left = length;
    for (const sge of sgList) {
      const bytes = Math.min(left, sge.length);
      if (bytes === 0) continue;
      const piece = this.#find(sge.lkey, sge.addr, bytes, right);
      if (piece instanceof Fault) return piece;
      pieces.push(piece);
      left -= bytes;
    }
    return pieces;
  }

  #find(key: number, addr: number, length: number, right: number): Uint8Array | Fault {
    return this.#adapter.memory.find(this.#request.pd, key, addr, length, right);
  }

  /** In the error state everything that is posted completes, in order (IBTA 10.3.1.7). */
  #flush(): void {
    this.#adapter.waiting.delete(this);
    for (const wqe of this.#sends.splice(0)) this.#completeSend(wqe, FLUSHED);
    for (const { wrId } of this.#receives.splice(0)) this.#completeReceive(this.#newCompletion(wrId, FLUSHED), false);
  }

  #completeSend(wqe: SendWqe, outcome: Outcome): void {
    this.#silent++;
    const failed = outcome.status !== WcStatus.SUCCESS;
    // A request that fails makes a completion whether it is signaled or not.
    if (!failed && !this.#request.sqSigAll && (wqe.sendFlags & SendFlags.SIGNALED) === 0) return;
    const wc = this.#newCompletion(wqe.wrId, outcome);
    wc.opcode = OPERATIONS.get(wqe.opcode)!.writes ? WcOpcode.RDMA_WRITE : WcOpcode.SEND;
    const cqe = { qp: this, wc, slots: this.#silent, ofReceive: false, solicited: failed };
    this.#silent = 0;
    if (!this.#sendCq.push(cqe) && this.#attr.qpState !== QpState.ERR) this.fail();
  }

  #completeReceive(wc: WorkCompletion, solicited: boolean): void {
    const failed = wc.status !== WcStatus.SUCCESS;
    const cqe = { qp: this, wc, slots: 1, ofReceive: true, solicited: solicited || failed };
    if (!this.#recvCq.push(cqe) && this.#attr.qpState !== QpState.ERR) this.fail();
  }

  #newCompletion(wrId: number, { status, fault }: Outcome): WorkCompletion {
    const { vendorErr, faultKey, faultAddr } = fault;
    return Object.assign(new WorkCompletion(), { wrId, status, vendorErr, faultKey, faultAddr, qpNum: this.qpNum });
  }
}
