import { expect } from 'chai';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { VerbsError } from '../src/errors.ts';
import type { QueuePair } from '../src/queue-pair.ts';
import { WorkCompletion } from '../src/work-completion.ts';
import { openConnected } from './support/connected.ts';
import { errorOf, openFake } from './support/fake-provider.ts';
import { rejectionOf } from './support/rejection-of.ts';

/** A CQ with a channel of its own, and a QP connected to itself. */
function openEvented() {
  const fake = openFake();
  const { context } = fake;
  const channel = context.createCompChannel();
  const cq = context.createCq({ cqe: 32, channel, cqContext: 'mine' });
  const qp = context.allocPd().createQp({ sendCq: cq, recvCq: cq, cap: { maxSendWr: 16, maxRecvWr: 16 }, qpType: 2 });
  qp.toRts(qp.endpoint());
  return { ...fake, channel, cq, qp, wcs: WorkCompletion.array(16) };
}

function write(qp: QueuePair, wrId = 0): void {
  qp.postSend({ wrId, opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED });
}

describe('completion events', () => {
  it('come once for an armed CQ, in order', async () => {
    const { channel, cq, qp } = openEvented();
    expect(channel.tryGetCqEvent()).to.equal(null);
    write(qp);
    expect(channel.tryGetCqEvent()).to.equal(null);
    cq.reqNotify();
    expect(channel.tryGetCqEvent()).to.equal(null);
    write(qp);
    write(qp);
    expect(await channel.getCqEvent()).to.equal(cq);
    expect(cq.cqContext).to.equal('mine');
    expect(channel.tryGetCqEvent()).to.equal(null);
    cq.ackEvents(1);
    expect(errorOf(() => cq.ackEvents(1)).message).to.contain('n is 1; the limit is 0 to 0');
  });

  it('of the solicited kind come for solicited sends alone', () => {
    const { channel, cq, qp } = openEvented();
    for (let i = 0; i < 2; i++) qp.postRecv({});
    cq.reqNotify(true);
    qp.postSend({});
    expect(channel.tryGetCqEvent()).to.equal(null);
    qp.postSend({ sendFlags: SendFlags.SOLICITED });
    expect(channel.tryGetCqEvent()).to.equal(cq);
    cq.ackEvents(1);
  });

  it('wake those who wait, the first one first, and hold the loop meanwhile', async () => {
    const { ops, routing, channel, cq, qp } = openEvented();
    const order: number[] = [];
    const waits = [1, 2].map((n) => channel.getCqEvent().then(() => order.push(n)));
    expect([ops.holds, routing.holds]).to.deep.equal([2, 2]);
    for (let i = 0; i < 2; i++) {
      cq.reqNotify();
      write(qp);
    }
    await Promise.all(waits);
    expect(order).to.deep.equal([1, 2]);
    expect(ops.holds).to.equal(0);
    cq.ackEvents(2);
  });

  it('are fetched from the device by a wait that comes without an interrupt', async () => {
    const { ops, channel, cq } = openEvented();
    ops.raise(-1, cq.handle, false);
    expect(await channel.getCqEvent()).to.equal(cq);
    ops.raise(-1, cq.handle, false);
    expect(channel.tryGetCqEvent()).to.equal(cq);
    cq.ackEvents(2);
  });

  it('are not lost to an abort', async () => {
    const { ops, channel, cq } = openEvented();
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborted = channel.getCqEvent({ signal: controller.signal });
    const other = channel.getCqEvent();
    controller.abort(reason);
    ops.raise(-1, cq.handle);
    expect(await rejectionOf(aborted)).to.equal(reason);
    expect(await other).to.equal(cq);
    expect(await rejectionOf(channel.getCqEvent({ signal: controller.signal }))).to.equal(reason);
    // Aborted after the event was handed over: it has been.
    const late = new AbortController();
    const handed = channel.getCqEvent({ signal: late.signal });
    ops.raise(-1, cq.handle);
    late.abort();
    expect(await handed).to.equal(cq);
    cq.ackEvents(2);
    expect(ops.holds).to.equal(0);
  });

  it('that nobody took go with their CQ', () => {
    const { context, ops, channel, cq } = openEvented();
    const other = context.createCq({ cqe: 4, channel });
    ops.raise(-1, other.handle);
    ops.raise(-1, cq.handle);
    ops.raise(-1, other.handle);
    other.destroy();
    expect(channel.tryGetCqEvent()).to.equal(cq);
    expect(channel.tryGetCqEvent()).to.equal(null);
    cq.ackEvents(1);
  });

  it('of CQs that are gone, or have no channel, are dropped', () => {
    const { context, ops, routing, cq } = openConnected();
    ops.raise(-1, cq.handle);
    ops.raise(-1, 12345);
    expect(routing.dropped).to.equal(1);
    expect(context.tryGetAsyncEvent()).to.equal(null);
  });

  it('waits end with the channel', async () => {
    const { context, ops } = openFake();
    const channel = context.createCompChannel();
    const wait = channel.getCqEvent();
    channel.destroy();
    const error = await rejectionOf(wait);
    expect(VerbsError.is(error) && error.code).to.equal('ECANCELED');
    expect(ops.holds).to.equal(0);
  });

  it('iterate, and are acknowledged after the body', async () => {
    const { ops, channel, cq } = openEvented();
    for (let i = 0; i < 3; i++) ops.raise(-1, cq.handle);
    let seen = 0;
    for await (const event of channel) {
      expect(event).to.equal(cq);
      expect(errorOf(() => cq.destroy()).code).to.equal('EBUSY');
      if (++seen === 3) break;
    }
    expect(() => cq.ackEvents(0)).not.to.throw();
    expect(errorOf(() => cq.ackEvents(1)).code).to.equal('EINVAL');
  });
});

describe('cq.completions', () => {
  it('gives every completion once, in batches, whenever they come', async () => {
    const { cq, qp, ops } = openEvented();
    for (let i = 0; i < 5; i++) write(qp, i);
    const seen: number[] = [];
    const sizes: number[] = [];
    for await (const batch of cq.completions({ batch: 4 })) {
      sizes.push(batch.length);
      seen.push(...batch.map(({ wrId }) => wrId));
      if (seen.length === 5) void nextTurn().then(() => write(qp, 5));
      if (seen.length === 6) for (let i = 6; i < 9; i++) write(qp, i);
      if (seen.length === 9) break;
    }
    expect(seen).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(sizes).to.deep.equal([4, 1, 1, 3]);
    expect(ops.holds).to.equal(0);
    cq.context[Symbol.dispose]();
  });

  it('gives others a turn while completions keep coming', async () => {
    const { cq, qp } = openEvented();
    let turns = 0;
    let batches = 0;
    const timer = setImmediate(() => turns++);
    write(qp);
    for await (const batch of cq.completions()) {
      expect(batch).to.have.length(1);
      if (turns > 0) break;
      expect(++batches).to.be.lessThan(1000);
      write(qp);
    }
    clearImmediate(timer);
  });

  it('loses no wake-up to a completion between poll and arming', async () => {
    const { cq, qp } = openEvented();
    const { reqNotify } = cq;
    // Comes too late for the poll and too early for the event.
    cq.reqNotify = function (solicitedOnly) {
      write(qp, 1);
      reqNotify.call(this, solicitedOnly);
      cq.reqNotify = reqNotify;
    };
    for await (const [wc] of cq.completions()) {
      expect(wc.wrId).to.equal(1);
      break;
    }
  });

  it('ends with the reason of the signal', async () => {
    const { cq, ops } = openEvented();
    const controller = new AbortController();
    const iterator = cq.completions({ signal: controller.signal });
    const next = iterator.next();
    await nextTurn();
    expect(ops.holds).to.equal(1);
    controller.abort(new Error('enough'));
    expect(((await rejectionOf(next)) as Error).message).to.equal('enough');
    expect(ops.holds).to.equal(0);
    expect(((await rejectionOf(cq.completions({ signal: controller.signal }).next())) as Error).message).to.equal(
      'enough',
    );
  });

  it('are for one loop at a time, of which a second one says so', async () => {
    const { cq } = openEvented();
    const controller = new AbortController();
    const first = cq.completions({ signal: controller.signal });
    const waiting = rejectionOf(first.next());
    expect(await rejectionOf(cq.completions().next())).to.include({ code: 'EBUSY', verb: 'ibv_poll_cq' });
    controller.abort(new Error('enough'));
    expect(await waiting).to.have.property('message', 'enough');
    const again = cq.completions({ signal: AbortSignal.abort(new Error('over')) });
    expect(await rejectionOf(again.next())).to.have.property('message', 'over');
  });

  it('ends with the CQ', async () => {
    const { context, cq, qp } = openEvented();
    const next = cq.completions().next();
    await nextTurn();
    qp.destroy();
    cq.destroy();
    const error = await rejectionOf(next);
    expect(VerbsError.is(error) && error.code).to.equal('ECANCELED');
    context[Symbol.dispose]();
  });

  it('needs a channel of its own', async () => {
    const { context, channel, cq } = openEvented();
    context.createCq({ cqe: 4, channel });
    const shared = await rejectionOf(cq.completions().next());
    expect(VerbsError.is(shared) && shared.message).to.contain('shares its channel');
    const without = await rejectionOf(context.createCq({ cqe: 4 }).completions().next());
    expect(VerbsError.is(without) && without.hint).to.contain('createCq({ cqe, channel })');
  });
});
