/** Runs a program: posts, polls and lets time pass, and hands every round that is over to the model. */
import { QpState, WcStatus, WrOpcode } from 'openverbs';
import { setFaults } from 'openverbs/testing';
import { Connection, RECEIVE_ID, SEND_ID } from './connection.ts';
import type { End } from './connection.ts';
import type { Placed, Placement } from './placement.ts';
import type { Breakage, Cut, Operation, Program } from './program.ts';
import { QueueReader } from './queues.ts';
import type { Completion, ReceiveRecord, RoundRecord, SendRecord } from './record.ts';
import { Deviation } from './record.ts';
import type { World } from './world.ts';

/** How long a round may take to end, in virtual time: all retries of a queue pair, and then some. */
const ROUND_NS_MAX = 20e9;
/** Turns without progress, after which a run counts as hung even if its clock goes on. */
const TURNS_MAX = 200_000;
/** Longer than a frame can be under way. */
const SETTLE_NS = 100e6;
const NO_WEATHER = { drop: 0, duplicate: 0, reorder: 0, corrupt: 0 };

/** What the driver tells of a run. */
export interface Observer {
  completed(completion: Completion, nowNs: number): void;
  roundOver(record: RoundRecord): void;
}

export class Driver {
  readonly #program: Program;
  readonly #placement: Placement;
  readonly #world: World;
  readonly #observer: Observer;
  readonly #connections: readonly Connection[];
  readonly #readers: readonly QueueReader[];
  readonly #sends = new Map<number, SendRecord>();
  readonly #receives = new Map<number, ReceiveRecord>();
  readonly #signaled: ReadonlySet<number>;
  /** What the last completed atomic on a counter left, as far as its poster can tell. */
  readonly #seen = new Map<string, bigint>();
  #weatherNs: number;
  #isBad = false;
  #cut: { readonly devices: readonly number[]; readonly untilNs: number; readonly isLong: boolean } | null = null;

  constructor(program: Program, placement: Placement, world: World, observer: Observer) {
    this.#program = program;
    this.#placement = placement;
    this.#world = world;
    this.#observer = observer;
    const hooks = {
      sends: (record: SendRecord): void => void this.#sends.set(record.step, record),
      receives: (record: ReceiveRecord): void => void this.#receives.set(record.step, record),
    };
    this.#connections = program.connections.map((plan, index) => new Connection(world, plan, index, hooks));
    this.#readers = world.queues.map((queue) => new QueueReader(queue, (completion) => this.#complete(completion)));
    this.#signaled = signaledSteps(program);
    this.#weatherNs = world.clock.nowNs();
  }

  /** Runs all of it, up to the end of the last round. */
  run(): void {
    this.#program.steps.forEach((step, index) => {
      this.#pass(step.waitNs);
      if (step.do === 'cut') this.#cutOff(step);
      else {
        const connection = this.#connections[step.connection];
        if (connection.round !== step.round) this.#nextRound(connection, step.round);
        if (step.do === 'post') this.#post(connection, index, step);
        else this.#break(connection, step);
      }
      this.#read();
    });
    for (const connection of this.#connections) this.#finish(connection);
    this.#settle();
    for (const connection of this.#connections) connection.close();
  }

  /** What was left to post, of whatever connection, when a run ended early. */
  describe(): string {
    return this.#connections
      .map(({ index, round, ends }) => {
        const sides = ends.map(({ qp, record, waiting }) => {
          const open = record.sends.filter(({ completion }) => completion === null).length;
          const receives = record.receives.filter(({ completion }) => completion === null).length;
          return `state ${qp?.state ?? 'none'}, ${open} of ${record.sends.length} sends and ${receives} receives open, ${waiting.length} to post`;
        });
        return `connection ${index}, round ${round}: ${sides.join('; ')}`;
      })
      .join('\n');
  }

  #post(connection: Connection, index: number, operation: Operation): void {
    const end = connection.ends[operation.side];
    if (end.qp === null) return; // destroyed
    this.#until(
      () => end.qp === null || connection.hasRoom(end),
      `room in the send queue of connection ${connection.index}`,
    );
    const signaled = this.#signaled.has(index);
    const placed = this.#placement.of.get(index)!;
    const compare = this.#compare(operation);
    connection.postSend(operation.side, index, placed, operation, signaled, compare);
  }

  #break(connection: Connection, step: Breakage): void {
    const end = connection.ends[step.side];
    if (end.qp === null) return;
    connection.record.breakages.push(step);
    if (step.do === 'destroy') connection.breakOff(step.side);
    else end.qp.modify({ qpState: QpState.ERR });
  }

  #nextRound(connection: Connection, round: number): void {
    if (connection.round >= 0) this.#finish(connection);
    connection.open(round);
    this.#noteCut();
    this.#program.steps.forEach((step, index) => {
      if (step.do !== 'post' || step.connection !== connection.index || step.round !== round || step.receive === null)
        return;
      const { waiting } = connection.ends[1 - step.side];
      const dueNs = step.receive.lateNs < 0 ? 0 : Infinity;
      waiting.push({ step: index, operation: step, placed: this.#placement.of.get(index)!, dueNs });
    });
    this.#postReceives();
  }

  /** Lets a round come to its end, and hands it over. */
  #finish(connection: Connection): void {
    if (connection.round < 0) return;
    if (connection.plan.transport === 'UC') this.#hush(connection);
    this.#until(() => this.#isOver(connection), `the end of connection ${connection.index}, round ${connection.round}`);
    for (const { qp, record } of connection.ends) record.failed ||= qp?.state === QpState.ERR;
    this.#observer.roundOver(connection.record);
    connection.round = -1;
  }

  /** Nobody tells when the last unreliable message has come: waits for it, and ends both sides. */
  #hush({ index, ends }: Connection): void {
    const isIdle = ({ qp, record }: End): boolean => qp === null || record.sends.at(-1)?.completion !== null;
    this.#until(() => ends.every(isIdle), `the sends of connection ${index}`);
    this.#pass(SETTLE_NS);
    for (const { qp } of ends) if (qp !== null && qp.state !== QpState.ERR) qp.modify({ qpState: QpState.ERR });
  }

  /** Whether all that was posted is done. When one end has failed, the other one is put into the error state once it is idle. */
  #isOver({ ends }: Connection): boolean {
    const failed = ends.some(({ qp }) => qp === null || qp.state === QpState.ERR);
    let over = true;
    for (const end of ends) {
      const { qp, record, waiting } = end;
      if (qp === null) continue;
      const last = record.sends.at(-1);
      const isIdle = last?.completion !== null;
      if (isIdle && failed && qp.state !== QpState.ERR) qp.modify({ qpState: QpState.ERR });
      if (failed) waiting.length = 0; // nothing takes them any more
      over &&= isIdle && waiting.length === 0 && record.receives.every(({ completion }) => completion !== null);
    }
    return over;
  }

  /** Reads until a condition holds, while time passes. */
  #until(condition: () => boolean, what: string): void {
    const endNs = this.#world.clock.nowNs() + ROUND_NS_MAX;
    for (let turns = 0; ;) {
      const moved = this.#read();
      if (condition()) return;
      if (moved) turns = 0;
      else if (++turns > TURNS_MAX || this.#world.clock.nowNs() > endNs) {
        throw new Deviation('hang', `waited in vain for ${what}\n${this.describe()}`);
      } else this.#passTo(Math.min(this.#nextNs, endNs + 1));
    }
  }

  /** Reads all queues and posts receives; true when something happened. */
  #read(): boolean {
    let moved = this.#postReceives();
    for (const reader of this.#readers) moved = reader.read() || moved;
    for (const device of this.#world.devices) this.#world.ackEvents(device);
    return moved;
  }

  #postReceives(): boolean {
    let posted = false;
    for (const connection of this.#connections) {
      for (const end of connection.ends) posted = connection.postReceives(end) || posted;
    }
    return posted;
  }

  /** Takes a completion; whether the one who made it had asked for a solicited event. */
  #complete(completion: Completion): boolean {
    this.#observer.completed(completion, this.#world.clock.nowNs());
    const { wrId } = completion;
    const isReceive = wrId >= RECEIVE_ID;
    const step = wrId - (isReceive ? RECEIVE_ID : SEND_ID);
    const record = isReceive ? this.#receives.get(step) : this.#sends.get(step);
    if (record === undefined) throw new Deviation('unknown', `a completion with the wrId ${wrId}, which nobody posted`);
    if (record.completion !== null) throw new Deviation('twice', `a second completion with the wrId ${wrId}`);
    record.completion = completion;
    // An unreliable message may take the receive of one that was lost: then nobody can tell here what its sender asked for.
    const isReliable = this.#program.connections[record.operation.connection].transport === 'RC';
    if (isReceive) return isReliable && record.operation.solicited;
    const send = record as SendRecord;
    send.completedAt = this.#world.moment++;
    if (completion.status === WcStatus.SUCCESS) this.#noteAtomic(send);
    return false;
  }

  #noteAtomic({ operation, placed, compare }: SendRecord): void {
    const { opcode, operand } = operation;
    if (opcode < WrOpcode.ATOMIC_CMP_AND_SWP) return;
    const old = readU64(this.#world.contents, placed);
    const value = BigInt(`0x${operand}`);
    const swapped = old === compare ? value : old;
    const left = opcode === WrOpcode.ATOMIC_FETCH_AND_ADD ? BigInt.asUintN(64, old + value) : swapped;
    this.#seen.set(this.#counterName(operation), left);
  }

  /** Compare and swap compares with what was seen last: it may succeed. */
  #compare(operation: Operation): bigint {
    const { counter, connection, side } = operation;
    const { device } = this.#program.connections[connection].ends[1 - side];
    return this.#seen.get(this.#counterName(operation)) ?? this.#world.firstCounter(device, counter);
  }

  #counterName({ connection, side, counter }: Operation): string {
    return `${this.#program.connections[connection].ends[1 - side].device} ${counter}`;
  }

  /** The next moment at which something happens without anybody doing anything. */
  get #nextNs(): number {
    const nowNs = this.#world.clock.nowNs();
    let nextNs = Math.min(this.#world.nextDeadlineNs, this.#weatherNs, this.#cut?.untilNs ?? Infinity);
    for (const { ends } of this.#connections) {
      for (const { waiting } of ends)
        if (waiting.length > 0 && waiting[0].dueNs > nowNs) nextNs = Math.min(nextNs, waiting[0].dueNs);
    }
    return nextNs;
  }

  #pass(ns: number): void {
    this.#passTo(this.#world.clock.nowNs() + ns);
  }

  /** Lets time pass as a sleeper would: from deadline to deadline. */
  #passTo(endNs: number): void {
    const { clock } = this.#world;
    for (let turns = 0, nextNs = this.#nextNs; nextNs <= endNs; nextNs = this.#nextNs) {
      if (nextNs > clock.nowNs()) turns = 0;
      else if (++turns > TURNS_MAX) throw new Deviation('hang', `the devices do not come to rest\n${this.describe()}`);
      clock.advanceTo(Math.max(nextNs, clock.nowNs()));
      this.#changeWeather();
      this.#postReceives();
      this.#world.idle();
    }
    if (endNs > clock.nowNs()) clock.advanceTo(endNs);
  }

  #changeWeather(): void {
    const { weather, packets } = this.#program;
    const nowNs = this.#world.clock.nowNs();
    if (this.#cut !== null && this.#cut.untilNs <= nowNs) {
      this.#cut = null;
      setFaults(this.#world.verbs, { partition: [] });
    }
    if (this.#weatherNs > nowNs) return;
    this.#isBad = !this.#isBad;
    this.#weatherNs = packets ? nowNs + (this.#isBad ? weather.badNs : weather.goodNs) : Infinity;
    if (!packets) return;
    const { drop, duplicate, reorder, corrupt, delay } = weather;
    setFaults(this.#world.verbs, this.#isBad ? { drop, duplicate, reorder, corrupt, delay } : { ...NO_WEATHER, delay });
  }

  #cutOff({ devices, lastsNs }: Cut): void {
    const names = devices.map((index) => this.#world.devices[index].name);
    setFaults(this.#world.verbs, { partition: [names] });
    this.#cut = {
      devices,
      untilNs: this.#world.clock.nowNs() + lastsNs,
      isLong: lastsNs > this.#program.weather.badNs,
    };
    this.#noteCut();
  }

  /** A cut that lasts is a reason for what runs across it to fail. */
  #noteCut(): void {
    if (this.#cut?.isLong !== true) return;
    const isCut = ({ plan }: End): boolean => this.#cut!.devices.includes(plan.device);
    for (const { ends, record } of this.#connections) record.cutOff ||= isCut(ends[0]) !== isCut(ends[1]);
  }

  /** Waits for what is still under way, which nobody may take notice of. */
  #settle(): void {
    this.#pass(SETTLE_NS);
    for (const reader of this.#readers) reader.readAll();
    for (const device of this.#world.devices) this.#world.ackEvents(device);
  }
}

/** The steps that make completions: those that say so, the last of each direction, and enough for the send queue to have room. */
function signaledSteps({ steps, connections }: Program): Set<number> {
  const signaled = new Set<number>();
  const lanes = new Map<string, { last: number; silent: number }>();
  steps.forEach((step, index) => {
    if (step.do !== 'post') return;
    const { connection, round, side } = step;
    const name = `${connection} ${round} ${side}`;
    const silent = (lanes.get(name)?.silent ?? 0) + 1;
    const signals = step.signaled || silent >= connections[connection].ends[side].maxSendWr;
    if (signals) signaled.add(index);
    lanes.set(name, { last: index, silent: signals ? 0 : silent });
  });
  for (const { last } of lanes.values()) signaled.add(last);
  return signaled;
}

/** What an atomic returned. */
export function readU64(contents: readonly Uint8Array[], { local: [{ region, offset }] }: Placed): bigint {
  const bytes = contents[region];
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true);
}
