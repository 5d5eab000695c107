/**
 * Registers tests of every interleaving of arrival, drain, arm, poll, event, and of a QP or the CQ that is destroyed or a CQ that is resized. The device may complete
 * something at each step of the program, and at each moment within a trip, before and after the slow side has looked. Each run replays a list of choices;
 * the next one differs in the last choice that has not been tried out.
 */
import { VerbsError, WorkCompletion } from '@openverbs/verbs';
import { QpTable } from '@openverbs/verbs/rings';
import { expect } from 'chai';

import { CqePoller } from '../src/index.ts';
import { addQp, received, sent, SlowCq, type Waiting } from './slow-cq.ts';

const CQE = 2;
/** One QP lives on, the other one is destroyed. */
const [STAYS, GOES] = [5, 6];
/** What the device completes, in this order. */
const ARRIVALS: readonly Waiting[] = [sent(STAYS, 0), sent(GOES, 0), received(STAYS, 0)];
/** What the program does once, at any of its steps. */
type Control = 'destroyQp' | 'resizeCq' | 'destroyCq';
/** A smaller CQ, which there may be too much for, and a larger one. */
const NEW_CQES = [1, 3];
/** No run takes more steps than this: the program ends. */
const STEPS_MAX = 200;

/** Replays choices, and takes the first where there are none yet. */
class Choices {
  readonly #taken: { readonly of: number; chosen: number }[] = [];
  #at = 0;

  choose(of: number): number {
    if (this.#at === this.#taken.length) this.#taken.push({ of, chosen: 0 });
    return this.#taken[this.#at++].chosen;
  }

  /** Goes to the next run; false when all were made. */
  next(): boolean {
    this.#at = 0;
    for (let last = this.#taken.pop(); last !== undefined; last = this.#taken.pop()) {
      if (last.chosen + 1 < last.of) return this.#taken.push({ of: last.of, chosen: last.chosen + 1 }) > 0;
    }
    return false;
  }
}

/** One run. */
class World {
  readonly source: SlowCq;
  readonly poller: CqePoller;
  readonly qps = new QpTable();
  /** What the application polled: the QP's number and the `wrId`. */
  readonly polled: number[] = [];
  /** What has to be polled in the end. */
  readonly expected: number[] = [];
  /** The QPs that were destroyed. */
  readonly destroyed = new Set<number>();
  /** Whether the CQ was destroyed: nobody may ask its source any more. */
  ended = false;
  /** What came of the resize. */
  resized: number | 'refused' | undefined;
  eventsSeen = 0;
  readonly #control: Control;
  #controlled = false;
  readonly #choices: Choices;
  readonly #wcs = WorkCompletion.array(CQE);
  readonly #limit: number;
  readonly #stays;
  #arrived = 0;
  #polls = false;

  constructor(choices: Choices, control: Control, area: number, limit: number) {
    this.#choices = choices;
    this.#control = control;
    this.#limit = limit;
    this.source = new SlowCq(CQE, area);
    this.poller = new CqePoller(this.source, CQE, this.qps);
    this.source.at = () => this.device();
    const stays = (this.#stays = addQp(this.qps, STAYS));
    const goes = addQp(this.qps, GOES);
    this.source.underWay = () =>
      (this.destroyed.has(STAYS) ? 0 : 2 - stays.send.tail - stays.recv.tail) +
      (this.destroyed.has(GOES) ? 0 : 1 - goes.send.tail);
    this.poller.beforePost();
  }

  get complete(): boolean {
    return this.#arrived === ARRIVALS.length;
  }

  /** Whether what was polled is what had to be polled first. */
  get isInOrder(): boolean {
    return this.polled.every((wrId, at) => wrId === this.expected[at]);
  }

  /** The device's turn: it completes something, or not. */
  device(): void {
    const { source } = this;
    if (this.ended) throw new Error('a CQ that was destroyed is asked');
    while (!this.complete && source.entries < source.cqe && this.#choices.choose(2) === 1) this.#arrive();
    // Within a poll of several trips, what it will have taken counts as polled.
    if (!this.#polls) this.#expectRoom();
  }

  /** What is left to complete, completes at last. */
  finish(): void {
    while (!this.complete && this.source.entries < this.source.cqe) this.#arrive();
  }

  /** Returns the number of completions. */
  poll(): number {
    const tails = this.#stays.send.tail + this.#stays.recv.tail;
    this.#polls = true;
    const n = this.poller.poll(this.#wcs, this.#limit);
    this.#polls = false;
    this.#expectRoom();
    for (const { wrId } of this.#wcs.slice(0, n)) this.polled.push(wrId);
    const freed = this.#stays.send.tail + this.#stays.recv.tail - tails;
    const own = this.#wcs.slice(0, n).filter(({ qpNum }) => qpNum === STAYS).length;
    if (freed !== own) throw new Error(`${own} completions freed ${freed} slots`);
    return n;
  }

  /** The program may do what it does once; true when that was its end. */
  mayControl(): boolean {
    if (this.#controlled || this.#choices.choose(2) === 0) return this.ended;
    this.#controlled = true;
    if (this.#control === 'destroyQp') this.#destroyQp(GOES);
    else if (this.#control === 'resizeCq') this.#resizeCq(NEW_CQES[this.#choices.choose(NEW_CQES.length)]);
    else this.#destroyCq();
    return this.ended;
  }

  /** Nothing of it is polled after that. */
  #destroyQp(qpNum: number): void {
    this.destroyed.add(qpNum);
    this.source.purge(qpNum);
    this.device();
    this.poller.purge(qpNum);
    this.qps.remove(qpNum);
    // Another QP gets the number; what is polled of it would be of the one that is gone.
    addQp(this.qps, qpNum);
    const unpolled = this.expected.slice(this.polled.length).filter((wrId) => Math.floor(wrId / 1000) !== qpNum);
    this.expected.splice(this.polled.length, Infinity, ...unpolled);
  }

  /** What it holds, stays, and a size that is too small for that changes nothing. */
  #resizeCq(cqe: number): void {
    const { source, poller } = this;
    try {
      this.resized = poller.resize(cqe);
    } catch (error) {
      if (!VerbsError.is(error) || source.waiting.length + poller.buffered <= cqe) throw error;
      this.resized = 'refused';
    }
    const expected = this.resized === 'refused' ? CQE : cqe;
    if (poller.cqe !== expected || source.cqe !== expected) throw new Error(`${poller.cqe} and ${source.cqe} entries`);
    this.#expectRoom();
  }

  /** Its QPs first, as verbs has it. Then nothing is left in it. */
  #destroyCq(): void {
    for (const qpNum of [STAYS, GOES]) this.#destroyQp(qpNum);
    const { poller, source } = this;
    if (poller.buffered + source.waiting.length > 0) throw new Error('completions of QPs that are gone');
    this.ended = true;
  }

  #expectRoom(): void {
    const { poller, source } = this;
    if (source.waiting.length + poller.buffered > source.cqe) throw new Error('more than the queue has room for');
  }

  #arrive(): void {
    const arrival = ARRIVALS[this.#arrived++];
    // The device completes nothing more for a QP that is destroyed.
    if (this.destroyed.has(arrival.qpNum)) return;
    if (!this.source.arrive(arrival)) throw new Error('the queue overruns');
    this.expected.push(arrival.qpNum * 1000 + arrival.wqeIndex);
  }
}

/** A program that sleeps; true when it has all, or has ended its CQ. */
type Program = (world: World) => boolean;

/** As verbs' own loop and every C program: arm, poll until there is nothing, wait. */
const armThenPoll: Program = (world) => {
  world.device();
  world.poller.reqNotify(false);
  if (world.mayControl()) return true;
  world.device();
  for (;;) {
    const n = world.poll();
    if (world.mayControl()) return true;
    if (n === 0) return isDone(world);
    world.device();
  }
};

/** As Linux' kernel consumers: poll, arm, and poll again where events may have been missed. */
const pollThenArm: Program = (world) => {
  do {
    while (world.poll() > 0) world.device();
    if (world.mayControl()) return true;
    world.device();
  } while (world.poller.reqNotifyReportMissed(false));
  return world.mayControl() || isDone(world);
};

function isDone({ complete, polled, expected }: World): boolean {
  return complete && polled.length === expected.length;
}

function run(world: World, program: Program): void {
  for (let step = 0; step < STEPS_MAX; step++) {
    const done = program(world);
    // There are too many steps for chai to look at each.
    if (!world.isInOrder) {
      expect(world.polled, 'in order, none twice, none of another').to.deep.equal(
        world.expected.slice(0, world.polled.length),
      );
    }
    if (done) return;
    // The program sleeps. An event that was raised wakes it, and it may be a spurious one; else the device goes on.
    if (world.source.events === world.eventsSeen) world.finish();
    if (world.source.events === world.eventsSeen && !isDone(world)) throw new Error('lost a wake-up');
    world.eventsSeen = world.source.events;
  }
  throw new Error('the program does not end');
}

/** CQEs that a trip brings, and a poll takes. */
export type Counts = readonly [area: number, limit: number];
/** What a trip brings is polled in parts: the rest is buffered. */
export const BUFFERED: Counts = [CQE, 1];
/** A poll may take several trips. */
export const SEVERAL_TRIPS: Counts = [1, CQE];
/** A poll takes what a trip brings. */
export const EQUAL: readonly Counts[] = [
  [1, 1],
  [CQE, CQE],
];
const ALL = [STAYS, GOES, STAYS].map((qpNum) => qpNum * 1000);
/** What is polled in the end: all, or all but what goes before it was. */
const ENDINGS: Readonly<Record<Control, readonly string[]>> = {
  destroyQp: [[ALL[0], ALL[2]].join(), ALL.join()],
  resizeCq: [ALL.join()],
  destroyCq: ALL.map((_, n) => ALL.slice(0, n).join()).concat(ALL.join()),
};

/** Registers the runs of both programs with one control, for each of these counts. */
export function describeInterleavings(control: Control, counts: readonly Counts[]): void {
  describe('the CQE poller in every interleaving', function () {
    this.timeout(60_000);

    describeRuns(control, 'armThenPoll', armThenPoll, counts);
    describeRuns(control, 'pollThenArm', pollThenArm, counts);
  });
}

function describeRuns(control: Control, name: string, program: Program, counts: readonly Counts[]): void {
  for (const [area, limit] of counts) {
    it(`${name}, ${control}: ${area} CQEs a trip, ${limit} a poll`, () => {
      const choices = new Choices();
      const endings = new Set<string>();
      const resizes = new Set<World['resized']>();
      let runs = 0;
      do {
        const world = new World(choices, control, area, limit);
        run(world, program);
        endings.add(world.polled.join());
        resizes.add(world.resized);
        runs++;
      } while (choices.next());
      expect([...endings].sort()).to.deep.equal([...ENDINGS[control]].sort());
      const expected = control === 'resizeCq' ? [undefined, 'refused', ...NEW_CQES] : [undefined];
      expect(resizes).to.deep.equal(new Set(expected));
      expect(runs).to.be.greaterThan(100);
    });
  }
}
