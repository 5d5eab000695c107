/** Completion channels and their events (ibv_create_comp_channel, ibv_req_notify_cq, ibv_get_cq_event, ibv_ack_cq_events). */
import { expect } from 'chai';
import { completions, expectCompletions } from '../bench/completions.ts';
import { channelOf, expectCqEvent } from '../bench/cq-events.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { eventually, inTime } from '../bench/wait.ts';
import { defineSuite } from '../define-suite.ts';

/** Sends one empty message and waits until both ends have their completion. */
async function exchange(a: Side, b: Side, wrId: number): Promise<void> {
  b.qp.postRecv({ wrId, sgList: [] });
  a.qp.postSend(send(wrId, []));
  await expectCompletions(b.recvCq, { wrId });
  await expectCompletions(a.sendCq, { wrId });
}

export const channelSuite = defineSuite('channel', ['rc', 'completionEvents'], (suite) => {
  suite.works('raises one event for the next completion after arming', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify();
    await exchange(a, b, 1);
    await expectCqEvent(b.recvCq);
    // One shot: the next completion raises nothing until the CQ is armed again.
    await exchange(a, b, 2);
    expect(channelOf(b.recvCq).tryGetCqEvent(), 'event of a CQ that is not armed').to.equal(null);
    b.recvCq.reqNotify();
    await exchange(a, b, 3);
    await expectCqEvent(b.recvCq);
  });

  suite.works('raises nothing for CQs that were not armed', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    await exchange(a, b, 1);
    expect(channelOf(a.sendCq).tryGetCqEvent()).to.equal(null);
    expect(channelOf(b.recvCq).tryGetCqEvent()).to.equal(null);
  });

  suite.works('tells which of its CQs it is', async (bench) => {
    const context = bench.open();
    const channel = context.createCompChannel();
    const cqs = [context.createCq({ cqe: 8, channel }), context.createCq({ cqe: 8, channel })];
    for (const [index, cq] of cqs.entries()) {
      const { a, b } = bench.pair({ b: { context, cq } });
      cq.reqNotify();
      await exchange(a, b, index);
      await expectCqEvent(cq);
    }
  });

  suite.works('resolves a wait that began before the event', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify();
    const waiting = channelOf(b.recvCq).getCqEvent();
    b.qp.postRecv({ wrId: 1, sgList: [] });
    a.qp.postSend(send(1, []));
    expect(await inTime('the event', waiting)).to.equal(b.recvCq);
    b.recvCq.ackEvents(1);
    await expectCompletions(b.recvCq, { wrId: 1 });
  });

  suite.works('loses no event to an aborted wait', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    const reason = new Error('changed my mind');
    const aborter = new AbortController();
    const aborted = channelOf(b.recvCq).getCqEvent({ signal: aborter.signal });
    aborter.abort(reason);
    expect(await inTime('the abort', aborted).catch((error: unknown) => error), 'rejects with the reason').to.equal(
      reason,
    );
    const already = channelOf(b.recvCq).getCqEvent({ signal: AbortSignal.abort(reason) });
    expect(await inTime('the abort', already).catch((error: unknown) => error), 'rejects at once').to.equal(reason);
    b.recvCq.reqNotify();
    await exchange(a, b, 1);
    await expectCqEvent(b.recvCq);
  });

  suite.works('gives each of several waits an event of its own', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    const channel = channelOf(b.recvCq);
    const waits = [channel.getCqEvent(), channel.getCqEvent()];
    for (const [wrId, wait] of waits.entries()) {
      b.recvCq.reqNotify();
      await exchange(a, b, wrId);
      expect(await inTime('the event', wait)).to.equal(b.recvCq);
    }
    b.recvCq.ackEvents(2);
  });

  suite.works('a CQ that is armed again as soon as its event is there loses none', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    const channel = channelOf(b.recvCq);
    b.recvCq.reqNotify();
    for (let wrId = 0; wrId < 300; wrId++) {
      b.qp.postRecv({ wrId });
      a.qp.postSend(send(wrId, []));
      // Looked for all the time, so that the arming comes in the middle of what the device does after the event.
      await eventually('the event', () => channel.tryGetCqEvent() !== null);
      b.recvCq.reqNotify();
      b.recvCq.ackEvents(1);
      await expectCompletions(b.recvCq, { wrId });
      await expectCompletions(a.sendCq, { wrId });
    }
  });

  suite.works('iterates completions without losing one', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    const messages = 200;
    const post = (wrId: number): void => {
      b.qp.postRecv({ wrId, sgList: [] });
      a.qp.postSend(send(wrId, []));
    };
    for (let wrId = 0; wrId < 8; wrId++) post(wrId);
    let next = 0;
    for await (const batch of b.recvCq.completions({ batch: 3 })) {
      expect(batch.length, 'a batch is never empty').to.be.within(1, 3);
      for (const wc of batch) {
        expect(wc.wrId).to.equal(next++);
        await completions(a.sendCq, 1);
        if (next + 7 < messages) post(next + 7);
      }
      if (next === messages) break;
    }
    expect(next).to.equal(messages);
    // Leaving the loop leaves nothing behind that keeps the CQ busy.
    b.qp.destroy();
    b.recvCq.destroy();
  });

  suite.works('ends an iteration at an abort', async (bench) => {
    const { b } = bench.pair({ withChannels: true });
    const aborter = new AbortController();
    const reason = new Error('enough');
    const iteration = (async () => {
      for await (const batch of b.recvCq.completions({ signal: aborter.signal })) expect(batch).to.have.lengthOf(0);
    })();
    aborter.abort(reason);
    expect(await inTime('the abort', iteration).catch((error: unknown) => error)).to.equal(reason);
  });

  suite.provokes('is busy while CQs use it, and destroyed once', (bench) => {
    const context = bench.open();
    const channel = context.createCompChannel();
    const cq = context.createCq({ cqe: 4, channel });
    expectError('EBUSY', () => {
      channel.destroy();
    });
    cq.destroy();
    channel.destroy();
    expectError('EINVAL', () => {
      channel.destroy();
    });
    expectError('EINVAL', () => channel.tryGetCqEvent());
    expectError('EINVAL', () => context.createCq({ cqe: 4, channel }));
  });

  suite.provokes('keeps its CQs busy until their events are acknowledged', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify();
    await exchange(a, b, 1);
    await eventually('the event', () => channelOf(b.recvCq).tryGetCqEvent() === b.recvCq);
    b.qp.destroy();
    expectError('EBUSY', () => {
      b.recvCq.destroy();
    });
    b.recvCq.ackEvents(1);
    b.recvCq.destroy();
  });

  suite.provokes('refuses more acknowledgements than there were events', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    expectError('EINVAL', () => {
      b.recvCq.ackEvents(1);
    });
    b.recvCq.reqNotify();
    await exchange(a, b, 1);
    await eventually('the event', () => channelOf(b.recvCq).tryGetCqEvent() === b.recvCq);
    for (const count of [2, -1, 0.5, NaN]) {
      expectError('EINVAL', () => {
        b.recvCq.ackEvents(count);
      });
    }
    b.recvCq.ackEvents(1);
  });

  suite.provokes('refuses a channel of another context', (bench) => {
    const channel = bench.open().createCompChannel();
    const context = bench.open();
    expectError('EINVAL', () => context.createCq({ cqe: 4, channel }));
    context.close();
  });

  suite.provokes('refuses to iterate completions of a CQ without a channel', async (bench) => {
    const cq = bench.open().createCq({ cqe: 4 });
    let caught: unknown;
    try {
      for await (const batch of cq.completions()) expect(batch).to.have.lengthOf(0);
    } catch (error) {
      caught = error;
    }
    const error = expectError('EINVAL', () => {
      throw caught;
    });
    expect(error.hint, 'hint').to.be.a('string').that.is.not.empty;
  });
});
