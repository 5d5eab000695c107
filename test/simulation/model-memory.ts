/**
 * The model of memory: every byte of every region, as the operations that were carried out leave it.
 *
 * After an error some operations may have been carried out, in order, the last one perhaps in part: a packet's worth at a time. The
 * model goes through all these cases and expects that one of them is what is found.
 */
import type { Known } from './model-completions.ts';
import { describe, deviation, takers } from './model-completions.ts';
import { isAtomic, operates } from './operations.ts';
import type { Place } from './placement.ts';
import { lengthOf } from './program.ts';
import type { Lane, SendRecord } from './record.ts';
import { Deviation } from './record.ts';

const ATOMIC_BYTES = 8;

/** A stretch of bytes to be written. */
export interface Change {
  readonly region: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class MemoryModel {
  /** What each region should hold. */
  readonly expected: Uint8Array[];

  constructor(contents: readonly Uint8Array[]) {
    this.expected = contents.map((bytes) => Uint8Array.from(bytes));
  }

  /** Takes in a direction of a round that is over. `found` are the regions as they are. */
  settle(lane: Lane, { succeeded, done, possible }: Known, found: readonly Uint8Array[], isPackets: boolean): void {
    const { sends } = lane.requester;
    sends.slice(0, done).forEach((send, index) => this.#carryOut(lane, send, index < succeeded, found));
    const rest = this.#possible(lane, done, possible);
    const mtu = isPackets ? 128 << lane.record.plan.mtu : Infinity;
    const changes = rest.flatMap((send) => this.#changesOf(lane, send, mtu));
    if (!this.#someCut(changes, found)) {
      const open = rest.map(describe).join(', ');
      throw deviation(lane, 'cut', `what is in memory is not what any number of packets of these leaves: ${open}`);
    }
    for (const send of sends.slice(succeeded)) this.#responseInPart(lane, send, found, mtu);
  }

  /** Compares all regions with what they should hold. */
  check(found: readonly Uint8Array[], what: string): void {
    found.forEach((bytes, region) => {
      const expected = this.expected[region];
      if (Buffer.compare(bytes, expected) === 0) return;
      const at = expected.findIndex((byte, n) => byte !== bytes[n]);
      let count = 0;
      for (let n = at; n < expected.length; n++) if (expected[n] !== bytes[n]) count++;
      throw new Deviation(
        'memory',
        `${what}: region ${region} differs in ${count} bytes, the first at ${at} of ${expected.length}`,
      );
    });
  }

  /** An operation that was carried out wholly at the responder; whether its response came is another matter. */
  #carryOut(lane: Lane, send: SendRecord, isAnswered: boolean, found: readonly Uint8Array[]): void {
    for (const change of this.#changesOf(lane, send, Infinity)) this.apply(change);
    const { moves } = operates(send.operation.opcode);
    if (!isAnswered) return;
    if (moves === 'fromAddress') this.#scatter(send.placed.local, this.#readSource(send), this.expected);
    else if (moves === 'old') this.#accept(send.placed.local[0], found); // what it returned is the atomics' model's to judge
  }

  /** Of those that may have been carried out: up to one that can't have been wholly, because its receive was not completed. */
  #possible(lane: Lane, done: number, possible: number): SendRecord[] {
    const { sends } = lane.requester;
    const rest = sends.slice(done, possible);
    const spoiled = sends[possible];
    // Its receive is too small: packets may have come before the one that did not fit.
    if (spoiled?.operation.mistake === 'short') rest.push(spoiled);
    if (lane.responder.destroyed) return rest;
    const open = rest.findIndex(({ operation }) => operation.receive !== null);
    return open < 0 ? rest : rest.slice(0, open + 1);
  }

  /** What an operation writes at the peer, packet by packet. */
  #changesOf(lane: Lane, send: SendRecord, mtu: number): Change[] {
    const { opcode, mistake } = send.operation;
    const { local, remote } = send.placed;
    const { moves } = operates(opcode);
    if (moves === 'toAddress') return cut([remote!], this.gather(local), mtu);
    if (moves !== 'toReceive') return [];
    const receive = lane.responder.receives[takers(lane).indexOf(send)];
    if (receive === undefined) return [];
    const places = receive.places;
    const bytes = this.gather(local);
    if (mistake !== 'short') return cut(places, bytes, mtu);
    const room = lengthOf(places.map(({ length }) => length));
    return Number.isFinite(mtu) ? cut(places, bytes.subarray(0, Math.floor(room / mtu) * mtu), mtu) : [];
  }

  /** Bytes of an operation's SGEs, which nobody writes. */
  gather(places: readonly Place[], from: readonly Uint8Array[] = this.expected): Uint8Array {
    return Buffer.concat(places.map((place) => this.#read(place, from)));
  }

  #readSource({ placed }: SendRecord): Uint8Array {
    return Uint8Array.from(this.#read(placed.remote!, this.expected));
  }

  #read({ region, offset, length }: Place, from: readonly Uint8Array[]): Uint8Array {
    return from[region].subarray(offset, offset + length);
  }

  #scatter(places: readonly Place[], bytes: Uint8Array, to: readonly Uint8Array[]): void {
    let from = 0;
    for (const { region, offset, length } of places) {
      to[region].set(bytes.subarray(from, from + length), offset);
      from += length;
    }
  }

  /** Makes a change. */
  apply({ region, offset, bytes }: Change): void {
    this.expected[region].set(bytes, offset);
  }

  #accept({ region, offset, length }: Place, found: readonly Uint8Array[]): void {
    this.expected[region].set(found[region].subarray(offset, offset + length), offset);
  }

  /** Makes changes one by one until memory is as it is found. */
  #someCut(changes: readonly Change[], found: readonly Uint8Array[]): boolean {
    const differs = ({ region, offset, bytes }: Change): boolean => {
      const end = offset + bytes.length;
      return Buffer.compare(this.expected[region].subarray(offset, end), found[region].subarray(offset, end)) !== 0;
    };
    // Only the places of the changes can differ, most likely those that are not made yet.
    for (let n = 0; n <= changes.length; n++) {
      if (!changes.slice(n).some(differs) && !changes.slice(0, n).some(differs)) return true;
      if (n < changes.length) this.apply(changes[n]);
    }
    return false;
  }

  /** A read or atomic that failed may have left some of its response behind: the packets that came, from the first on. */
  #responseInPart(lane: Lane, send: SendRecord, found: readonly Uint8Array[], mtu: number): void {
    const { opcode, mistake } = send.operation;
    const { local } = send.placed;
    if (mistake !== null || (operates(opcode).moves !== 'fromAddress' && !isAtomic(opcode))) return;
    if (isAtomic(opcode)) {
      if (lengthOf(send.operation.pieces) === ATOMIC_BYTES) this.#accept(local[0], found);
      return;
    }
    const changes = cut(local, this.#readSource(send), mtu);
    if (!this.#someCut(changes, found)) {
      throw deviation(lane, 'response', `what ${describe(send)} has left in memory is no beginning of its response`);
    }
  }
}

/** The parts of a message, each at most `mtu` bytes and in one place. */
export function cut(places: readonly Place[], bytes: Uint8Array, mtu: number): Change[] {
  const changes: Change[] = [];
  let from = 0;
  for (const { region, offset, length } of places) {
    for (let at = 0; at < length && from < bytes.length;) {
      const run = Math.min(length - at, bytes.length - from, mtu - (from % mtu));
      changes.push({ region, offset: offset + at, bytes: Uint8Array.from(bytes.subarray(from, from + run)) });
      at += run;
      from += run;
    }
  }
  return changes;
}
