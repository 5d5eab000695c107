/** Runs a program: posts, polls and lets time pass, and hands every round that is over to the model. */
import { QpState } from 'openverbs';
import { Connection } from './connection.ts';
import type { End, Post } from './connection.ts';
import { Datagrams } from './datagrams.ts';
import type { Socket } from './datagrams.ts';
import { Ledger } from './ledger.ts';
import { isLocal } from './operations.ts';
import type { Placement } from './placement.ts';
import { sharedQueueOf } from './program.ts';
import type { Breakage, Drain, Operation, Program, Step } from './program.ts';
import { QueueReader } from './queues.ts';
import type { Completion, RoundRecord } from './record.ts';
import { Deviation } from './record.ts';
import { inPlace, noteBound } from './windows.ts';
import { signaledSteps } from './signals.ts';
import { Network } from './weather.ts';
import type { World } from './world.ts';

/** How long a round may take to end, in virtual time: all retries of a queue pair, and then some. */
const ROUND_NS_MAX = 20e9;
/** Turns without progress, after which a run counts as hung even if its clock goes on. */
const TURNS_MAX = 200_000;
/** Longer than a frame can be under way. */
const SETTLE_NS = 100e6;

/** What the driver tells of a run. */
export interface Observer {
  completed(completion: Completion, nowNs: number): void;
  roundOver(record: RoundRecord): void;
  datagramsOver(sockets: readonly Socket[]): void;
}

export class Driver {
  readonly #program: Program;
  readonly #placement: Placement;
  readonly #world: World;
  readonly #observer: Observer;
  readonly #connections: readonly Connection[];
  readonly #readers: readonly QueueReader[];
  readonly #ledger: Ledger;
  readonly #signaled: ReadonlySet<number>;
  readonly #network: Network;
  readonly #datagrams: Datagrams;

  constructor(program: Program, placement: Placement, world: World, observer: Observer) {
    this.#program = program;
    this.#placement = placement;
    this.#world = world;
    this.#observer = observer;
    this.#ledger = new Ledger(program, world, () => this.#connections, observer);
    this.#datagrams = new Datagrams(program, placement, world);
    this.#ledger.datagrams = this.#datagrams;
    this.#connections = program.connections.map((plan, index) => new Connection(world, plan, index, this.#ledger));
    this.#readers = world.queues.map(
      (queue) => new QueueReader(queue, (completion) => this.#ledger.complete(completion)),
    );
    this.#signaled = signaledSteps(program);
    this.#network = new Network(program, world);
  }

  /** Runs all of it, up to the end of the last round. */
  run(): void {
    const { steps } = this.#program;
    for (let index = 0; index < steps.length;) {
      this.#pass(steps[index].waitNs);
      index += this.#step(steps[index], index);
      this.#read();
    }
    for (const connection of this.#connections) this.#finish(connection);
    this.#until(() => this.#datagrams.isIdle, 'the sends of datagrams');
    this.#settle();
    this.#datagrams.end();
    this.#until(() => this.#datagrams.isOver, 'the receives of datagrams, which are flushed');
    this.#observer.datagramsOver(this.#datagrams.sockets);
    this.#datagrams.close();
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

  /** Does a step; answers how many it did, with those that are posted in one call. */
  #step(step: Step, index: number): number {
    if (step.do === 'cut') {
      this.#network.cutOff(step);
      this.#noteCut();
      return 1;
    }
    if (step.do === 'datagram') {
      this.#until(() => this.#datagrams.hasRoom(step.socket), `room in the send queue of UD queue pair ${step.socket}`);
      this.#datagrams.post(step, index, this.#signaled.has(index));
      return 1;
    }
    const connection = this.#connections[step.connection];
    if (connection.round !== step.round) this.#nextRound(connection, step.round);
    if (step.do === 'post') return this.#post(connection, index, step);
    if (step.do === 'drain') {
      this.#drain(connection, step);
      return 1;
    }
    if (step.do === 'migrate') connection.migrate(step.side);
    else this.#break(connection, step);
    return 1;
  }

  /** Posts an operation and those that are chained to it, as many as there is room for. */
  #post(connection: Connection, first: number, { side, opcode }: Operation): number {
    const end = connection.ends[side];
    if (end.qp === null) return 1; // destroyed
    this.#until(
      () => end.qp === null || connection.room(end) > 0,
      `room in the send queue of connection ${connection.index}`,
    );
    if (isLocal(opcode)) this.#until(() => connection.isIdle, `both ends of connection ${connection.index}`);
    const posts: Post[] = [];
    let count = 0;
    for (let room = connection.room(end); posts.length < room;) {
      const step = first + count++;
      const operation = inPlace(this.#program.steps[step] as Operation, end, connection.ends[1 - side]);
      if (operation === null) break;
      const placed = this.#placement.of.get(step)!;
      posts.push({
        step,
        operation,
        placed,
        signaled: this.#signaled.has(step),
        compare: this.#ledger.compare(operation),
      });
      if (isLocal(operation.opcode)) break;
      const next = this.#program.steps.at(step + 1);
      if (next?.do !== 'post' || next.chained !== true || next.connection !== connection.index) break;
      if (next.side !== side || next.round !== connection.round) break;
    }
    if (posts.length > 0 && end.qp !== null) connection.postSends(side, posts);
    if (isLocal(opcode)) {
      this.#until(() => connection.isIdle, `a window of connection ${connection.index}`);
      noteBound(end);
    }
    return count;
  }

  /** Drains a send queue: the event comes when what was begun is complete, nothing more is until it goes on (IBTA 10.3.1.5). */
  #drain({ index, ends }: Connection, { side, lastsNs }: Drain): void {
    const { qp, record } = ends[side];
    const isIn = (state: number): boolean => qp?.state === state;
    if (qp === null || !isIn(QpState.RTS)) return;
    const completed = (): number => record.sends.filter(({ completion }) => completion !== null).length;
    const isDrained = this.#world.expectDrained(qp);
    qp.modify({ qpState: QpState.SQD, enSqdAsyncNotify: true });
    this.#until(() => isDrained() || !isIn(QpState.SQD), `the send queue of connection ${index} to be drained`);
    for (const reader of this.#readers) reader.readAll();
    if (isIn(QpState.SQD)) {
      const before = completed();
      this.#pass(lastsNs);
      for (const reader of this.#readers) reader.readAll();
      if (isIn(QpState.SQD) && completed() > before) {
        throw new Deviation('drained', `a send of connection ${index} was completed while its send queue was drained`);
      }
    }
    if (isIn(QpState.SQD)) qp.modify({ qpState: QpState.RTS });
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
      if (sharedQueueOf(connection.plan, step) !== undefined) return;
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
    for (const reader of this.#readers) reader.readAll();
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

  /** Whether the receives that operations have taken were completed, where others may take them too. */
  #haveCome({ ends, plan }: Connection, side: number): boolean {
    if (ends[side].plan.srq === undefined && plan.transport !== 'XRC') return true;
    const taken = ends[1 - side].record.sends.filter(({ operation }) => operation.receive !== null);
    return ends[side].record.receives.length >= taken.length;
  }

  /** Whether all that was posted is done. When one end has failed, the other one is put into the error state once it is idle. */
  #isOver(connection: Connection): boolean {
    const { ends } = connection;
    const failed = ends.some(({ qp }) => qp === null || qp.state === QpState.ERR);
    let over = true;
    for (const [side, end] of ends.entries()) {
      const { qp, record, waiting } = end;
      if (qp === null) continue;
      const last = record.sends.at(-1);
      const isIdle = last?.completion !== null;
      if (isIdle && failed && qp.state !== QpState.ERR) qp.modify({ qpState: QpState.ERR });
      if (failed) waiting.length = 0; // nothing takes them any more
      over &&=
        isIdle &&
        (failed || this.#haveCome(connection, side)) &&
        waiting.length === 0 &&
        record.receives.every(({ completion }) => completion !== null);
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
    let posted = this.#datagrams.postReceives();
    for (const shared of this.#world.shared) posted = shared.fill() || posted;
    for (const connection of this.#connections) {
      for (const end of connection.ends) posted = connection.postReceives(end) || posted;
    }
    return posted;
  }

  /** The next moment at which something happens without anybody doing anything. */
  get #nextNs(): number {
    const nowNs = this.#world.clock.nowNs();
    let nextNs = Math.min(this.#world.nextDeadlineNs, this.#network.nextNs);
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
      this.#network.change();
      this.#postReceives();
      this.#world.idle();
    }
    if (endNs > clock.nowNs()) clock.advanceTo(endNs);
  }

  /** A cut that lasts is a reason for what runs across it to fail. */
  #noteCut(): void {
    for (const { ends, record } of this.#connections) {
      record.cutOff ||= this.#network.separates(ends[0].plan.device, ends[1].plan.device);
    }
  }

  /** Waits for what is still under way, which nobody may take notice of. */
  #settle(): void {
    this.#pass(SETTLE_NS);
    for (const reader of this.#readers) reader.readAll();
    for (const device of this.#world.devices) this.#world.ackEvents(device);
  }
}
