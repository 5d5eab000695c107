/**
 * UC and UD as packets: sent once and never heard of again, and on the other side taken in their turn or dropped (IBTA 9.8).
 *
 * The requester's words are few: SQ_PSN of the QP context is where the message at the head begins, NEXT the packet to send.
 */
import type { Machine } from '@openverbs/machine';
import { portId } from '@openverbs/netdev';
import {
  addPsn,
  IPV4_HEADER_BYTES,
  Opcode as Wire,
  OPCODE_INFO,
  OpcodeFlag,
  packetCount,
  psnDistance,
} from '@openverbs/rocev2';
import { CqeSyndrome, QpDoorbellRecord, VendorErr } from '@openverbs/verbs/rings';
import { MULTICAST } from '../address-handles.ts';
import { AsyncEvent } from '../async-event.ts';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import { countDrop, countQkeyViolation } from '../drop-counters.ts';
import type { EventQueues } from '../event-queue.ts';
import { GRH_BYTES, GRH_WORDS } from '../grh.ts';
import { Ah, EngineHeader, Qpc, QpcState, QpcType } from '../layout.ts';
import { MULTICAST_QPN } from '../multicast.ts';
import { Opcode, SendFlag, WC_GRH, WC_OPCODE, WC_SEND, WC_WITH_IMM } from '../opcode.ts';
import type { QpStateMachine } from '../qp-state.ts';
import { Request } from '../request.ts';
import type { Responder } from '../responder.ts';
import { ScatterList } from '../scatter-list.ts';
import { LOCAL_OPERATION, type SendWqeFetcher } from '../send-wqe-fetcher.ts';
import { Aeth } from '../syndrome.ts';
import type { UnreliableRequester } from '../unreliable-requester.ts';
import type { FramePort } from './frame-port.ts';
import { Inbound, Qpt } from './layout.ts';
import { FRAMES_RESERVED, PORT_OF_GROUPS } from './limits.ts';
import { Part, wireOpcode } from './wire-opcode.ts';

const { STATE, SQ_CONSUMER, SQ_PSN, RQ_PSN, PATH_MTU, SQ_BASE, SQ_LOG2_COUNT, SQ_LOG2_WORDS, RECORD, TYPE } = Qpc;
const { FIRST, MIDDLE, LAST, ONLY, SEND, HAS_IMM } = OpcodeFlag;
const { RTS, SQE, ERR } = QpcState;
const { NEXT, STARTED, MESSAGE_LENGTH } = Qpt;
const { ACK } = Aeth;
const UD = QpcType.UD;

export class UnreliablePackets {
  readonly #i32: Int32Array;
  readonly #engine: number;
  readonly #port: FramePort;
  readonly #wqe: SendWqeFetcher;
  readonly #unreliable: UnreliableRequester;
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
    wqe: SendWqeFetcher;
    unreliable: UnreliableRequester;
    responder: Responder;
    completer: Completer;
    states: QpStateMachine;
    events: EventQueues;
    counters: Counters;
  }) {
    this.#i32 = parts.machine.i32;
    this.#engine = parts.engine;
    this.#port = parts.port;
    this.#wqe = parts.wqe;
    this.#unreliable = parts.unreliable;
    this.#responder = parts.responder;
    this.#completer = parts.completer;
    this.#states = parts.states;
    this.#events = parts.events;
    this.#counters = parts.counters;
  }

  /** Sends up to `budget` packets of the QP at `q`; true when budget or frames ended it. */
  run(q: number, t: number, budget: number): boolean {
    const i32 = this.#i32;
    const state = i32[q + STATE];
    if (state === ERR) this.#states.flush(q);
    else if (state === SQE) this.#states.flushSends(q);
    if (state !== RTS) return false;
    if (i32[t + STARTED] === 0) {
      i32[t + NEXT] = i32[q + SQ_PSN];
      i32[t + STARTED] = 1;
    }
    for (let left = budget; ;) {
      const index = i32[q + SQ_CONSUMER];
      if (!this.#hasWork(q, index)) return false;
      const failed = this.#fetch(q, t, index);
      if (failed === LOCAL_OPERATION) continue; // it is done
      if (failed !== 0) {
        this.#unreliable.fail(q, index, failed);
        return false;
      }
      const packets = i32[q + TYPE] === UD ? 1 : packetCount(this.#wqe.list.length, i32[q + PATH_MTU]);
      for (let n = psnDistance(i32[q + SQ_PSN], i32[t + NEXT]); n < packets; n++) {
        if (left-- <= 0 || this.#port.frames.available <= FRAMES_RESERVED) return true;
        this.#sendPacket(q, t, n, packets);
      }
      this.#complete(q, index, packets);
      if (i32[q + STATE] !== RTS) return false;
    }
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

  #hasWork(q: number, index: number): boolean {
    const i32 = this.#i32;
    const producer = Atomics.load(i32, i32[q + RECORD] + QpDoorbellRecord.SQ_PRODUCER);
    if ((producer - index) >>> 0 > 1 << i32[q + SQ_LOG2_COUNT]) {
      this.#states.fail(q, AsyncEvent.QP_FATAL); // a doorbell record that claims more than the ring holds
      return false;
    }
    return index !== producer;
  }

  /**
   * Fetches the WQE at the head; in the middle of a message it must be as long as it was. Answers a vendor error, 0, or
   * LOCAL_OPERATION when it was one and is done.
   */
  #fetch(q: number, t: number, index: number): number {
    const i32 = this.#i32;
    const w = i32[q + SQ_BASE] + ((index & ((1 << i32[q + SQ_LOG2_COUNT]) - 1)) << i32[q + SQ_LOG2_WORDS]);
    let failed = this.#unreliable.fetch(q, w);
    if (failed === LOCAL_OPERATION) return this.#unreliable.executeLocal(q, index) || LOCAL_OPERATION;
    const { length } = this.#wqe.list;
    if (i32[t + NEXT] === i32[q + SQ_PSN]) i32[t + MESSAGE_LENGTH] = length;
    else if (failed === 0 && i32[t + MESSAGE_LENGTH] !== (length | 0)) {
      failed = this.#wqe.refuse(CqeSyndrome.LOCAL_QP_OP_ERR, VendorErr.WQE_CHANGED, 0);
    }
    return failed;
  }

  #sendPacket(q: number, t: number, n: number, packets: number): void {
    const i32 = this.#i32;
    const { out } = this.#port;
    const { request, list } = this.#wqe;
    const last = n === packets - 1;
    out.psn = i32[t + NEXT];
    out.solicited = last && request.solicited ? 1 : 0;
    out.ackReq = 0;
    out.imm = request.imm;
    if (i32[q + TYPE] === UD) this.#sendDatagram(q);
    else {
      let part: number = n === 0 ? Part.FIRST : Part.MIDDLE;
      if (last) part = n === 0 ? Part.ONLY : Part.LAST;
      const mtu = 1 << (7 + i32[q + PATH_MTU]);
      out.opcode = wireOpcode(i32[q + TYPE], request.opcode, part);
      out.destQpn = i32[q + Qpc.DEST_QPN];
      out.vaLo = request.remoteAddrLo;
      out.vaHi = request.remoteAddrHi;
      out.rkey = request.rkey;
      out.dmaLength = list.length | 0;
      this.#port.send(q, t, list, n * mtu, Math.min(list.length - n * mtu, mtu));
    }
    i32[t + NEXT] = addPsn(i32[t + NEXT], 1);
  }

  #sendDatagram(q: number): void {
    const i32 = this.#i32;
    const { out } = this.#port;
    const { request, list } = this.#wqe;
    const withImm = request.opcode === Opcode.SEND_WITH_IMM;
    out.opcode = withImm ? Wire.UD_SEND_ONLY_WITH_IMMEDIATE : Wire.UD_SEND_ONLY;
    out.destQpn = request.remoteAddrHi & 0xffffff;
    out.srcQpn = i32[q + Qpc.QPN];
    // A Q_Key with the top bit set stands for the sender's own (IBTA 10.2.5).
    out.qkey = request.rkey < 0 ? i32[q + Qpc.QKEY] : request.rkey;
    const ah = this.#unreliable.handle;
    // A number of more than 24 bits is nobody's, and no part of it may become somebody's.
    if (out.destQpn !== request.remoteAddrHi) return;
    const port = i32[ah + Ah.REMOTE_PORT_ID];
    if (port === MULTICAST && out.destQpn === MULTICAST_QPN) this.#sendToGroup(q, ah);
    else if (port >= 0) this.#port.sendTo(q, ah, i32[ah + Ah.REMOTE_PORT_ID], list);
  }

  /** The link takes a datagram for a group to all HCAs. */
  #sendToGroup(q: number, ah: number): void {
    const { list } = this.#wqe;
    const hcas = this.#i32[this.#engine + EngineHeader.HCA_COUNT];
    for (let index = 0; index < hcas; index++) this.#port.sendTo(q, ah, portId(index, PORT_OF_GROUPS), list);
  }

  #complete(q: number, index: number, packets: number): void {
    const { request, list } = this.#wqe;
    const signaled = (request.flags & SendFlag.SIGNALED) !== 0;
    const opcode = WC_OPCODE[request.opcode];
    if (opcode === WC_SEND) this.#counters.add(q, Count.RDMA_SENDS);
    this.#completer.complete(q, 0, packets, signaled, index, opcode, list.length);
    if (this.#i32[q + STATE] === ERR) this.#states.flush(q); // its CQ overran
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
    if (starts) {
      i32[t + Qpt.INBOUND_RKEY] = packet.rkey;
      i32[t + Qpt.INBOUND_VA_LO] = packet.vaLo;
      i32[t + Qpt.INBOUND_VA_HI] = packet.vaHi;
      i32[t + Qpt.INBOUND_LENGTH] = packet.dmaLength;
    }
    const left = (i32[t + Qpt.INBOUND_LENGTH] >>> 0) - offset;
    if (ends ? packet.payloadLength !== left : packet.payloadLength >= left) return Aeth.NAK_INVALID_REQUEST;
    request.rkey = i32[t + Qpt.INBOUND_RKEY];
    request.setRemote(i32[t + Qpt.INBOUND_VA_LO], i32[t + Qpt.INBOUND_VA_HI], offset);
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
