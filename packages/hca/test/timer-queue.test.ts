import { expect } from 'chai';
import fc from 'fast-check';
import { allocWords } from '../src/hca.ts';
import { Cqc, EngineHeader, Qpc } from '../src/layout.ts';
import { CQS_MAX, QPS_MAX } from '../src/limits.ts';
import { TimerQueue } from '../src/timer-queue.ts';
import { Testbed } from './support/testbed.ts';

const QUEUES = 12;

type Step =
  | { readonly kind: 'start'; readonly queue: number; readonly deadlineNs: number }
  | { readonly kind: 'stop'; readonly queue: number }
  | { readonly kind: 'take'; readonly nowNs: number }
  | { readonly kind: 'rebuild' };

const queue = fc.nat({ max: QUEUES - 1 });
/** Few of them, so that many are alike. */
const timeNs = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.double({ min: 0, max: 2 ** 52, noNaN: true }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('start' as const), queue, deadlineNs: timeNs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stop' as const), queue }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), nowNs: timeNs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebuild' as const) }) },
);

describe('a machine of several HCAs', () => {
  it('has a timer for every queue of each, not only for as many as one HCA has', () => {
    const bed = new Testbed();
    const timers = new TimerQueue(bed.machine, bed.engine.header);
    const count = QPS_MAX + CQS_MAX + 1;
    const first = allocWords(bed.machine, count * Cqc.WORDS);
    for (let n = 0; n < count; n++) timers.start(first + n * Cqc.WORDS, count - n);
    expect(bed.machine.i32[bed.engine.header + EngineHeader.TIMER_COUNT]).to.equal(count);
    let taken = 0;
    while (timers.takeDue(taken + 1) === first + (count - taken - 1) * Cqc.WORDS) taken++;
    expect(taken).to.equal(count);
  });
});

describe('TimerQueue', () => {
  const bed = new Testbed();
  const { f64, i32 } = bed.machine;
  const timers = new TimerQueue(bed.machine, bed.engine.header);
  const contexts = Array.from({ length: QUEUES }, (_, n) => bed.hca.qpTable + (n + 2) * Qpc.WORDS);

  /** Queue and deadline of each running timer, the next one first. */
  const model: [context: number, deadlineNs: number][] = [];
  const forget = (context: number): void => {
    const at = model.findIndex(([other]) => other === context);
    if (at >= 0) model.splice(at, 1);
  };

  function apply(action: Step): void {
    if (action.kind === 'start') {
      const context = contexts[action.queue];
      forget(context);
      model.push([context, action.deadlineNs]);
      model.sort(([, a], [, b]) => a - b);
      timers.start(context, action.deadlineNs);
    } else if (action.kind === 'stop') {
      forget(contexts[action.queue]);
      timers.stop(contexts[action.queue]);
    } else if (action.kind === 'take') {
      const taken = timers.takeDue(action.nowNs);
      // Of timers that are due at the same time either may come.
      const due = model.filter(([, deadlineNs]) => deadlineNs === model[0][1] && deadlineNs <= action.nowNs);
      if (due.length === 0) expect(taken).to.equal(0);
      else expect(due.map(([context]) => context)).to.include(taken);
      forget(taken);
    } else {
      const waits = (context: number): boolean => model.some(([other]) => other === context);
      timers.rebuild(contexts, waits);
    }
  }

  function check(): void {
    expect(timers.earliestNs).to.equal(model[0]?.[1] ?? Infinity);
    expect(i32[bed.engine.header + EngineHeader.TIMER_COUNT]).to.equal(model.length);
    const heap = i32[bed.engine.header + EngineHeader.TIMER_QUEUE];
    for (const context of contexts) {
      const slot = i32[context + Qpc.TIMER_SLOT];
      const running = model.find(([other]) => other === context);
      expect(slot !== 0).to.equal(running !== undefined);
      if (running === undefined) continue;
      expect(i32[heap + slot - 1]).to.equal(context);
      expect(f64[(context + Qpc.DEADLINE) >>> 1]).to.equal(running[1]);
    }
  }

  it('is a sorted list, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        for (const context of contexts) timers.stop(context);
        model.length = 0;
        for (const action of steps) {
          apply(action);
          check();
        }
      }),
      { numRuns: 400 },
    );
  });

  it('hands out all timers in order', () => {
    for (const context of contexts) timers.stop(context);
    const deadlines = [5, 3, 9, 1, 7, 1, 8, 2, 6, 4, 0, 10];
    contexts.forEach((context, n) => timers.start(context, deadlines[n]));
    const order = contexts.map(() => deadlines[contexts.indexOf(timers.takeDue(100))]);
    expect(order).to.deep.equal([...deadlines].sort((a, b) => a - b));
    expect(timers.takeDue(Infinity)).to.equal(0);
  });

  it('says when the earliest deadline moved', () => {
    timers.moved = false;
    timers.start(contexts[0], 50);
    expect(timers.moved).to.equal(true);
    timers.moved = false;
    timers.stop(contexts[0]);
    expect(timers.moved).to.equal(true);
    timers.moved = false;
    timers.stop(contexts[0]);
    expect(timers.moved, 'nothing to stop').to.equal(false);
  });
});
