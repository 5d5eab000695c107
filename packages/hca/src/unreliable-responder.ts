/**
 * The responder of unreliable connections: takes a message, or drops it without a word.
 */
import type { Machine } from '@openverbs/machine';
import { packetCount } from '@openverbs/rocev2';
import type { Completer } from './completer.ts';
import { countDrop } from './drop-counters.ts';
import type { EventQueues } from './event-queue.ts';
import { Qpc, QpcState } from './layout.ts';
import { Opcode, WC_WITH_IMM } from './opcode.ts';

import type { Request } from './request.ts';
import type { Responder } from './responder.ts';
import type { ScatterList } from './scatter-list.ts';
import { Aeth } from './syndrome.ts';

const { STATE, PEER, SQ_PSN, RQ_PSN, PATH_MTU } = Qpc;
const { RTR } = QpcState;
const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND_WITH_IMM } = Opcode;
const { ACK, NAK_INVALID_REQUEST } = Aeth;

export class UnreliableResponder {
  readonly #i32: Int32Array;
  readonly #responder: Responder;
  readonly #completer: Completer;
  readonly #events: EventQueues;
  /** PSNs that the last message took. */
  packets = 0;
  /** The QP that the last message was for, whether it took it or not; 0 for none. */
  receiver = 0;

  constructor(machine: Machine, responder: Responder, completer: Completer, events: EventQueues) {
    this.#i32 = machine.i32;
    this.#responder = responder;
    this.#completer = completer;
    this.#events = events;
  }

  /** Carries out a message of the UC queue pair at `q`. Answers the QP that took it, or 0. */
  deliver(q: number, request: Request, list: ScatterList): number {
    const i32 = this.#i32;
    const packets = (this.packets = packetCount(list.length, i32[q + PATH_MTU]));
    const p = i32[q + PEER];
    this.receiver = 0;
    if (p === 0 || !this.#responder.reaches(q, p) || !this.#responder.isInPartition(q, p)) return 0;
    this.receiver = p;
    if (i32[p + PATH_MTU] !== i32[q + PATH_MTU] && !fits(packets, list.length, i32[p + PATH_MTU])) {
      return this.#drop(p, NAK_INVALID_REQUEST);
    }
    if (i32[p + STATE] === RTR) this.#events.establish(p);
    // IBTA 9.8.2.2: the first packet of a message sets the PSN that is expected, whatever it was; it tells of messages that
    // were lost, and of no others.
    i32[p + RQ_PSN] = i32[q + SQ_PSN];
    const answer = this.#carryOut(p, request, list);
    if (answer === ACK) return p;
    return this.#drop(p, answer);
  }

  #carryOut(p: number, request: Request, list: ScatterList): number {
    const responder = this.#responder;
    const { opcode, imm, solicited } = request;
    if (opcode === RDMA_WRITE) return responder.write(p, request, list);
    if (opcode !== RDMA_WRITE_WITH_IMM) {
      const withImm = opcode === SEND_WITH_IMM;
      return responder.send(p, list, withImm ? imm : 0, withImm ? WC_WITH_IMM : 0, solicited);
    }
    let answer = responder.checkReceive(p);
    if (answer === ACK) answer = responder.write(p, request, list);
    return answer === ACK ? responder.writeImm(p, list.length, imm, solicited) : answer;
  }

  #drop(p: number, answer: number): number {
    this.#completer.discard();
    countDrop(this.#i32, p, answer);
    return 0;
  }
}

/** Whether packets that were cut for another MTU are what the receiver expects: one, and not too long for it. */
function fits(packets: number, length: number, mtu: number): boolean {
  return packets === 1 && packetCount(length, mtu) === 1;
}
