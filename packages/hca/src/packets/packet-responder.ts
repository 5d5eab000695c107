/**
 * The responder of packets: what arrives at a QP from its peer, packet by packet.
 *
 * Order of checks as IBTA 9.7.4 and Linux rxe_resp.c have it: PSN, sequence of opcodes, and then those of the operation, which
 * {@link PacketOperations} executes and commits. What it has to answer is left in words of the transport context, and sent by
 * {@link PacketResponses}.
 */
import type { Machine } from '@openverbs/machine';
import { addPsn, comparePsn, OPCODE_INFO, OpcodeFlag, packetCount, psnDistance } from '@openverbs/rocev2';
import { AsyncEvent } from '../async-event.ts';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import type { EventQueues } from '../event-queue.ts';
import { Qpc, QpcState, Srqc } from '../layout.ts';
import type { QpStateMachine } from '../qp-state.ts';
import { Request } from '../request.ts';
import type { Responder } from '../responder.ts';
import { Aeth } from '../syndrome.ts';
import { isRelieved } from './credits.ts';
import type { FramePort } from './frame-port.ts';
import { Inbound, Qpt, Resource, ResourceKind } from './layout.ts';
import { PacketOperations } from './packet-operations.ts';
import { PacketResponses } from './packet-responses.ts';
import { ResponderResources } from './responder-resources.ts';

const { FIRST, MIDDLE, LAST, ONLY, SEND, WRITE, READ, ATOMIC } = OpcodeFlag;
const { RQ_PSN, PATH_MTU, MIN_RNR_TIMER } = Qpc;
const { ACK, RNR_NAK, NAK_PSN_SEQUENCE, NAK_INVALID_REQUEST } = Aeth;
const { NONE } = Inbound;

export class PacketResponder {
  readonly #i32: Int32Array;
  readonly #port: FramePort;
  readonly #responder: Responder;
  readonly #completer: Completer;
  readonly #states: QpStateMachine;
  readonly #events: EventQueues;
  readonly #counters: Counters;
  readonly #resources: ResponderResources;
  readonly #responses: PacketResponses;
  readonly #operations: PacketOperations;
  readonly #request = new Request();

  constructor(parts: {
    machine: Machine;
    port: FramePort;
    responder: Responder;
    completer: Completer;
    states: QpStateMachine;
    events: EventQueues;
    counters: Counters;
  }) {
    this.#i32 = parts.machine.i32;
    this.#port = parts.port;
    this.#responder = parts.responder;
    this.#completer = parts.completer;
    this.#states = parts.states;
    this.#events = parts.events;
    this.#counters = parts.counters;
    this.#resources = new ResponderResources(parts.machine);
    this.#responses = new PacketResponses(parts.machine, parts.port, parts.responder, this.#resources);
    this.#operations = new PacketOperations({ ...parts, resources: this.#resources });
  }

  /** The request packet that the port has read, for the QP at `p`. */
  receive(p: number, t: number): void {
    const i32 = this.#i32;
    const order = comparePsn(this.#port.in.psn, i32[p + RQ_PSN]);
    if (order > 0) this.#ahead(p, t);
    else if (order < 0) this.#duplicate(p, t);
    else this.#inTurn(p, t);
  }

  /** Whether responses or acknowledges wait to be sent. */
  hasOutput(t: number): boolean {
    return this.#responses.hasOutput(t);
  }

  /** Sends one packet of what waits. A frame must be available. */
  transmit(p: number, t: number): void {
    const answer = this.#responses.transmit(p, t);
    if (answer !== ACK) this.#refuse(p, t, answer);
  }

  /** A receive was posted, says a doorbell: a requester that was told of none hears of it at once (IBTA 9.7.7.2). */
  relieve(p: number, t: number): boolean {
    const relieved = isRelieved(this.#i32, p, t);
    if (relieved) this.#i32[t + Qpt.ACK_DUE] = 1;
    return relieved;
  }

  /** After a thread died: counts what has responses to send. */
  recover(t: number): void {
    this.#resources.recover(t);
  }

  /** IBTA 9.7.5.1.1: what is ahead of its turn is answered once, until the right packet comes. */
  #ahead(p: number, t: number): void {
    const i32 = this.#i32;
    this.#counters.add(p, Count.OUT_OF_SEQ_REQUEST);
    if (i32[t + Qpt.NAK_SENT] !== 0) return;
    i32[t + Qpt.NAK_SENT] = 1;
    i32[t + Qpt.NAK_DUE] = NAK_PSN_SEQUENCE;
  }

  /** IBTA 9.7.5.1.2: sends and writes are acknowledged again, reads are executed again, all else answers what it did. */
  #duplicate(p: number, t: number): void {
    const i32 = this.#i32;
    const packet = this.#port.in;
    const info = OPCODE_INFO[packet.opcode];
    this.#counters.add(p, Count.DUPLICATE_REQUEST);
    if (!isResponded(info)) {
      i32[t + Qpt.ACK_DUE] = 1;
      return;
    }
    const r = this.#resources.find(p, t, packet.psn);
    if (r === 0 || i32[r + Resource.KIND] !== resourceKind(info)) return; // forgotten: silence
    let end = i32[r + Resource.END_PSN];
    if ((info & READ) !== 0) {
      end = addPsn(packet.psn, packetCount(packet.dmaLength >>> 0, i32[p + PATH_MTU]));
      if (!this.#isPartOf(p, r, end)) return;
    } else if (packet.psn !== i32[r + Resource.FIRST_PSN]) return;
    this.#resources.respondAgain(t, r, packet.psn, end);
  }

  /** Whether the read that the packet asks for again is the rest of the one at `r`: same key, and addresses that follow from the PSN. */
  #isPartOf(p: number, r: number, end: number): boolean {
    const i32 = this.#i32;
    const { psn, rkey, vaLo, vaHi, dmaLength } = this.#port.in;
    const skipped = psnDistance(i32[r + Resource.FIRST_PSN], psn) * (1 << (7 + i32[p + PATH_MTU]));
    this.#request.setRemote(i32[r + Resource.VA_LO], i32[r + Resource.VA_HI], skipped);
    const request = this.#request;
    return (
      rkey === i32[r + Resource.RKEY] &&
      vaLo === request.remoteAddrLo &&
      vaHi === request.remoteAddrHi &&
      skipped + (dmaLength >>> 0) <= i32[r + Resource.LENGTH] >>> 0 &&
      comparePsn(end, i32[r + Resource.END_PSN]) <= 0
    );
  }

  #inTurn(p: number, t: number): void {
    const i32 = this.#i32;
    const packet = this.#port.in;
    const info = OPCODE_INFO[packet.opcode];
    this.#responder.receiveFailed = false;
    if (!this.#isNext(t, info) || !this.#hasRightLength(p, info)) {
      return this.#refuse(p, t, NAK_INVALID_REQUEST);
    }
    i32[t + Qpt.NAK_SENT] = 0;
    this.#events.establish(p);
    let answer: number = i32[p + Qpc.XRCD] === 0 ? ACK : this.#nameSrq(p, t);
    if (answer !== ACK) return this.#refuse(p, t, answer);
    if ((info & SEND) !== 0) answer = this.#operations.send(p, t, info);
    else if ((info & WRITE) !== 0) answer = this.#operations.write(p, t, info);
    else if ((info & READ) !== 0) answer = this.#operations.read(p, t);
    else if ((info & ATOMIC) !== 0) answer = this.#operations.atomic(p, t);
    else answer = this.#operations.writeOrFlush(p, t, info);
    if (answer !== ACK) return this.#refuse(p, t, answer);
    if (packet.ackReq !== 0 && !isResponded(info)) i32[t + Qpt.ACK_DUE] = 1;
    // The step itself may have failed the QP: its CQ overran.
    if (i32[p + Qpc.STATE] === QpcState.ERR) this.#states.flush(p);
  }

  /** IBTA 9.7.4.1.2: a message is FIRST, MIDDLE …, LAST of one kind, and nothing comes between them. */
  #isNext(t: number, info: number): boolean {
    const inbound = this.#i32[t + Qpt.INBOUND];
    if (inbound === NONE) return (info & (FIRST | ONLY | READ | ATOMIC)) !== 0;
    const kind = inbound === Inbound.SEND ? SEND : WRITE;
    return (info & kind) !== 0 && (info & (MIDDLE | LAST)) !== 0;
  }

  /** IBTA 9.7.4.1.5: all packets but the last one are as long as the path MTU, and the last one is not empty. */
  #hasRightLength(p: number, info: number): boolean {
    const { payloadLength } = this.#port.in;
    const mtu = 1 << (7 + this.#i32[p + PATH_MTU]);
    if ((info & (FIRST | MIDDLE)) !== 0) return payloadLength === mtu;
    return payloadLength <= mtu && ((info & LAST) === 0 || payloadLength > 0);
  }

  /** XRC: every request names an SRQ, and all packets of a message the same one (IBTA annex A14, XRCETH). */
  #nameSrq(p: number, t: number): number {
    const i32 = this.#i32;
    const { xrcSrqn } = this.#port.in;
    const srq = i32[p + Qpc.SRQ];
    if (i32[t + Qpt.INBOUND] !== NONE && (srq === 0 || i32[srq + Srqc.SRQN] !== xrcSrqn)) return NAK_INVALID_REQUEST;
    return this.#responder.nameSrq(p, xrcSrqn);
  }

  /** What was not accepted: a receiver that is not ready asks for patience, all else is the end of the QP (IBTA 9.9.3). */
  #refuse(p: number, t: number, answer: number): void {
    const i32 = this.#i32;
    this.#completer.discard();
    if (answer === RNR_NAK) {
      this.#counters.add(p, Count.SEND_RNR_ERR);
      i32[t + Qpt.NAK_SENT] = 1; // what comes behind it is ahead of its turn, and no news
      i32[t + Qpt.NAK_DUE] = RNR_NAK | i32[p + MIN_RNR_TIMER];
      return;
    }
    // Its answer must not overtake those of reads before it: then the packet is lost, and comes again.
    const failed = i32[p + Qpc.STATE] === QpcState.ERR;
    if (i32[t + Qpt.RESPONDING] !== 0 && !failed) return;
    if (this.#port.frames.available !== 0) this.#responses.answer(p, t, i32[p + RQ_PSN], answer);
    const unreported = answer === Aeth.NAK_REMOTE_ACCESS ? AsyncEvent.QP_ACCESS_ERR : AsyncEvent.QP_REQ_ERR;
    if (!failed && this.#isOwnPeer(p)) {
      // The NAK is for the QP itself: it fails the WQE, and the QP with it. A flush now would take the WQE.
      this.#events.raiseQp(p, unreported);
      return;
    }
    this.#completer.enterError(p, this.#responder.receiveFailed ? -1 : unreported);
    this.#states.flush(p);
  }

  /** Whether the QP talks to itself. */
  #isOwnPeer(p: number): boolean {
    const i32 = this.#i32;
    return i32[p + Qpc.DEST_QPN] === i32[p + Qpc.QPN] && i32[p + Qpc.LOCAL_PORT_ID] === i32[p + Qpc.REMOTE_PORT_ID];
  }
}

/** Whether a request has a response of its own; the others are acknowledged. */
function isResponded(info: number): boolean {
  return (info & (SEND | WRITE)) === 0;
}

/** What is remembered of a request that is responded to. */
function resourceKind(info: number): number {
  if ((info & READ) !== 0) return ResourceKind.READ;
  return (info & ATOMIC) !== 0 ? ResourceKind.ATOMIC : ResourceKind.EMPTY;
}
