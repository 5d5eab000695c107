/**
 * Every interleaving of arrival, drain, arm, poll, event and destroy. The device may complete something at each step of the
 * program, and at each moment within a trip, before and after the slow side has looked. Each run replays a list of choices; the next one differs in the
 * last choice that has not been tried out.
 */
import { WorkCompletion } from '@openverbs/verbs';
import { QpTable } from '@openverbs/verbs/rings';
import { expect } from 'chai';

import { CqePoller } from '../src/index.ts';
import { addQp, received, sent, SlowCq, type Waiting } from './slow-cq.ts';

const CQE = 2;
/** One QP lives on, the other one is destroyed. */
const [STAYS, GOES] = [5, 6];
/** What the device completes, in this order. */
const ARRIVALS: readonly Waiting[] = [sent(STAYS, 0), sent(GOES, 0), received(STAYS, 0)];
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
  destroyed = false;
  eventsSeen = 0;
  readonly #choices: Choices;
  readonly #wcs = WorkCompletion.array(CQE);
  readonly #limit: number;
  readonly #stays;
  #arrived = 0;
  #polls = false;

  constructor(choices: Choices, area: number, limit: number) {
    this.#choices = choices;
    this.#limit = limit;
    this.source = new SlowCq(CQE, area);
    this.poller = new CqePoller(this.source, CQE, this.qps);
    this.source.at = () => this.device();
    const stays = (this.#stays = addQp(this.qps, STAYS));
    const goes = addQp(this.qps, GOES);
    this.source.underWay = () => 2 - stays.send.tail - stays.recv.tail + (this.destroyed ? 0 : 1 - goes.send.tail);
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
    while (!this.complete && source.entries < CQE && this.#choices.choose(2) === 1) this.#arrive();
    // Within a poll of several trips, what it will have taken counts as polled.
    if (!this.#polls) this.#expectRoom();
  }

  /** What is left to complete, completes at last. */
  finish(): void {
    while (!this.complete && this.source.entries < CQE) this.#arrive();
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

  /** The program may destroy a QP, once. Nothing of it is polled after that. */
  mayDestroy(): void {
    if (this.destroyed || this.#choices.choose(2) === 0) return;
    this.destroyed = true;
    this.source.purge(GOES);
    this.device();
    this.poller.purge(GOES);
    this.qps.remove(GOES);
    // Another QP gets the number; what is polled of it would be of the one that is gone.
    addQp(this.qps, GOES);
    const unpolled = this.expected.slice(this.polled.length).filter((wrId) => Math.floor(wrId / 1000) !== GOES);
    this.expected.splice(this.polled.length, Infinity, ...unpolled);
  }

  #expectRoom(): void {
    const { poller, source } = this;
    if (source.waiting.length + poller.buffered > CQE) throw new Error('more than the queue has room for');
  }

  #arrive(): void {
    const arrival = ARRIVALS[this.#arrived++];
    // The device completes nothing more for a QP that is destroyed.
    if (arrival.qpNum === GOES && this.destroyed) return;
    if (!this.source.arrive(arrival)) throw new Error('the queue overruns');
    this.expected.push(arrival.qpNum * 1000 + arrival.wqeIndex);
  }
}

/** A program that sleeps; true when it has all. */
type Program = (world: World) => boolean;

/** As verbs' own loop and every C program: arm, poll until there is nothing, wait. */
const armThenPoll: Program = (world) => {
  world.device();
  world.poller.reqNotify(false);
  world.mayDestroy();
  world.device();
  for (;;) {
    const n = world.poll();
    world.mayDestroy();
    if (n === 0) return isDone(world);
    world.device();
  }
};

/** As Linux' kernel consumers: poll, arm, and poll again where events may have been missed. */
const pollThenArm: Program = (world) => {
  do {
    while (world.poll() > 0) world.device();
    world.mayDestroy();
    world.device();
  } while (world.poller.reqNotifyReportMissed(false));
  world.mayDestroy();
  return isDone(world);
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

describe('the CQE poller in every interleaving', function () {
  this.timeout(60_000);

  for (const [name, program] of Object.entries({ armThenPoll, pollThenArm })) {
    for (const [area, limit] of [
      [1, 1],
      [1, CQE],
      [CQE, 1],
      [CQE, CQE],
    ]) {
      it(`${name}: ${area} CQEs a trip, ${limit} a poll`, function () {
        this.timeout(60_000);
        const choices = new Choices();
        const endings = new Set<string>();
        let runs = 0;
        do {
          const world = new World(choices, area, limit);
          run(world, program);
          endings.add(world.polled.join());
          runs++;
        } while (choices.next());
        // With the QP that goes: polled before its end, or not; the rest is the same always.
        expect([...endings].sort()).to.deep.equal(['5000,5000', '5000,6000,5000']);
        expect(runs).to.be.greaterThan(500);
      });
    }
  }
});
