/**
 * What request packets of a reliable QP do once it is their turn: each method checks, executes and commits one packet, and answers
 * ACK or why not. The order is that of IBTA 9.7.4 and Linux rxe_resp.c: access, resources, length, key.
 */
import { Opcode as Wire, OpcodeFlag, operationOf, packetCount } from '@openverbs/rocev2';
import { ATOMIC_WRITE_BYTES } from '@openverbs/verbs/rings';
import type { Completer } from '../completer.ts';
import { Count, type Counters } from '../counters.ts';
import { Qpc } from '../layout.ts';
import { Opcode, WC_WITH_IMM, WC_WITH_INV } from '../opcode.ts';
import { Request } from '../request.ts';
import type { Responder } from '../responder.ts';
import { ScatterList } from '../scatter-list.ts';
import { Aeth } from '../syndrome.ts';
import type { FramePort } from './frame-port.ts';
import { addressWrite, rememberWrite } from './inbound-write.ts';
import { Inbound, Qpt, Resource, ResourceKind } from './layout.ts';
import type { ResponderResources } from './responder-resources.ts';

const { FIRST, LAST, ONLY, HAS_IMM, HAS_IETH, HAS_FETH } = OpcodeFlag;
const { ACK, NAK_INVALID_REQUEST } = Aeth;
const { NONE } = Inbound;
const { PATH_MTU } = Qpc;

/** What {@link PacketOperations} works with. */
export interface PacketOperationsParts {
  readonly machine: { readonly i32: Int32Array };
  readonly port: FramePort;
  readonly responder: Responder;
  readonly completer: Completer;
  readonly counters: Counters;
  readonly resources: ResponderResources;
}

export class PacketOperations {
  readonly #i32: Int32Array;
  readonly #port: FramePort;
  readonly #responder: Responder;
  readonly #completer: Completer;
  readonly #counters: Counters;
  readonly #resources: ResponderResources;
  readonly #request = new Request();
  readonly #list = new ScatterList();

  constructor({ machine, port, responder, completer, counters, resources }: PacketOperationsParts) {
    this.#i32 = machine.i32;
    this.#port = port;
    this.#responder = responder;
    this.#completer = completer;
    this.#counters = counters;
    this.#resources = resources;
  }

  /** A packet of a SEND, whose bytes go where the receive says. */
  send(p: number, t: number, info: number): number {
    const { payloadAt, payloadLength, imm, invalidateRkey, solicited } = this.#port.in;
    const offset = this.#i32[t + Qpt.INBOUND_BYTES];
    const invalidates = (info & HAS_IETH) !== 0;
    let answer = invalidates ? this.#responder.checkInvalidate(p, invalidateRkey) : ACK;
    if (answer !== ACK) return answer;
    this.#list.setRun(payloadAt, payloadLength);
    answer = this.#responder.sendPart(p, this.#list, offset);
    if (answer !== ACK) return answer;
    const bytes = offset + payloadLength;
    if ((info & (LAST | ONLY)) === 0) {
      this.#completer.commitPacket(p, t, 1, 0, Inbound.SEND, bytes, 0);
      return ACK;
    }
    let word = 0;
    let wcFlags = 0;
    if (invalidates) [word, wcFlags] = [invalidateRkey, WC_WITH_INV];
    else if ((info & HAS_IMM) !== 0) [word, wcFlags] = [imm, WC_WITH_IMM];
    answer = this.#responder.completeSend(p, bytes, word, wcFlags, solicited !== 0);
    if (answer !== ACK) return answer;
    if (invalidates) this.#responder.invalidate();
    this.#completer.commitPacket(p, t, 1, 1, NONE, 0, 0);
    this.#counters.add(p, Count.RDMA_RECVS);
    return ACK;
  }

  /** A packet of an RDMA WRITE. */
  write(p: number, t: number, info: number): number {
    const i32 = this.#i32;
    const packet = this.#port.in;
    const responder = this.#responder;
    const starts = (info & (FIRST | ONLY)) !== 0;
    const offset = starts ? 0 : i32[t + Qpt.INBOUND_BYTES];
    const ends = (info & (LAST | ONLY)) !== 0;
    let answer = starts ? this.#beginWrite(p, t) : ACK;
    if (answer !== ACK) return answer;
    const left = (i32[t + Qpt.INBOUND_LENGTH] >>> 0) - offset;
    if (ends ? packet.payloadLength !== left : packet.payloadLength >= left) {
      return NAK_INVALID_REQUEST;
    }
    const hasImm = (info & HAS_IMM) !== 0;
    if (hasImm) answer = responder.checkReceive(p);
    if (answer === ACK) answer = this.#place(p, t, offset);
    if (answer !== ACK) return answer;
    const bytes = offset + packet.payloadLength;
    if (hasImm) answer = responder.writeImm(p, bytes, packet.imm, packet.solicited !== 0);
    if (answer !== ACK) return answer;
    if (hasImm) this.#counters.add(p, Count.RDMA_RECVS);
    if (ends) this.#completer.commitPacket(p, t, 1, 1, NONE, 0, 0);
    else this.#completer.commitPacket(p, t, 1, 0, Inbound.WRITE, bytes, 0);
    return ACK;
  }

  /** Checks the RETH for the whole message, and remembers it. */
  #beginWrite(p: number, t: number): number {
    const packet = this.#port.in;
    const request = this.#request;
    request.rkey = packet.rkey;
    request.setRemote(packet.vaLo, packet.vaHi, 0);
    const answer = this.#responder.checkWrite(p, request, packet.dmaLength >>> 0);
    if (answer === ACK) rememberWrite(this.#i32, t, packet);
    return answer;
  }

  /** Writes the payload to where it belongs; the key is looked up again for each packet. */
  #place(p: number, t: number, offset: number): number {
    const { payloadAt, payloadLength } = this.#port.in;
    this.#list.setRun(payloadAt, payloadLength);
    addressWrite(this.#i32, t, offset, this.#request);
    return this.#responder.write(p, this.#request, this.#list);
  }

  /** An RDMA READ: remembered with its place, and answered by response packets from there. */
  read(p: number, t: number): number {
    const packet = this.#port.in;
    const length = packet.dmaLength >>> 0;
    this.#request.rkey = packet.rkey;
    this.#request.setRemote(packet.vaLo, packet.vaHi, 0);
    const answer = this.#responder.readSource(p, this.#request, length, this.#list);
    if (answer !== ACK) return answer;
    const packets = packetCount(length, this.#i32[p + PATH_MTU]);
    const r = this.#resources.next(p, t, packet.psn, packets);
    if (r === 0) return NAK_INVALID_REQUEST; // more than max_dest_rd_atomic at once
    this.#i32[r + Resource.KIND] = ResourceKind.READ;
    this.#i32[r + Resource.RKEY] = packet.rkey;
    this.#i32[r + Resource.VA_LO] = packet.vaLo;
    this.#i32[r + Resource.VA_HI] = packet.vaHi;
    this.#i32[r + Resource.LENGTH] = packet.dmaLength;
    this.#completer.commitPacket(p, t, packets, 1, NONE, 0, 1);
    this.#resources.startResponding(t, r);
    return ACK;
  }

  /** An atomic: executed here, and remembered with the value from before, for its response and that of a duplicate. */
  atomic(p: number, t: number): number {
    const { opcode, psn, rkey, vaLo, vaHi, swapLo, swapHi, compareLo, compareHi } = this.#port.in;
    const request = this.#request;
    const swaps = operationOf(opcode) === Wire.RC_COMPARE_SWAP;
    request.opcode = swaps ? Opcode.ATOMIC_CMP_AND_SWP : Opcode.ATOMIC_FETCH_AND_ADD;
    request.rkey = rkey;
    this.#request.setRemote(vaLo, vaHi, 0);
    request.swapLo = swapLo;
    request.swapHi = swapHi;
    // One field of the AtomicETH is what is swapped in or added (IBTA 9.4.5.1).
    request.compareAddLo = swaps ? compareLo : swapLo;
    request.compareAddHi = swaps ? compareHi : swapHi;
    const r = this.#resources.next(p, t, psn, 1);
    if (r === 0) return NAK_INVALID_REQUEST; // more than max_dest_rd_atomic at once
    const answer = this.#responder.atomic(p, request, r + Resource.VA_LO);
    if (answer !== ACK) return answer;
    this.#i32[r + Resource.KIND] = ResourceKind.ATOMIC;
    this.#completer.commitPacket(p, t, 1, 1, NONE, 0, 1);
    this.#resources.startResponding(t, r);
    return ACK;
  }

  /** ATOMIC_WRITE and FLUSH: remembered like an atomic, so that a duplicate is answered and not done again (oA19-14, oA19-15). */
  writeOrFlush(p: number, t: number, info: number): number {
    const { psn, rkey, vaLo, vaHi, dmaLength, payloadAt, payloadLength, placement, selectivity } = this.#port.in;
    const request = this.#request;
    request.rkey = rkey;
    request.setRemote(vaLo, vaHi, 0);
    const r = this.#resources.next(p, t, psn, 1);
    if (r === 0) return NAK_INVALID_REQUEST; // more than max_dest_rd_atomic at once
    let answer: number;
    if ((info & HAS_FETH) !== 0) {
      request.setFlush(placement, selectivity, dmaLength);
      answer = this.#responder.flush(p, request);
    } else {
      if (dmaLength !== ATOMIC_WRITE_BYTES || payloadLength !== ATOMIC_WRITE_BYTES) return NAK_INVALID_REQUEST;
      this.#list.setRun(payloadAt, payloadLength);
      answer = this.#responder.atomicWrite(p, request, this.#list, r + Resource.VA_LO);
    }
    if (answer !== ACK) return answer;
    this.#i32[r + Resource.KIND] = ResourceKind.EMPTY;
    this.#completer.commitPacket(p, t, 1, 1, NONE, 0, 1);
    this.#resources.startResponding(t, r);
    return ACK;
  }
}
