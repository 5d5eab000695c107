/**
 * The packet transport: carries the messages of all QPs of a machine as packets over its link, when something has to see or
 * disturb packets. Otherwise a message is one descriptor, and none of this runs.
 *
 * A pump serves frames that have arrived and QPs that have something to send, by turns, until there is neither. Frames and the
 * queue of QPs that want to send are words in machine memory: whoever holds the machine's lock goes on with them.
 */
import type { Machine } from '@openverbs/machine';
import { deviceOf, portId, portOf } from '@openverbs/netdev';
import type { FaultInjector, FrameQueue } from '@openverbs/netdev';
import { OPCODE_INFO, OpcodeFlag, Transport, transportOf } from '@openverbs/rocev2';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import { countBadPkey } from '../drop-counters.ts';
import type { DmaEngine } from '../dma-engine.ts';
import type { EventQueues } from '../event-queue.ts';
import type { Hca } from '../hca.ts';
import { EngineHeader, Mcast, Qpc, QpcState, QpcType } from '../layout.ts';
import { QPS_MAX } from '../limits.ts';
import type { LocalOperations } from '../local-operations.ts';
import { attachments } from '../multicast.ts';
import type { PathMigration } from '../path-migration.ts';
import { pkeysMatch } from '../pkey.ts';
import type { QpStateMachine } from '../qp-state.ts';
import { isPortUp } from '../resolve-peer.ts';
import type { Responder } from '../responder.ts';
import type { SendWqeFetcher } from '../send-wqe-fetcher.ts';
import type { Tap } from '../tap.ts';
import type { TimerQueue } from '../timer-queue.ts';
import type { UnreliableRequester } from '../unreliable-requester.ts';
import { FramePort } from './frame-port.ts';
import { Qpt } from './layout.ts';
import { PORT_OF_GROUPS, PUMP_BUDGET, TRANSMIT_BUDGET } from './limits.ts';
import { PacketCompleter } from './packet-completer.ts';
import { PacketRequester } from './packet-requester.ts';
import { PacketResponder } from './packet-responder.ts';
import { UnreliablePacketRequester } from './unreliable-packet-requester.ts';
import { UnreliablePacketResponder } from './unreliable-packet-responder.ts';
import { isTransportOf } from './wire-opcode.ts';

const { QPN, STATE, TRANSPORT, TYPE } = Qpc;
const { TRANSMIT_HEAD, TRANSMIT_TAIL } = EngineHeader;
const { QUEUED, QUEUE_NEXT } = Qpt;

/** What the transport is made of. */
export interface PacketTransportParts {
  readonly machine: Machine;
  /** Word index of the engine's header. */
  readonly engine: number;
  readonly faults: FaultInjector;
  readonly dma: DmaEngine;
  readonly wqe: SendWqeFetcher;
  readonly local: LocalOperations;
  readonly responder: Responder;
  readonly unreliable: UnreliableRequester;
  readonly completer: Completer;
  readonly states: QpStateMachine;
  readonly events: EventQueues;
  readonly timers: TimerQueue;
  readonly migration: PathMigration;
  readonly counters: Counters;
  readonly nowNs: () => number;
  /** The HCAs of the machine, by index. */
  readonly hcas: () => readonly Hca[];
}

export class PacketTransport {
  readonly #i32: Int32Array;
  readonly #engine: number;
  readonly #frames: FrameQueue;
  readonly #port: FramePort;
  readonly #requester: PacketRequester;
  readonly #completer: PacketCompleter;
  readonly #responder: PacketResponder;
  readonly #unreliableRequester: UnreliablePacketRequester;
  readonly #unreliableResponder: UnreliablePacketResponder;
  readonly #timers: TimerQueue;
  readonly #migration: PathMigration;
  readonly #counters: Counters;
  readonly #tap: Tap;
  readonly #nowNs: () => number;
  readonly #hcas: () => readonly Hca[];

  constructor(parts: PacketTransportParts) {
    const { machine, dma, faults, counters, nowNs } = parts;
    const { frames } = faults;
    this.#i32 = machine.i32;
    this.#engine = parts.engine;
    this.#frames = frames;
    this.#timers = parts.timers;
    this.#migration = parts.migration;
    this.#nowNs = nowNs;
    this.#hcas = parts.hcas;
    const port = new FramePort(machine, dma, frames, faults, nowNs);
    this.#port = port;
    this.#tap = parts.events.tap;
    faults.onSend = (frame, length, source) => {
      counters.addTo(parts.hcas()[deviceOf(source)].header, portOf(source), Count.SENT_PKTS);
      this.#tap.frame('sent', source, frame, length);
    };
    this.#counters = counters;
    this.#requester = new PacketRequester({ ...parts, port, counters });
    this.#completer = new PacketCompleter({ ...parts, port, counters, requester: this.#requester });
    this.#responder = new PacketResponder({ ...parts, port, counters });
    this.#unreliableRequester = new UnreliablePacketRequester({ ...parts, port, counters });
    this.#unreliableResponder = new UnreliablePacketResponder({ ...parts, port, counters });
  }

  /** The send queue of the QP at `q` may have work: sends what it may, and serves what that leads to. */
  run(q: number): void {
    this.schedule(q);
    this.pump();
  }

  /** A receive was posted to the QP at `q` that had none. */
  receivePosted(q: number): void {
    const t = this.#i32[q + TRANSPORT];
    if (t === 0 || this.#i32[q + STATE] < QpcState.RTR || !this.#responder.relieve(q, t)) return;
    this.run(q);
  }

  /** The timer of the QP at `q` has run out. */
  expire(q: number): void {
    if (this.#completer.expire(q, this.#i32[q + TRANSPORT])) this.schedule(q);
  }

  /** Puts a QP into the transmit queue. */
  schedule(q: number): void {
    const i32 = this.#i32;
    const t = i32[q + TRANSPORT];
    if (t === 0 || i32[t + QUEUED] !== 0) return;
    i32[t + QUEUED] = 1;
    i32[t + QUEUE_NEXT] = 0;
    const tail = i32[this.#engine + TRANSMIT_TAIL];
    if (tail === 0) i32[this.#engine + TRANSMIT_HEAD] = q;
    else i32[i32[tail + TRANSPORT] + QUEUE_NEXT] = q;
    i32[this.#engine + TRANSMIT_TAIL] = q;
  }

  /** Takes a QP that ends out of the transmit queue. */
  forget(q: number): void {
    const i32 = this.#i32;
    if (i32[i32[q + TRANSPORT] + QUEUED] === 0) return;
    const waiting: number[] = [];
    for (let next = this.#take(); next !== 0; next = this.#take()) if (next !== q) waiting.push(next);
    for (const other of waiting) this.schedule(other);
  }

  /** Serves frames that have arrived and QPs that want to send, until there is neither or the budget is used up. */
  pump(): void {
    let stuck = 0;
    for (let left = PUMP_BUDGET; left > 0; left--) {
      const frame = this.#frames.take(this.#nowNs());
      if (frame !== 0) {
        this.#receive(frame);
        this.#frames.free(frame);
        stuck = 0;
        continue;
      }
      const q = this.#take();
      if (q === 0) break;
      const before = this.#port.sent;
      const more = this.#transmit(q);
      if (more) this.schedule(q);
      if (this.#port.sent !== before || (q === stuck && !more)) stuck = 0;
      else if (more && stuck === 0) stuck = q;
      else if (stuck === q) break; // none of them finds a frame: they wait for those under way to arrive
    }
    // What the budget left is due at once.
    const hasWork = this.#i32[this.#engine + TRANSMIT_HEAD] !== 0 && stuck === 0;
    this.#timers.setLinkDeadline(hasWork ? 0 : this.#frames.earliestNs);
  }

  /** After a thread died: all frames are lost, as on a network, and every QP begins where its peer has acknowledged. */
  recover(queues: readonly number[]): void {
    const i32 = this.#i32;
    this.#frames.reset();
    i32[this.#engine + TRANSMIT_HEAD] = i32[this.#engine + TRANSMIT_TAIL] = 0;
    for (const q of queues) {
      const t = i32[q + TRANSPORT];
      i32[t + QUEUED] = 0;
      this.#responder.recover(t);
      this.#requester.recover(q, t);
      this.schedule(q);
    }
    this.pump();
  }

  #take(): number {
    const i32 = this.#i32;
    const q = i32[this.#engine + TRANSMIT_HEAD];
    if (q === 0) return 0;
    const t = i32[q + TRANSPORT];
    const next = i32[t + QUEUE_NEXT];
    i32[this.#engine + TRANSMIT_HEAD] = next;
    if (next === 0) i32[this.#engine + TRANSMIT_TAIL] = 0;
    i32[t + QUEUED] = 0;
    return q;
  }

  /** Sends answers first, then requests; true when more is left to send. */
  #transmit(q: number): boolean {
    const t = this.#i32[q + TRANSPORT];
    const state = this.#i32[q + STATE];
    if (state < QpcState.RTR) return false;
    if (isUnreliable(this.#i32[q + TYPE])) return this.#unreliableRequester.run(q, t, TRANSMIT_BUDGET);
    if (state === QpcState.ERR) return this.#requester.run(q, t, 0);
    let left = TRANSMIT_BUDGET;
    while (this.#responder.hasOutput(t)) {
      if (left-- === 0 || this.#frames.available === 0) return true;
      this.#responder.transmit(q, t);
    }
    return this.#requester.run(q, t, left);
  }

  /** A port that is down neither sends nor hears. */
  #isUp(identity: number): boolean {
    return isPortUp(this.#i32, this.#hcas()[deviceOf(identity)].header, portOf(identity));
  }

  #receive(frame: number): void {
    const i32 = this.#i32;
    const destination = this.#frames.destination(frame);
    const hca = this.#hcas()[deviceOf(destination)];
    const isForGroup = portOf(destination) === PORT_OF_GROUPS;
    if ((!isForGroup && !this.#isUp(destination)) || !this.#isUp(this.#frames.source(frame))) return;
    // What is for a group is for any port of the HCA that is in it; the first one stands for them.
    const port = isForGroup ? 1 : portOf(destination);
    this.#tap.frame('received', portId(deviceOf(destination), port), frame, this.#frames.length(frame));
    if (!this.#port.receive(frame)) {
      this.#counters.addTo(hca.header, port, Count.RCVD_ICRC_ERR);
      return;
    }
    this.#counters.addTo(hca.header, port, Count.RCVD_PKTS);
    const packet = this.#port.in;
    if (isForGroup) return this.#receiveForGroup(hca, frame);
    const q = hca.qpTable + (packet.destQpn & (QPS_MAX - 1)) * Qpc.WORDS;
    if (packet.destQpn === 0 || i32[q + QPN] !== packet.destQpn) return;
    const state = i32[q + STATE];
    if (state < QpcState.RTR || state === QpcState.ERR) return;
    const type = i32[q + TYPE];
    if (!isTransportOf(type, transportOf(packet.opcode))) return;
    const isItsPath = type === QpcType.UD ? i32[q + Qpc.PORT] === portOf(destination) : this.#isFromPeer(q, frame);
    // What P_Key it must have depends on the path, which the packet may have changed.
    if (!isItsPath || !this.#isInPartition(q)) return;
    if (type === QpcType.UD) this.#unreliableResponder.receiveDatagram(q, frame);
    else this.#receiveConnected(q, type);
  }

  /** A datagram for a multicast group: every QP of the HCA that is attached to it. */
  #receiveForGroup(hca: Hca, frame: number): void {
    const i32 = this.#i32;
    if (transportOf(this.#port.in.opcode) !== Transport.UD) return;
    for (const entry of attachments(i32, hca)) {
      const p = i32[entry + Mcast.QP];
      const state = i32[p + STATE];
      if (i32[entry + Mcast.QPN] !== i32[p + QPN] || state < QpcState.RTR || state === QpcState.ERR) continue;
      if (!isPortUp(i32, hca.header, i32[p + Qpc.PORT]) || !this.#port.isTo(entry + Mcast.GID)) continue;
      if (this.#isInPartition(p)) this.#unreliableResponder.receiveDatagram(p, frame);
    }
  }

  /** Whether the P_Key of the packet is that of the QP's partition. */
  #isInPartition(q: number): boolean {
    if (pkeysMatch(this.#port.in.pkey, this.#i32[q + Qpc.SERVICE_PKEY])) return true;
    countBadPkey(this.#i32, q);
    return false;
  }

  /** As rxe's check_addr: a connected QP hears nobody but its peer. */
  #isFromPeer(q: number, frame: number): boolean {
    const i32 = this.#i32;
    const frames = this.#frames;
    const source = frames.source(frame);
    const destination = frames.destination(frame);
    const known = i32[q + Qpc.REMOTE_PORT_ID] === source && i32[q + Qpc.LOCAL_PORT_ID] === destination;
    if (known) return true;
    // IBTA 17.2.8: who sends over the alternate path has migrated, and says so.
    const { migReq, pkey } = this.#port.in;
    return migReq !== 0 && this.#migration.followTo(q, destination, source, pkey);
  }

  #receiveConnected(q: number, type: number): void {
    const t = this.#i32[q + TRANSPORT];
    if (type === QpcType.UC) {
      this.#unreliableResponder.receiveConnected(q, t);
      return;
    }
    const isResponse = (OPCODE_INFO[this.#port.in.opcode] & OpcodeFlag.RESPONSE) !== 0;
    // Each half of XRC hears the other one only.
    if (type === (isResponse ? QpcType.XRC_RECV : QpcType.XRC_SEND)) return;
    if (isResponse) this.#completer.receive(q, t);
    else this.#responder.receive(q, t);
    this.schedule(q);
  }
}

function isUnreliable(qpType: number): boolean {
  return qpType === QpcType.UC || qpType === QpcType.UD;
}
