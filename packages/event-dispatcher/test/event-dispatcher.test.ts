import { EventType, VerbsError, WorkCompletion } from '@openverbs/verbs';
import type { CompletionChannel, CompletionQueue } from '@openverbs/verbs';
import { expect } from 'chai';

import { EventDispatcher } from '../src/index.ts';
import { openFake } from './fake-device.ts';
import type { Fake } from './fake-device.ts';
import { turn } from './turn.ts';
import { uncaughtExceptions } from './uncaught.ts';

describe('EventDispatcher', () => {
  const wcs = WorkCompletion.array(8);
  let dispatcher: EventDispatcher;
  let fake: Fake;
  let channel: CompletionChannel;
  let cq: CompletionQueue;

  beforeEach(() => {
    dispatcher = new EventDispatcher();
    fake = openFake(dispatcher);
    channel = fake.context.createCompChannel();
    cq = fake.context.createCq({ cqe: 16, channel });
  });

  afterEach(() => {
    fake.context[Symbol.dispose]();
    expect(fake.source.holds, 'event loop still held').to.equal(0);
  });

  describe('onCompletion', () => {
    it('calls the handler with the queue of each event, and acknowledges the event', async () => {
      const seen: [CompletionQueue, number][] = [];
      cq.reqNotify();
      using subscription = dispatcher.onCompletion(channel, (which) => {
        which.reqNotify();
        seen.push([which, which.poll(wcs)]);
      });
      fake.complete(cq, 1, 2);
      await turn();
      fake.complete(cq, 3);
      await turn();
      expect(seen).to.deep.equal([
        [cq, 2],
        [cq, 1],
      ]);
      subscription.unsubscribe();
      await turn();
      cq.destroy();
    });

    it('keeps the event loop alive until it is unsubscribed, twice is once', async () => {
      const subscription = dispatcher.onCompletion(channel, () => {});
      await turn();
      expect(fake.source.holds).to.equal(1);
      subscription.unsubscribe();
      subscription.unsubscribe();
      await turn();
      expect(fake.source.holds).to.equal(0);
    });

    it('does not call the handler from within a verb', () => {
      let calls = 0;
      using _subscription = dispatcher.onCompletion(channel, () => calls++);
      cq.reqNotify();
      fake.complete(cq, 1);
      expect(calls).to.equal(0);
    });

    it('leaves what came before the unsubscribe and was not handled in the channel', async () => {
      const other = fake.context.createCq({ cqe: 16, channel });
      const seen: CompletionQueue[] = [];
      const subscription = dispatcher.onCompletion(channel, (which) => seen.push(which));
      await turn();
      for (const each of [cq, other]) {
        each.reqNotify();
        fake.complete(each, 1);
      }
      // The handler's wait has been given the first event already, and it has not run yet.
      subscription.unsubscribe();
      await turn();
      expect(seen).to.deep.equal([]);
      expect(channel.tryGetCqEvent()).to.equal(cq);
      expect(channel.tryGetCqEvent()).to.equal(other);
      expect(channel.tryGetCqEvent()).to.equal(null);
      for (const each of [cq, other]) {
        each.ackEvents(1);
        expect(() => each.ackEvents(1)).to.throw(VerbsError);
      }
    });

    it('is not called for a queue that ended between the event and its turn', async () => {
      const seen: CompletionQueue[] = [];
      const other = fake.context.createCq({ cqe: 16, channel });
      using _subscription = dispatcher.onCompletion(channel, (which) => seen.push(which));
      await turn();
      for (const each of [cq, other]) {
        each.reqNotify();
        fake.complete(each, 1);
      }
      cq[Symbol.dispose]();
      await turn();
      expect(seen).to.deep.equal([other]);
    });

    it('ends with the handler that destroys its queue and channel', async () => {
      dispatcher.onCompletion(channel, (which) => {
        which[Symbol.dispose]();
        channel.destroy();
      });
      cq.reqNotify();
      fake.complete(cq, 1);
      await turn();
      expect(channel.destroyed).to.equal(true);
    });

    it('ends with the channel', async () => {
      dispatcher.onCompletion(channel, () => expect.fail('no event came'));
      await turn();
      cq.destroy();
      channel.destroy();
      await turn();
    });

    it('refuses a channel that has ended', () => {
      cq.destroy();
      channel.destroy();
      expect(() => dispatcher.onCompletion(channel, () => {})).to.throw(VerbsError, 'already destroyed');
    });

    it('survives an exception of the handler, reports it as uncaught and acknowledges the event', async () => {
      const failure = new Error('a broken handler');
      const reported = uncaughtExceptions();
      let calls = 0;
      using _subscription = dispatcher.onCompletion(channel, () => {
        if (++calls === 1) throw failure;
      });
      for (let i = 0; i < 2; i++) {
        cq.reqNotify();
        fake.complete(cq, i);
        await turn();
      }
      expect(await reported.next()).to.equal(failure);
      reported.stop();
      expect(calls).to.equal(2);
      expect(() => cq.ackEvents(1)).to.throw(VerbsError);
    });
  });

  describe('onAsyncEvent', () => {
    it('calls the handler with each event in order, and acknowledges it', async () => {
      const seen: string[] = [];
      using _subscription = dispatcher.onAsyncEvent(fake.context, (event) => seen.push(String(event)));
      fake.source.interrupt({ type: EventType.PORT_ERR, id: 1 }, { type: EventType.PORT_ACTIVE, id: 1 });
      fake.source.interrupt({ type: EventType.CQ_ERR, id: cq.handle });
      await turn();
      expect(seen).to.deep.equal(['port error, port 1', 'port active, port 1', `CQ error, ${cq.label}`]);
      cq.destroy();
    });

    it('leaves what it has not handled in the context, in order', async () => {
      const subscription = dispatcher.onAsyncEvent(fake.context, () => expect.fail('unsubscribed'));
      await turn();
      fake.source.interrupt({ type: EventType.PORT_ERR, id: 2 }, { type: EventType.PORT_ACTIVE, id: 2 });
      subscription.unsubscribe();
      await turn();
      for (const type of [EventType.PORT_ERR, EventType.PORT_ACTIVE]) {
        const event = fake.context.tryGetAsyncEvent()!;
        expect(event.type).to.equal(type);
        fake.context.ackAsyncEvent(event);
      }
      expect(fake.context.tryGetAsyncEvent()).to.equal(null);
    });

    it('lets the handler destroy the object that the event is about', async () => {
      dispatcher.onAsyncEvent(fake.context, (event) => event.cq![Symbol.dispose]());
      fake.source.interrupt({ type: EventType.CQ_ERR, id: cq.handle }, { type: EventType.CQ_ERR, id: cq.handle });
      await turn();
      expect(cq.destroyed).to.equal(true);
    });

    it('ends with the context', async () => {
      dispatcher.onAsyncEvent(fake.context, () => expect.fail('no event came'));
      await turn();
      fake.context[Symbol.dispose]();
      await turn();
      expect(() => dispatcher.onAsyncEvent(fake.context, () => {})).to.throw(VerbsError, 'already destroyed');
    });
  });
});
