/**
 * The responder of unreliable datagrams: takes a datagram into a receive, behind the 40 bytes that tell where it came from, or drops
 * it without a word (IBTA 9.8.3; order of checks as in Linux rxe_recv.c: QP, keys, then resources and length).
 */
import type { Machine } from '@openverbs/machine';
import { CqeFlagsField } from '@openverbs/verbs/rings';
import { MULTICAST } from './address-handles.ts';
import type { AddressHandles } from './address-handles.ts';
import type { Completer } from './completer.ts';
import { countBadPkey, countDrop, countQkeyViolation } from './drop-counters.ts';
import { completeGrh, GRH_BYTES } from './grh.ts';
import { Ah, EngineHeader, HcaHeader, Mcast, Qpc, QpcState, QpcType } from './layout.ts';
import { QPS_MAX } from './limits.ts';
import { MULTICAST_QPN } from './multicast.ts';
import { Opcode, WC_GRH, WC_WITH_IMM } from './opcode.ts';
import { pkeysMatch } from './pkey.ts';
import type { QpStateMachine } from './qp-state.ts';
import type { Request } from './request.ts';
import { isPortUp } from './resolve-peer.ts';
import type { Responder } from './responder.ts';
import { ScatterList } from './scatter-list.ts';
import { Aeth } from './syndrome.ts';

const { QPN, STATE, TYPE, PORT, QKEY, SQ_CONSUMER, MCAST_WQE, MCAST_NEXT, WORDS: QPC_WORDS } = Qpc;
const { RTR, ERR } = QpcState;
const UD = QpcType.UD;
const QP_MASK = QPS_MAX - 1;
const { SL_SHIFT } = CqeFlagsField;
const MCAST_WORDS = Mcast.WORDS;

export class DatagramResponder {
  readonly #i32: Int32Array;
  readonly #engine: number;
  readonly #responder: Responder;
  readonly #completer: Completer;
  readonly #states: QpStateMachine;
  readonly #handles: AddressHandles;
  /** The header and the message. */
  readonly #datagram = new ScatterList();
  /** The QP that the last datagram was for, whether it took it or not; 0 for none. */
  receiver = 0;

  constructor(parts: {
    machine: Machine;
    engine: number;
    responder: Responder;
    completer: Completer;
    states: QpStateMachine;
    handles: AddressHandles;
  }) {
    this.#i32 = parts.machine.i32;
    this.#engine = parts.engine;
    this.#responder = parts.responder;
    this.#completer = parts.completer;
    this.#states = parts.states;
    this.#handles = parts.handles;
  }

  /** Delivers a datagram of the QP at `q` to where the address handle leads that was found last. */
  deliver(q: number, request: Request, list: ScatterList): void {
    const i32 = this.#i32;
    const ah = this.#handles.entry;
    const port = i32[ah + Ah.REMOTE_PORT_ID];
    this.receiver = 0;
    if (!isPortUp(i32, i32[q + Qpc.HCA], i32[q + PORT])) return;
    if (port === MULTICAST) this.#deliverToGroup(q, ah, request, list);
    if (port < 0) return;
    const p = this.#qp(port, request.remoteAddrHi);
    if (p === 0 || !this.#mayReach(q, p, request)) return;
    this.receiver = p;
    this.#compose(ah, request, list);
    this.#scatter(q, p, ah, request);
  }

  /**
   * A copy to each QP of the group, of all HCAs on the link, each with a commit of its own; the sender is one of them if it is
   * attached (IBTA 10.5.2; IBV_QP_CREATE_BLOCK_SELF_MCAST_LB of ibv_create_qp_ex(3) is there to prevent that). Who takes over from a
   * thread that died goes on behind the last copy.
   */
  #deliverToGroup(q: number, ah: number, request: Request, list: ScatterList): void {
    const i32 = this.#i32;
    const engine = this.#engine;
    if (request.remoteAddrHi !== MULTICAST_QPN) return;
    if (i32[q + MCAST_WQE] !== i32[q + SQ_CONSUMER]) {
      i32[q + MCAST_NEXT] = 0;
      i32[q + MCAST_WQE] = i32[q + SQ_CONSUMER];
    }
    this.#compose(ah, request, list);
    let position = 0;
    for (let index = 0; index < i32[engine + EngineHeader.HCA_COUNT]; index++) {
      const hca = i32[engine + EngineHeader.HCAS + index];
      const table = i32[hca + HcaHeader.MCAST_TABLE];
      const end = table + i32[hca + HcaHeader.MCAST_HIGH_WATER] * MCAST_WORDS;
      for (let entry = table; entry < end; entry += MCAST_WORDS) {
        if (position++ < i32[q + MCAST_NEXT]) continue;
        const p = this.#member(entry, ah);
        if (p !== 0 && this.#mayReach(q, p, request)) this.#copy(q, p, ah, request, position);
      }
    }
  }

  /** The QP of an entry of a multicast table, if it is of the group of the address handle and receives; else 0. */
  #member(entry: number, ah: number): number {
    const i32 = this.#i32;
    const p = i32[entry + Mcast.QP];
    if (p === 0 || i32[entry + Mcast.QPN] !== i32[p + QPN] || i32[p + STATE] < RTR || i32[p + STATE] >= ERR) return 0;
    if (!isPortUp(i32, i32[p + Qpc.HCA], i32[p + PORT])) return 0;
    for (let n = 0; n < 4; n++) if (i32[entry + Mcast.GID + n] !== i32[ah + Ah.DGID + n]) return 0;
    return p;
  }

  #copy(q: number, p: number, ah: number, request: Request, position: number): void {
    this.#scatter(q, p, ah, request);
    this.#completer.commitRecv(q + MCAST_NEXT, position);
    if (this.#i32[p + STATE] !== ERR) return;
    // Its own queue is flushed when the send is committed, not before.
    if (p === q) this.receiver = q;
    else this.#states.flush(p);
  }

  /** Whether the keys of a datagram are right, the P_Key first; a wrong one is counted. */
  #mayReach(q: number, p: number, request: Request): boolean {
    const i32 = this.#i32;
    if (!pkeysMatch(i32[q + Qpc.SERVICE_PKEY], i32[p + Qpc.SERVICE_PKEY])) {
      countBadPkey(i32, p);
      return false;
    }
    // A Q_Key with the top bit set stands for the sender's own (IBTA 10.2.5; source: Linux mthca_qp.c, mlx4 qp.c).
    const qkey = request.rkey < 0 ? i32[q + QKEY] : request.rkey;
    if (i32[p + QKEY] === qkey) return true;
    countQkeyViolation(i32, p);
    return false;
  }

  /** The UD queue pair with a number, of the HCA of a port, if it receives there; else 0. */
  #qp(port: number, qpn: number): number {
    const i32 = this.#i32;
    const hca = i32[this.#engine + EngineHeader.HCAS + (port >>> 8)];
    if (!isPortUp(i32, hca, port & 0xff)) return 0;
    const p = i32[hca + HcaHeader.QP_TABLE] + (qpn & QP_MASK) * QPC_WORDS;
    const receives =
      qpn !== 0 &&
      qpn !== MULTICAST_QPN &&
      i32[p + QPN] === qpn &&
      i32[p + TYPE] === UD &&
      i32[p + PORT] === (port & 0xff) &&
      i32[p + STATE] >= RTR &&
      i32[p + STATE] < ERR;
    return receives ? p : 0;
  }

  /** Puts the header in front of the message. It lies in the engine's own page until it is scattered. */
  #compose(ah: number, request: Request, list: ScatterList): void {
    const header = this.#engine + EngineHeader.GRH;
    completeGrh(this.#i32, ah + Ah.GRH, header, list.length, request.opcode === Opcode.SEND_WITH_IMM);
    const datagram = this.#datagram;
    datagram.mpt[0] = 0;
    datagram.address[0] = header << 2;
    datagram.bytes[0] = GRH_BYTES;
    for (let n = 0; n < list.count; n++) {
      datagram.mpt[n + 1] = list.mpt[n];
      datagram.address[n + 1] = list.address[n];
      datagram.bytes[n + 1] = list.bytes[n];
    }
    datagram.count = list.count + 1;
    datagram.length = list.length + GRH_BYTES;
  }

  #scatter(q: number, p: number, ah: number, request: Request): void {
    const i32 = this.#i32;
    const withImm = request.opcode === Opcode.SEND_WITH_IMM;
    const wcFlags = withImm ? WC_GRH | WC_WITH_IMM : WC_GRH;
    const answer = this.#responder.send(p, this.#datagram, withImm ? request.imm : 0, wcFlags, request.solicited);
    if (answer === Aeth.ACK) {
      // On Ethernet there are no LIDs, and so no path bits of one.
      const flags = wcFlags | (i32[ah + Ah.SL] << SL_SHIFT);
      this.#completer.addressRecv(i32[q + QPN], flags, i32[p + Qpc.PKEY_INDEX]);
      return;
    }
    this.#completer.discard();
    countDrop(i32, p, answer);
  }
}
