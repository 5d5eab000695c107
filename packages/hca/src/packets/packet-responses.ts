/**
 * What a responder sends: responses of reads and atomics, acknowledges and NAKs, in the order of PSNs, because an acknowledge may not
 * overtake the responses of a read before it (IBTA 9.7.5.1).
 */
import type { Machine } from '@openverbs/machine';
import { addPsn, Opcode as Wire, psnDistance } from '@openverbs/rocev2';
import { Qpc } from '../layout.ts';
import { Request } from '../request.ts';
import type { Responder } from '../responder.ts';
import { ScatterList } from '../scatter-list.ts';
import { Aeth } from '../syndrome.ts';
import { acknowledge } from './credits.ts';
import type { FramePort } from './frame-port.ts';
import { Qpt, Resource, ResourceKind } from './layout.ts';
import type { ResponderResources } from './responder-resources.ts';
import { onTransport } from './wire-opcode.ts';

const { RQ_PSN, MSN, PATH_MTU } = Qpc;
const { ACK } = Aeth;

export class PacketResponses {
  readonly #i32: Int32Array;
  readonly #port: FramePort;
  readonly #responder: Responder;
  readonly #resources: ResponderResources;
  readonly #request = new Request();
  readonly #list = new ScatterList();

  constructor(machine: Machine, port: FramePort, responder: Responder, resources: ResponderResources) {
    this.#i32 = machine.i32;
    this.#port = port;
    this.#responder = responder;
    this.#resources = resources;
  }

  /** Whether responses or acknowledges wait to be sent. */
  hasOutput(t: number): boolean {
    const i32 = this.#i32;
    return (i32[t + Qpt.RESPONDING] | i32[t + Qpt.ACK_DUE] | i32[t + Qpt.NAK_DUE]) !== 0;
  }

  /** Sends one packet of what waits; a frame must be available. Not ACK when a read can't be answered any more: then nothing was sent. */
  transmit(p: number, t: number): number {
    const i32 = this.#i32;
    if (i32[t + Qpt.RESPONDING] !== 0) return this.#respond(p, t);
    if (i32[t + Qpt.NAK_DUE] !== 0) {
      this.answer(p, t, i32[p + RQ_PSN], i32[t + Qpt.NAK_DUE]);
      i32[t + Qpt.NAK_DUE] = 0;
    } else {
      this.answer(p, t, addPsn(i32[p + RQ_PSN], -1), acknowledge(i32, p, t));
      i32[t + Qpt.ACK_DUE] = 0;
    }
    return ACK;
  }

  /** One packet of the oldest read or atomic that has responses to send. */
  #respond(p: number, t: number): number {
    const i32 = this.#i32;
    const r = this.#resources.oldestResponding(t);
    if (r === 0) {
      i32[t + Qpt.RESPONDING] = 0;
      return ACK;
    }
    const psn = i32[r + Resource.SEND_PSN];
    const kind = i32[r + Resource.KIND];
    let answer: number;
    if (kind === ResourceKind.ATOMIC) answer = this.#respondAtomic(p, t, r, psn);
    else if (kind === ResourceKind.EMPTY) answer = this.#respondEmpty(p, t, psn);
    else answer = this.#respondRead(p, t, r, psn);
    if (answer === ACK) this.#resources.sent(t, r);
    else if (i32[r + Resource.AGAIN] !== 0) {
      // Who has all of the response long since may have ended the key: the request that comes late ends no connection. The NAK at this PSN, and not
      // at the next one, is heard by a requester that waits for this response, and by no other (IBTA 9.7.5.2, ghost acknowledges).
      this.#resources.giveUp(t, r);
      this.answer(p, t, psn, answer);
      return ACK;
    } else i32[t + Qpt.RESPONDING] = 0;
    return answer;
  }

  /** That a flush or an atomic write was done: the response to a read of nothing (source: Linux rxe_resp.c, send_read_response_ack). */
  #respondEmpty(p: number, t: number, psn: number): number {
    this.#begin(p, Wire.RC_RDMA_READ_RESPONSE_ONLY, psn, acknowledge(this.#i32, p, t));
    this.#list.setRun(0, 0);
    this.#port.send(p, t, this.#list, 0, 0);
    return ACK;
  }

  #respondAtomic(p: number, t: number, r: number, psn: number): number {
    const i32 = this.#i32;
    const { out } = this.#port;
    this.#begin(p, Wire.RC_ATOMIC_ACKNOWLEDGE, psn, acknowledge(i32, p, t));
    out.originalLo = i32[r + Resource.VA_LO];
    out.originalHi = i32[r + Resource.VA_HI];
    this.#list.setRun(0, 0);
    this.#port.send(p, t, this.#list, 0, 0);
    return ACK;
  }

  #respondRead(p: number, t: number, r: number, psn: number): number {
    const i32 = this.#i32;
    const shift = 7 + i32[p + PATH_MTU];
    const offset = psnDistance(i32[r + Resource.FIRST_PSN], psn) * (1 << shift);
    const length = Math.min((i32[r + Resource.LENGTH] >>> 0) - offset, 1 << shift);
    this.#request.rkey = i32[r + Resource.RKEY];
    this.#request.setRemote(i32[r + Resource.VA_LO], i32[r + Resource.VA_HI], offset);
    i32[p + Qpc.PD] = i32[r + Resource.PD];
    const answer = this.#responder.readSource(p, this.#request, length, this.#list);
    if (answer !== ACK) return answer; // deregistered meanwhile
    const first = psn === i32[r + Resource.REQUEST_PSN];
    const last = addPsn(psn, 1) === i32[r + Resource.SEND_END];
    let opcode: number = first ? Wire.RC_RDMA_READ_RESPONSE_FIRST : Wire.RC_RDMA_READ_RESPONSE_MIDDLE;
    if (last) opcode = first ? Wire.RC_RDMA_READ_RESPONSE_ONLY : Wire.RC_RDMA_READ_RESPONSE_LAST;
    this.#begin(p, opcode, psn, acknowledge(i32, p, t));
    this.#port.send(p, t, this.#list, 0, length);
    return ACK;
  }

  /** Sends an ACK or NAK packet. */
  answer(p: number, t: number, psn: number, syndrome: number): void {
    this.#begin(p, Wire.RC_ACKNOWLEDGE, psn, syndrome);
    this.#list.setRun(0, 0);
    this.#port.send(p, t, this.#list, 0, 0);
  }

  #begin(p: number, opcode: number, psn: number, syndrome: number): void {
    const { out } = this.#port;
    out.opcode = onTransport(this.#i32[p + Qpc.TYPE], opcode);
    out.psn = psn;
    out.syndrome = syndrome;
    out.msn = this.#i32[p + MSN];
    out.destQpn = this.#i32[p + Qpc.DEST_QPN];
    out.ackReq = out.solicited = 0;
  }
}
