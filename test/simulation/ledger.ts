/** What is posted, by work request ID: gives each completion to the work request that it is of, and sees to it that there is one. */
import { WcStatus, WrOpcode } from 'openverbs';
import { RECEIVE_ID, SEND_ID } from './connection.ts';
import type { Connection, Hooks } from './connection.ts';
import type { Datagrams } from './datagrams.ts';
import { DATAGRAM_ID } from './datagrams.ts';
import type { Observer } from './driver.ts';
import { isAtomic } from './operations.ts';
import type { Placed } from './placement.ts';
import { sharedQueueOf } from './program.ts';
import type { Operation, Program } from './program.ts';
import type { Completion, ReceiveRecord, SendRecord } from './record.ts';
import { Deviation } from './record.ts';
import { SHARED_ID, SharedReceives } from './shared-receives.ts';
import type { World } from './world.ts';

export class Ledger implements Hooks {
  readonly #program: Program;
  readonly #world: World;
  readonly #connections: () => readonly Connection[];
  readonly #observer: Observer;
  readonly #sends = new Map<number, SendRecord>();
  readonly #receives = new Map<number, ReceiveRecord>();
  /** What the last completed atomic on a counter left, as far as its poster can tell. */
  datagrams: Datagrams | null = null;
  readonly #seen = new Map<string, bigint>();

  constructor(program: Program, world: World, connections: () => readonly Connection[], observer: Observer) {
    this.#program = program;
    this.#world = world;
    this.#connections = connections;
    this.#observer = observer;
  }

  sends(record: SendRecord): void {
    this.#sends.set(record.step, record);
  }

  receives(record: ReceiveRecord): void {
    this.#receives.set(record.step, record);
  }

  /** Takes a completion; whether the one who made it had asked for a solicited event. */
  complete(completion: Completion): boolean {
    this.#observer.completed(completion, this.#world.clock.nowNs());
    const { wrId } = completion;
    if (wrId >= DATAGRAM_ID) return this.datagrams!.complete(completion);
    if (wrId >= SHARED_ID) return this.#completeShared(completion);
    const isReceive = wrId >= RECEIVE_ID;
    const step = wrId - (isReceive ? RECEIVE_ID : SEND_ID);
    const record = isReceive ? this.#receives.get(step) : this.#sends.get(step);
    if (record === undefined) throw new Deviation('unknown', `a completion with the wrId ${wrId}, which nobody posted`);
    if (record.completion !== null) throw new Deviation('twice', `a second completion with the wrId ${wrId}`);
    record.completion = completion;
    // An unreliable message may take the receive of one that was lost: then nobody can tell here what its sender asked for.
    const operation = record.operation!;
    const isReliable = this.#program.connections[operation.connection].transport !== 'UC';
    if (isReceive) return isReliable && operation.solicited;
    const send = record as SendRecord;
    send.completedAt = this.#world.moment++;
    if (completion.status === WcStatus.SUCCESS) this.#noteAtomic(send);
    return false;
  }

  /** A receive that might have been anybody's is of the end whose queue pair took it. */
  #completeShared(completion: Completion): boolean {
    const { wrId, qpNum } = completion;
    const [queue, record] = SharedReceives.find(this.#world.shared, wrId);
    if (record === undefined) throw new Deviation('unknown', `a completion with the wrId ${wrId}, which nobody posted`);
    if (record.completion !== null) throw new Deviation('twice', `a second completion with the wrId ${wrId}`);
    record.completion = completion;
    queue!.take(record);
    for (const { ends, plan } of this.#connections()) {
      const side = ends.findIndex(
        (end) => end.record.qpNum === qpNum && end.recvQueue.plan.device === this.#deviceOf(queue!),
      );
      if (side < 0) continue;
      const { receives } = ends[side].record;
      receives.push(record);
      const taken = receives.filter(({ srq }) => srq === queue!.index).length;
      const taking = ends[1 - side].record.sends.filter(
        ({ operation }) => operation.receive !== null && sharedQueueOf(plan, operation) === queue!.index,
      );
      return plan.transport !== 'UC' && taking[taken - 1]?.operation.solicited;
    }
    throw new Deviation('qpNum', `a completion of QP ${qpNum}, which is nobody's`);
  }

  #deviceOf(queue: SharedReceives): number {
    return queue.device;
  }

  #noteAtomic({ operation, placed, compare }: SendRecord): void {
    const { opcode, operand } = operation;
    if (!isAtomic(opcode)) return;
    const old = readU64(this.#world.contents, placed);
    const value = BigInt(`0x${operand}`);
    const swapped = old === compare ? value : old;
    const left = opcode === WrOpcode.ATOMIC_FETCH_AND_ADD ? BigInt.asUintN(64, old + value) : swapped;
    this.#seen.set(this.#counterName(operation), left);
  }

  /** Compare and swap compares with what was seen last: it may succeed. */
  compare(operation: Operation): bigint {
    const { counter, connection, side } = operation;
    const { device } = this.#program.connections[connection].ends[1 - side];
    return this.#seen.get(this.#counterName(operation)) ?? this.#world.firstCounter(device, counter);
  }

  #counterName({ connection, side, counter }: Operation): string {
    return `${this.#program.connections[connection].ends[1 - side].device} ${counter}`;
  }
}

/** What an atomic returned. */
export function readU64(contents: readonly Uint8Array[], { local: [{ region, offset }] }: Placed): bigint {
  const bytes = contents[region];
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true);
}
