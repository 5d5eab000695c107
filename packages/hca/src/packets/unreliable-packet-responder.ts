/** The responder of UC and UD as packets: what comes is taken in its turn, or dropped without a word (IBTA 9.8). */
import type { Machine } from '@openverbs/machine';
import { addPsn, IPV4_HEADER_BYTES, Opcode as Wire, OPCODE_INFO, OpcodeFlag } from '@openverbs/rocev2';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import { countDrop, countQkeyViolation } from '../drop-counters.ts';
import type { EventQueues } from '../event-queue.ts';
import { GRH_BYTES, GRH_WORDS } from '../grh.ts';
import { EngineHeader, Qpc, QpcState } from '../layout.ts';
import { WC_GRH, WC_WITH_IMM } from '../opcode.ts';
import type { QpStateMachine } from '../qp-state.ts';
import { Request } from '../request.ts';
import type { Responder } from '../responder.ts';
import { ScatterList } from '../scatter-list.ts';
import { Aeth } from '../syndrome.ts';
import type { FramePort } from './frame-port.ts';
import { addressWrite, rememberWrite } from './inbound-write.ts';
import { Inbound, Qpt } from './layout.ts';

const { STATE, RQ_PSN, PATH_MTU } = Qpc;
const { FIRST, MIDDLE, LAST, ONLY, SEND, HAS_IMM } = OpcodeFlag;
const { ACK } = Aeth;
const ERR = QpcState.ERR;

export class UnreliablePacketResponder {
  readonly #i32: Int32Array;
  readonly #engine: number;
  readonly #port: FramePort;
  readonly #responder: Responder;
  readonly #completer: Completer;
  readonly #states: QpStateMachine;
  readonly #events: EventQueues;
  readonly #counters: Counters;
  readonly #request = new Request();
  readonly #list = new ScatterList();

  constructor(parts: {
    machine: Machine;
    engine: number;
    port: FramePort;
    responder: Responder;
    completer: Completer;
    states: QpStateMachine;
    events: EventQueues;
    counters: Counters;
  }) {
    this.#i32 = parts.machine.i32;
    this.#engine = parts.engine;
    this.#port = parts.port;
    this.#responder = parts.responder;
    this.#completer = parts.completer;
    this.#states = parts.states;
    this.#events = parts.events;
    this.#counters = parts.counters;
  }

  /** The packet that the port has read, of a UC queue pair's peer. */
  receiveConnected(p: number, t: number): void {
    const i32 = this.#i32;
    const packet = this.#port.in;
    const info = OPCODE_INFO[packet.opcode];
    const starts = (info & (FIRST | ONLY)) !== 0;
    // IBTA 9.8.2.2: a gap, or a new message before the end of the old one, is the end of the old one.
    if (packet.psn !== i32[p + RQ_PSN] || starts) i32[t + Qpt.INBOUND] = Inbound.NONE;
    i32[p + RQ_PSN] = packet.psn;
    this.#events.establish(p);
    const answer = this.#isNext(p, t, info, starts) ? this.#carryOut(p, t, info, starts) : Aeth.NAK_INVALID_REQUEST;
    if (answer !== ACK) this.#drop(p, t, starts, answer);
    if (i32[p + STATE] === ERR) this.#states.flush(p);
  }

  /** The datagram that the port has read from `frame`, for the UD queue pair at `p`. */
  receiveDatagram(p: number, frame: number): void {
    const i32 = this.#i32;
    const packet = this.#port.in;
    if (packet.qkey !== i32[p + Qpc.QKEY]) return countQkeyViolation(i32, p);
    const list = this.#list;
    this.#setGrh(frame);
    list.append(packet.payloadAt, packet.payloadLength);
    const hasImm = packet.opcode === Wire.UD_SEND_ONLY_WITH_IMMEDIATE;
    const flags = hasImm ? WC_GRH | WC_WITH_IMM : WC_GRH;
    const answer = this.#responder.send(p, list, hasImm ? packet.imm : 0, flags, packet.solicited !== 0);
    if (answer === ACK) {
      this.#completer.addressRecv(packet.srcQpn, flags, i32[p + Qpc.PKEY_INDEX]);
      this.#completer.commitRecv();
      this.#counters.add(p, Count.RDMA_RECVS);
    } else {
      this.#completer.discard();
      countDrop(i32, p, answer);
    }
    if (i32[p + STATE] === ERR) this.#states.flush(p);
  }

  /** The receiver finds the IP header of the frame in front of the message; that of IPv4 behind 20 bytes that mean nothing. */
  #setGrh(frame: number): void {
    const list = this.#list;
    if (!this.#port.isIpv4) return list.setRun(frame, GRH_BYTES);
    const nothing = this.#engine + EngineHeader.GRH;
    this.#i32.fill(0, nothing, nothing + GRH_WORDS);
    list.setRun(nothing << 2, GRH_BYTES - IPV4_HEADER_BYTES);
    list.append(frame, IPV4_HEADER_BYTES);
  }

  /** Whether the packet goes on with what there is, or begins something, and has the length that it must have. */
  #isNext(p: number, t: number, info: number, starts: boolean): boolean {
    const i32 = this.#i32;
    const { payloadLength } = this.#port.in;
    const mtu = 1 << (7 + i32[p + PATH_MTU]);
    if (payloadLength > mtu || ((info & (FIRST | MIDDLE)) !== 0 && payloadLength !== mtu)) return false;
    if (starts) return true;
    const inbound = i32[t + Qpt.INBOUND];
    return inbound === ((info & SEND) !== 0 ? Inbound.SEND : Inbound.WRITE) && payloadLength > 0;
  }

  #carryOut(p: number, t: number, info: number, starts: boolean): number {
    const i32 = this.#i32;
    const { payloadAt, payloadLength, imm, solicited } = this.#port.in;
    const responder = this.#responder;
    const ends = (info & (LAST | ONLY)) !== 0;
    const hasImm = (info & HAS_IMM) !== 0;
    const isSend = (info & SEND) !== 0;
    const offset = starts ? 0 : i32[t + Qpt.INBOUND_BYTES];
    const bytes = offset + payloadLength;
    this.#list.setRun(payloadAt, payloadLength);
    let answer = isSend ? responder.sendPart(p, this.#list, offset) : this.#write(p, t, offset, starts, ends, hasImm);
    if (answer === ACK && ends && isSend) {
      answer = responder.completeSend(p, bytes, hasImm ? imm : 0, hasImm ? WC_WITH_IMM : 0, solicited !== 0);
    } else if (answer === ACK && hasImm) answer = responder.writeImm(p, bytes, imm, solicited !== 0);
    if (answer !== ACK) return answer;
    if (ends && (isSend || hasImm)) this.#counters.add(p, Count.RDMA_RECVS);
    const inbound = isSend ? Inbound.SEND : Inbound.WRITE;
    this.#completer.commitPacket(p, t, 1, ends ? 1 : 0, ends ? Inbound.NONE : inbound, ends ? 0 : bytes, 0);
    return ACK;
  }

  #write(p: number, t: number, offset: number, starts: boolean, ends: boolean, hasImm: boolean): number {
    const i32 = this.#i32;
    const packet = this.#port.in;
    const request = this.#request;
    const responder = this.#responder;
    if (starts) rememberWrite(i32, t, packet);
    const left = (i32[t + Qpt.INBOUND_LENGTH] >>> 0) - offset;
    if (ends ? packet.payloadLength !== left : packet.payloadLength >= left) return Aeth.NAK_INVALID_REQUEST;
    addressWrite(i32, t, offset, request);
    // The whole message is checked at its first packet, so that one that reaches too far writes nothing.
    let answer = starts ? responder.checkWrite(p, request, i32[t + Qpt.INBOUND_LENGTH] >>> 0) : ACK;
    if (answer === ACK && hasImm) answer = responder.checkReceive(p);
    return answer === ACK ? responder.write(p, request, this.#list) : answer;
  }

  /** The rest of the message is dropped without a word; it counts once. */
  #drop(p: number, t: number, starts: boolean, answer: number): void {
    const i32 = this.#i32;
    this.#completer.discard();
    const counts = starts || i32[t + Qpt.INBOUND] !== Inbound.NONE;
    i32[t + Qpt.INBOUND] = Inbound.NONE;
    i32[t + Qpt.INBOUND_BYTES] = 0;
    i32[p + RQ_PSN] = addPsn(this.#port.in.psn, 1);
    if (counts) countDrop(i32, p, answer);
  }
}
