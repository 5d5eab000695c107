/** The poller beside a naive queue, in random programs. */
import { VerbsError, WorkCompletion } from '@openverbs/verbs';
import { QpTable } from '@openverbs/verbs/rings';
import { expect } from 'chai';
import fc from 'fast-check';

import { CqePoller } from '../src/index.ts';
import { addQp, received, sent, SlowCq } from './slow-cq.ts';

const QPS = [5, 6, 7];
const LIMIT_MAX = 6;

type Step =
  | { readonly does: 'arrive'; readonly qp: number; readonly receive: boolean }
  | { readonly does: 'poll'; readonly limit: number }
  | { readonly does: 'reset'; readonly qp: number }
  | { readonly does: 'resize'; readonly cqe: number }
  | { readonly does: 'arm'; readonly solicitedOnly: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('arrive' as const), qp: fc.constantFrom(...QPS), receive: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('poll' as const), limit: fc.integer({ min: 1, max: LIMIT_MAX }) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reset' as const), qp: fc.constantFrom(...QPS) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('resize' as const), cqe: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('arm' as const), solicitedOnly: fc.boolean() }) },
);

interface Completion {
  readonly qpNum: number;
  readonly wrId: number;
}

class Run {
  readonly qps = new QpTable();
  readonly source: SlowCq;
  readonly poller: CqePoller;
  readonly wcs = WorkCompletion.array(LIMIT_MAX);
  /** What was completed and not polled, the oldest first. */
  readonly model: Completion[] = [];
  readonly posted = new Map<string, number>();
  cqe: number;

  constructor(cqe: number, area: number) {
    this.cqe = cqe;
    this.source = new SlowCq(cqe, area);
    this.poller = new CqePoller(this.source, cqe, this.qps);
    this.source.consumed = () => this.poller.consumed;
    for (const qp of QPS) addQp(this.qps, qp);
  }

  take(each: Step): void {
    if (each.does === 'arrive') this.arrive(each.qp, each.receive);
    else if (each.does === 'poll') this.poll(each.limit);
    else if (each.does === 'reset') this.reset(each.qp);
    else if (each.does === 'resize') this.resize(each.cqe);
    else {
      const missed = this.poller.reqNotifyReportMissed(each.solicitedOnly);
      expect(missed).to.equal(this.model.length > 0);
    }
    const { source, poller, model } = this;
    expect(source.entries).to.equal(model.length);
    expect(source.waiting.length + poller.buffered).to.equal(model.length);
    expect(model.length).to.be.at.most(this.cqe);
  }

  arrive(qpNum: number, receive: boolean): void {
    const queue = `${qpNum} ${receive}`;
    const wqeIndex = this.posted.get(queue) ?? 0;
    const arrived = this.source.arrive(receive ? received(qpNum, wqeIndex) : sent(qpNum, wqeIndex));
    expect(arrived).to.equal(this.model.length < this.cqe);
    if (!arrived) return;
    this.posted.set(queue, wqeIndex + 1);
    this.model.push({ qpNum, wrId: qpNum * 1000 + (wqeIndex % 16) });
  }

  poll(limit: number): void {
    const n = this.poller.poll(this.wcs, limit);
    expect(n).to.be.at.most(limit);
    if (this.model.length > 0) expect(n).to.be.greaterThan(0);
    const polled = this.wcs.slice(0, n).map(({ qpNum, wrId }) => ({ qpNum, wrId }));
    expect(polled).to.deep.equal(this.model.splice(0, n));
  }

  reset(qpNum: number): void {
    this.source.purge(qpNum);
    this.poller.purge(qpNum);
    const kept = this.model.filter((each) => each.qpNum !== qpNum);
    this.model.splice(0, this.model.length, ...kept);
  }

  resize(cqe: number): void {
    try {
      expect(this.poller.resize(cqe)).to.equal(cqe);
      expect(this.model.length).to.be.at.most(cqe);
      this.cqe = cqe;
    } catch (error) {
      if (!VerbsError.is(error)) throw error;
      expect(this.model.length).to.be.greaterThan(cqe);
    }
    expect(this.poller.cqe).to.equal(this.cqe);
  }
}

describe('the CQE poller and its model', () => {
  it('agree after every step', () => {
    const sizes = fc.record({ cqe: fc.integer({ min: 1, max: 10 }), area: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(sizes, fc.array(step, { maxLength: 120 }), ({ cqe, area }, steps) => {
        const run = new Run(cqe, area);
        for (const each of steps) run.take(each);
        while (run.model.length > 0) run.poll(LIMIT_MAX);
        expect(run.poller.statistics.buffered).to.equal(0);
      }),
      { numRuns: 500 },
    );
  });
});
