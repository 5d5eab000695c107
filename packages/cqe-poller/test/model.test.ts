/** The poller beside a plain CQ, in random programs: what is polled, what overruns, what is missed and what a resize refuses is the same. */
import { VerbsError, WorkCompletion } from '@openverbs/verbs';
import { type QpSlots, QpTable, type SrqSlots } from '@openverbs/verbs/rings';
import { expect } from 'chai';
import fc from 'fast-check';

import { CqePoller } from '../src/index.ts';
import { addQp, received, sent, SlowCq } from './slow-cq.ts';

/** The last one receives from an SRQ. */
const QPS = [5, 6, 7];
const WITH_SRQ = 7;
const LIMIT_MAX = 3;
/** Slots of a work queue. */
const SLOTS = 16;

type Step =
  | { readonly does: 'post'; readonly qp: number; readonly receive: boolean }
  | { readonly does: 'complete'; readonly nth: number }
  | { readonly does: 'poll'; readonly limit: number }
  | { readonly does: 'reset'; readonly qp: number }
  | { readonly does: 'resize'; readonly cqe: number }
  | { readonly does: 'arm'; readonly solicitedOnly: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constant('post' as const), qp: fc.constantFrom(...QPS), receive: fc.boolean() }),
  },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('complete' as const), nth: fc.nat(5) }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('poll' as const), limit: fc.integer({ min: 1, max: LIMIT_MAX }) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reset' as const), qp: fc.constantFrom(...QPS) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('resize' as const), cqe: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('arm' as const), solicitedOnly: fc.boolean() }) },
);

interface Completion {
  readonly qpNum: number;
  readonly wrId: number;
}

/** A work queue of the program: how many were posted, and how many of these the device has completed. */
class Work {
  posted = 0;
  completed = 0;
  /** How many the application has polled. */
  readonly polled: () => number;

  constructor(polled: () => number) {
    this.polled = polled;
  }

  get underWay(): number {
    return this.posted - this.polled();
  }
}

class SharedWork extends Work implements SrqSlots {
  given = 0;

  constructor() {
    super(() => this.given);
  }

  complete(slot: number): number {
    this.given++;
    return WITH_SRQ * 1000 + (slot % SLOTS);
  }
}

class Run {
  readonly qps = new QpTable();
  readonly source: SlowCq;
  readonly poller: CqePoller;
  readonly wcs = WorkCompletion.array(LIMIT_MAX);
  /** The plain CQ: what was completed and not polled, the oldest first. */
  readonly plain: Completion[] = [];
  readonly work = new Map<string, Work>();
  readonly slots = new Map<number, QpSlots>();
  readonly shared = new SharedWork();
  cqe: number;
  overrun = false;

  constructor(cqe: number, area: number, buffering: boolean) {
    this.cqe = cqe;
    this.source = new SlowCq(cqe, area);
    this.source.underWay = () => [...this.work.values()].reduce((sum, { underWay }) => sum + underWay, 0);
    this.poller = new CqePoller(this.source, cqe, this.qps, { buffering });
    for (const qp of QPS) {
      const slots = addQp(this.qps, qp, qp === WITH_SRQ ? this.shared : null);
      this.slots.set(qp, slots);
      this.work.set(`${qp} false`, new Work(() => slots.send.tail));
      this.work.set(`${qp} true`, qp === WITH_SRQ ? this.shared : new Work(() => slots.recv.tail));
    }
  }

  take(each: Step): void {
    if (each.does === 'post') this.post(each.qp, each.receive);
    else if (each.does === 'complete') this.complete(each.nth);
    else if (each.does === 'poll') this.poll(each.limit);
    else if (each.does === 'reset') this.reset(each.qp);
    else if (each.does === 'resize') this.resize(each.cqe);
    else {
      const missed = this.poller.reqNotifyReportMissed(each.solicitedOnly);
      expect(missed).to.equal(this.plain.length > 0);
    }
    const { source, poller, plain } = this;
    expect(source.waiting.length + poller.buffered).to.equal(plain.length);
    expect(source.entries, 'what has its place').to.be.within(plain.length, this.cqe);
  }

  /** A post to an SRQ can't take along what was polled. */
  post(qpNum: number, receive: boolean): void {
    const work = this.work.get(`${qpNum} ${receive}`)!;
    if (work.underWay === SLOTS) return;
    work.posted++;
    if (work === this.shared) this.poller.beforePost();
    else this.source.consume(this.poller.posting());
  }

  /** The device completes the next work request of one of the queues that have some. */
  complete(nth: number): void {
    const queues = [...this.work].filter(([, { completed, posted }]) => completed < posted);
    if (queues.length === 0) return;
    const [name, work] = queues[nth % queues.length];
    const [qpNum, receive] = [Number(name.split(' ')[0]), name.endsWith('true')];
    const wqeIndex = work.completed;
    const arrived = this.source.arrive(receive ? received(qpNum, wqeIndex) : sent(qpNum, wqeIndex));
    expect(arrived, 'whether it overruns').to.equal(this.plain.length < this.cqe);
    this.overrun ||= !arrived;
    if (!arrived) return;
    work.completed++;
    this.plain.push({ qpNum, wrId: qpNum * 1000 + (wqeIndex % SLOTS) });
  }

  poll(limit: number): void {
    const n = this.poller.poll(this.wcs, limit);
    expect(n, 'less than the limit means that nothing is left').to.equal(Math.min(limit, this.plain.length));
    const polled = this.wcs.slice(0, n).map(({ qpNum, wrId }) => ({ qpNum, wrId }));
    expect(polled).to.deep.equal(this.plain.splice(0, n));
  }

  /** As a front-end does it: first fetch all, so that an SRQ gets back what the source would forget. */
  reset(qpNum: number): void {
    const { poller, source } = this;
    poller.prefetch();
    source.purge(qpNum);
    poller.purge(qpNum);
    const slots = this.slots.get(qpNum)!;
    const [send, recv] = [this.work.get(`${qpNum} false`)!, this.work.get(`${qpNum} true`)!];
    slots.send.tail = send.completed = send.posted;
    if (recv !== this.shared) slots.recv.tail = recv.completed = recv.posted;
    const kept = this.plain.filter((each) => each.qpNum !== qpNum);
    this.plain.splice(0, this.plain.length, ...kept);
  }

  resize(cqe: number): void {
    try {
      expect(this.poller.resize(cqe)).to.equal(cqe);
      expect(this.plain.length).to.be.at.most(cqe);
      this.cqe = cqe;
    } catch (error) {
      if (!VerbsError.is(error)) throw error;
      expect(this.plain.length).to.be.greaterThan(cqe);
    }
    expect(this.poller.cqe).to.equal(this.cqe);
  }
}

describe('the CQE poller and a plain CQ', () => {
  for (const buffering of [true, false]) {
    it(`agree after every step, buffering ${buffering ? 'on' : 'off'}`, () => {
      let overruns = 0;
      const sizes = fc.record({ cqe: fc.integer({ min: 1, max: 8 }), area: fc.integer({ min: 1, max: 8 }) });
      fc.assert(
        fc.property(sizes, fc.array(step, { minLength: 40, maxLength: 120 }), ({ cqe, area }, steps) => {
          const run = new Run(cqe, area, buffering);
          for (const each of steps) run.take(each);
          if (run.overrun) overruns++;
          while (run.plain.length > 0) run.poll(LIMIT_MAX);
          expect(run.poller.statistics.buffered).to.equal(0);
        }),
        { numRuns: 500 },
      );
      expect(overruns, 'programs that overran').to.be.greaterThan(50);
    });
  }
});
