/**
 * The requester of UC and UD as packets: they are sent once and never heard of again (IBTA 9.8).
 *
 * Its words are few: SQ_PSN of the QP context is where the message at the head begins, NEXT the packet to send.
 */
import type { Machine } from '@openverbs/machine';
import { portId } from '@openverbs/netdev';
import { addPsn, Opcode as Wire, packetCount, psnDistance } from '@openverbs/rocev2';
import { CqeSyndrome, QpDoorbellRecord, VendorErr } from '@openverbs/verbs/rings';
import { MULTICAST } from '../address-handles.ts';
import { AsyncEvent } from '../async-event.ts';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import { Ah, EngineHeader, Qpc, QpcState, QpcType } from '../layout.ts';
import { MULTICAST_QPN } from '../multicast.ts';
import { Opcode, SendFlag, WC_OPCODE, WC_SEND } from '../opcode.ts';
import type { QpStateMachine } from '../qp-state.ts';
import { LOCAL_OPERATION, type SendWqeFetcher } from '../send-wqe-fetcher.ts';
import type { UnreliableRequester } from '../unreliable-requester.ts';
import type { FramePort } from './frame-port.ts';
import { Qpt } from './layout.ts';
import { FRAMES_RESERVED, PORT_OF_GROUPS } from './limits.ts';
import { Part, wireOpcode } from './wire-opcode.ts';

const { STATE, SQ_CONSUMER, SQ_PSN, PATH_MTU, SQ_BASE, SQ_LOG2_COUNT, SQ_LOG2_WORDS, RECORD, TYPE } = Qpc;
const { RTS, SQE, ERR } = QpcState;
const { NEXT, STARTED, MESSAGE_LENGTH } = Qpt;
const UD = QpcType.UD;

export class UnreliablePacketRequester {
  readonly #i32: Int32Array;
  readonly #engine: number;
  readonly #port: FramePort;
  readonly #wqe: SendWqeFetcher;
  readonly #unreliable: UnreliableRequester;
  readonly #completer: Completer;
  readonly #states: QpStateMachine;
  readonly #counters: Counters;

  constructor(parts: {
    machine: Machine;
    engine: number;
    port: FramePort;
    wqe: SendWqeFetcher;
    unreliable: UnreliableRequester;
    completer: Completer;
    states: QpStateMachine;
    counters: Counters;
  }) {
    this.#i32 = parts.machine.i32;
    this.#engine = parts.engine;
    this.#port = parts.port;
    this.#wqe = parts.wqe;
    this.#unreliable = parts.unreliable;
    this.#completer = parts.completer;
    this.#states = parts.states;
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
}
