/**
 * The requester of the unreliable services: executes the send queues of UC and UD queue pairs.
 *
 * No acknowledgement comes, so a request is complete once it was sent, whatever becomes of it (IBTA 9.8.1, 9.9.2.2). What fails is
 * what this side finds wrong itself; then the send queue goes to SQE, from where a modify to RTS leads out.
 */
import type { Machine } from '@openverbs/machine';
import { CqeSyndrome, QpDoorbellRecord, VendorErr } from '@openverbs/verbs/rings';
import type { AddressHandles } from './address-handles.ts';
import { AsyncEvent } from './async-event.ts';
import type { Completer } from './completer.ts';
import type { DatagramResponder } from './datagram-responder.ts';
import { Qpc, QpcState, QpcType } from './layout.ts';
import { PORT_MTU_BYTES } from './limits.ts';
import type { LocalOperations } from './local-operations.ts';
import { SEND_OPCODES, SendFlag, WC_OPCODE } from './opcode.ts';
import type { QpStateMachine } from './qp-state.ts';
import type { Request } from './request.ts';
import type { ScatterList } from './scatter-list.ts';
import { LOCAL_OPERATION, type SendWqeFetcher } from './send-wqe-fetcher.ts';
import type { UnreliableResponder } from './unreliable-responder.ts';

const { STATE, TYPE, SQ_BASE, SQ_LOG2_COUNT, SQ_LOG2_WORDS, RECORD, SQ_CONSUMER } = Qpc;
const { RTS, ERR } = QpcState;
const UD = QpcType.UD;
const { LOCAL_QP_OP_ERR, LOCAL_LENGTH_ERR } = CqeSyndrome;
const { SQ_PRODUCER } = QpDoorbellRecord;

export class UnreliableRequester {
  readonly #i32: Int32Array;
  readonly #wqe: SendWqeFetcher;
  readonly #connections: UnreliableResponder;
  readonly #datagrams: DatagramResponder;
  readonly #handles: AddressHandles;
  readonly #local: LocalOperations;
  readonly #completer: Completer;
  readonly #states: QpStateMachine;
  readonly #request: Request;
  readonly #list: ScatterList;

  constructor(parts: {
    machine: Machine;
    wqe: SendWqeFetcher;
    connections: UnreliableResponder;
    datagrams: DatagramResponder;
    handles: AddressHandles;
    local: LocalOperations;
    completer: Completer;
    states: QpStateMachine;
  }) {
    this.#i32 = parts.machine.i32;
    this.#wqe = parts.wqe;
    this.#request = parts.wqe.request;
    this.#list = parts.wqe.list;
    this.#connections = parts.connections;
    this.#datagrams = parts.datagrams;
    this.#handles = parts.handles;
    this.#local = parts.local;
    this.#completer = parts.completer;
    this.#states = parts.states;
  }

  /** Executes up to `budget` WQEs of the QP at `q`, which is in RTS; true when the budget ended it and work is left. */
  run(q: number, budget: number): boolean {
    const i32 = this.#i32;
    const mask = (1 << i32[q + SQ_LOG2_COUNT]) - 1;
    let index = i32[q + SQ_CONSUMER];
    const producer = i32[i32[q + RECORD] + SQ_PRODUCER];
    if ((producer - index) >>> 0 > mask + 1) {
      this.#states.fail(q, AsyncEvent.QP_FATAL); // a doorbell record that claims more than the ring holds
      return false;
    }
    for (let left = budget; index !== producer; left--) {
      if (left === 0) return true;
      const w = i32[q + SQ_BASE] + ((index & mask) << i32[q + SQ_LOG2_WORDS]);
      if (!this.#execute(q, w, index)) return false;
      if (i32[q + STATE] !== RTS) {
        // A CQ overran, or the QP talks to itself and its receive was bad.
        if (i32[q + STATE] === ERR) this.#states.flush(q);
        return false;
      }
      index = (index + 1) | 0;
    }
    return false;
  }

  /** Fetches and checks a WQE, of a datagram its address handle too. Answers a vendor error, or 0. */
  fetch(q: number, w: number): number {
    const type = this.#i32[q + TYPE];
    const failed = this.#wqe.fetchOf(q, w, SEND_OPCODES[type]);
    return failed === 0 && type === UD ? this.#checkDatagram(q) : failed;
  }

  /** Carries out a WQE of which {@link UnreliableRequester.fetch} said LOCAL_OPERATION; 0, or a vendor error. */
  executeLocal(q: number, index: number): number {
    return this.#local.execute(q, index);
  }

  /** Word index of the address handle of the datagram that was fetched last. */
  get handle(): number {
    return this.#handles.entry;
  }

  /** False when the WQE failed. */
  #execute(q: number, w: number, index: number): boolean {
    const i32 = this.#i32;
    let failed = this.fetch(q, w);
    if (failed === LOCAL_OPERATION) {
      failed = this.executeLocal(q, index);
      if (failed === 0) return true;
    }
    if (failed !== 0) return this.fail(q, index, failed);
    if (i32[q + TYPE] === UD) {
      this.#datagrams.deliver(q, this.#request, this.#list);
      this.#complete(q, 0, index, 1, this.#datagrams.receiver);
    } else {
      const p = this.#connections.deliver(q, this.#request, this.#list);
      this.#complete(q, p, index, this.#connections.packets, this.#connections.receiver);
    }
    return true;
  }

  /** What a datagram needs beside: one packet's length, and an address handle (IBTA 10.2.2, 11.4.1.1). */
  #checkDatagram(q: number): number {
    const wqe = this.#wqe;
    const { length } = this.#list;
    if (length > PORT_MTU_BYTES) return wqe.refuse(LOCAL_LENGTH_ERR, VendorErr.MESSAGE_TOO_LONG, length);
    const handle = this.#request.remoteAddrLo;
    const failed = this.#handles.find(q, handle);
    return failed === 0 ? 0 : wqe.refuse(LOCAL_QP_OP_ERR, failed, handle);
  }

  /** Commits: `p` took the message, or nobody if it is 0; `receiver` may be in error for what became of it. */
  #complete(q: number, p: number, index: number, packets: number, receiver: number): void {
    const { flags, opcode } = this.#request;
    const signaled = (flags & SendFlag.SIGNALED) !== 0;
    this.#completer.complete(q, p, packets, signaled, index, WC_OPCODE[opcode], this.#list.length);
    if (receiver !== 0 && this.#i32[receiver + STATE] === ERR) this.#states.flush(receiver);
  }

  /** IBTA 10.3.1, SQE: the completion of the WQE that failed, then the flush of what stands behind it; receives go on. */
  fail(q: number, index: number, vendorErr: number): boolean {
    const completer = this.#completer;
    const wqe = this.#wqe;
    completer.faultKey = wqe.faultKey;
    completer.faultAddrLo = wqe.faultAddrLo;
    completer.faultAddrHi = wqe.faultAddrHi;
    completer.enterSendError(q);
    completer.prepareSend(q, index, WC_OPCODE[this.#request.opcode >>> 0] ?? 0, wqe.syndrome, vendorErr, 0);
    completer.commit(q, 0, 0);
    if (this.#i32[q + STATE] === ERR) this.#states.flush(q);
    else this.#states.flushSends(q);
    return false;
  }
}
