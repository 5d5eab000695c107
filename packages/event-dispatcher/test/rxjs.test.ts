import { EventType, VerbsError } from '@openverbs/verbs';
import type { CompletionChannel, CompletionQueue, WorkCompletion } from '@openverbs/verbs';
import { expect } from 'chai';
import { firstValueFrom, take, toArray } from 'rxjs';

import { EventDispatcher } from '../src/index.ts';
import { fromAsyncEvents, fromCompletionChannel, fromCompletions } from '../src/rxjs.ts';
import { openFake } from './fake-device.ts';
import type { Fake } from './fake-device.ts';
import { turn } from './turn.ts';

function wrIds(batches: readonly (readonly WorkCompletion[])[]): number[][] {
  return batches.map((batch) => batch.map(({ wrId }) => wrId));
}

describe('event streams', () => {
  let fake: Fake;
  let channel: CompletionChannel;
  let cq: CompletionQueue;

  beforeEach(() => {
    fake = openFake(new EventDispatcher());
    channel = fake.context.createCompChannel();
    cq = fake.context.createCq({ cqe: 64, channel });
  });

  afterEach(() => {
    fake.context[Symbol.dispose]();
    expect(fake.source.holds, 'event loop still held').to.equal(0);
  });

  describe('fromCompletions', () => {
    it('emits batches of at most the size that was asked for', async () => {
      fake.complete(cq, 1, 2, 3, 4, 5);
      const batches = await firstValueFrom(fromCompletions(cq, { batch: 2 }).pipe(take(3), toArray()));
      expect(wrIds(batches)).to.deep.equal([[1, 2], [3, 4], [5]]);
    });

    it('emits arrays that the subscriber may keep', async () => {
      const batches: (readonly WorkCompletion[])[] = [];
      const subscription = fromCompletions(cq).subscribe((batch) => batches.push(batch));
      for (let wrId = 0; wrId < 5; wrId++) {
        fake.complete(cq, wrId);
        await turn();
        await turn();
      }
      subscription.unsubscribe();
      expect(wrIds(batches)).to.deep.equal([[0], [1], [2], [3], [4]]);
    });

    it('arms again after each event, so that nothing waits for a poll', async () => {
      const seen: number[] = [];
      const subscription = fromCompletions(cq).subscribe((batch) => seen.push(...batch.map(({ wrId }) => wrId)));
      for (let i = 0; i < 20; i++) {
        fake.complete(cq, i);
        // The next one comes before the last was polled, before the queue is armed again, or after.
        for (let turns = i % 3; turns > 0; turns--) await turn();
      }
      await turn();
      await turn();
      subscription.unsubscribe();
      expect(seen).to.deep.equal(Array.from({ length: 20 }, (_, i) => i));
      // All its events are acknowledged.
      cq.destroy();
    });

    it('polls again after arming, because what came before raises no event', async () => {
      const seen: number[][] = [];
      fake.beforeArming(cq, () => fake.complete(cq, 1));
      const subscription = fromCompletions(cq).subscribe((batch) => seen.push(...wrIds([batch])));
      await turn();
      await turn();
      subscription.unsubscribe();
      expect(seen).to.deep.equal([[1]]);
    });

    it('polls nothing for a subscriber that is gone', async () => {
      const seen: number[][] = [];
      fake.complete(cq, 1, 2, 3);
      const subscription = fromCompletions(cq, { batch: 1 }).subscribe((batch) => {
        seen.push(...wrIds([batch]));
        subscription.unsubscribe();
      });
      await turn();
      await turn();
      expect(seen).to.deep.equal([[1]]);
      const rest = await firstValueFrom(fromCompletions(cq));
      expect(wrIds([rest])).to.deep.equal([[2, 3]]);
    });

    it('aborts its wait when unsubscribed, and leaves the event that came at that moment', async () => {
      const subscription = fromCompletions(cq).subscribe(() => expect.fail('unsubscribed'));
      await turn();
      expect(fake.source.holds).to.equal(1);
      fake.complete(cq, 1);
      subscription.unsubscribe();
      await turn();
      expect(fake.source.holds).to.equal(0);
      expect(channel.tryGetCqEvent()).to.equal(cq);
      cq.ackEvents(1);
      expect(wrIds([await firstValueFrom(fromCompletions(cq))])).to.deep.equal([[1]]);
    });

    it('takes events from nobody before it is subscribed', async () => {
      const stream = fromCompletions(cq);
      fake.complete(cq, 1);
      await turn();
      expect(fake.source.holds).to.equal(0);
      expect(wrIds([await firstValueFrom(stream)])).to.deep.equal([[1]]);
    });

    it('completes with the queue, and with the context', async () => {
      const log: string[] = [];
      const observer = {
        next: () => log.push('next'),
        error: () => log.push('error'),
        complete: () => log.push('complete'),
      };
      fromCompletions(cq).subscribe(observer);
      await turn();
      cq.destroy();
      await turn();
      expect(log).to.deep.equal(['complete']);
      const ownChannel = fake.context.createCompChannel();
      fromCompletions(fake.context.createCq({ cqe: 16, channel: ownChannel })).subscribe(observer);
      await turn();
      fake.context[Symbol.dispose]();
      await turn();
      expect(log).to.deep.equal(['complete', 'complete']);
    });

    it('fails for a queue without a channel of its own, and for a batch of nothing', async () => {
      const errors: unknown[] = [];
      fake.context.createCq({ cqe: 16, channel });
      for (const each of [cq, fake.context.createCq({ cqe: 16 })]) {
        fromCompletions(each).subscribe({ error: (error) => errors.push(error) });
      }
      await turn();
      expect(errors.map(String).join('\n')).to.match(/shares its channel\n.*has no channel/);
      expect(errors.every((error) => VerbsError.is(error) && error.code === 'EINVAL' && error.hint !== '')).to.equal(
        true,
      );
      for (const batch of [0, -1, 1.5, Number.NaN]) expect(() => fromCompletions(cq, { batch })).to.throw(VerbsError);
    });
  });

  describe('fromCompletionChannel', () => {
    it('emits the queue of each event, and acknowledges it', async () => {
      const other = fake.context.createCq({ cqe: 16, channel });
      const events = firstValueFrom(fromCompletionChannel(channel).pipe(take(2), toArray()));
      for (const each of [cq, other]) {
        each.reqNotify();
        fake.complete(each, 1);
      }
      expect(await events).to.deep.equal([cq, other]);
      await turn();
      cq.destroy();
      other.destroy();
    });

    it('leaves the event that came as it was unsubscribed', async () => {
      const subscription = fromCompletionChannel(channel).subscribe(() => expect.fail('unsubscribed'));
      await turn();
      cq.reqNotify();
      fake.complete(cq, 1);
      subscription.unsubscribe();
      await turn();
      expect(channel.tryGetCqEvent()).to.equal(cq);
    });
  });

  describe('fromAsyncEvents', () => {
    it('emits events and acknowledges them', async () => {
      const events = firstValueFrom(fromAsyncEvents(fake.context).pipe(take(2), toArray()));
      fake.source.interrupt({ type: EventType.CQ_ERR, id: cq.handle }, { type: EventType.DEVICE_FATAL, id: 0 });
      expect((await events).map(({ type }) => type)).to.deep.equal([EventType.CQ_ERR, EventType.DEVICE_FATAL]);
      await turn();
      cq.destroy();
    });

    it('completes with the context', async () => {
      let completed = false;
      fromAsyncEvents(fake.context).subscribe({ complete: () => (completed = true) });
      await turn();
      fake.context[Symbol.dispose]();
      await turn();
      expect(completed).to.equal(true);
    });
  });
});
