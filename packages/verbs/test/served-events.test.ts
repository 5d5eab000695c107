/** Events for handlers, as kernel level has them: called one by one, with nothing to acknowledge. */
import { expect } from 'chai';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CompletionQueue } from '../src/completion-queue.ts';
import { EventType } from '../src/enums/event-type.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { openFake } from './support/fake-provider.ts';
import { WorkCompletion } from '../src/work-completion.ts';

function open() {
  const fake = openFake();
  const { context } = fake;
  const channel = context.createCompChannel();
  const cq = context.createCq({ cqe: 32, channel });
  const qp = context.allocPd().createQp({ sendCq: cq, recvCq: cq, cap: { maxSendWr: 16, maxRecvWr: 16 }, qpType: 2 });
  qp.toRts(qp.endpoint());
  const write = (): void => qp.postSend({ opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED });
  return { ...fake, channel, cq, qp, write };
}

describe('served events', () => {
  it('reach the server on a microtask, and leave nothing to acknowledge', async () => {
    const { channel, cq, qp, write, routing } = open();
    const served: CompletionQueue[] = [];
    channel.serveEvents((each) => served.push(each));
    expect(routing.holds).to.equal(1);
    cq.reqNotify();
    write();
    routing.dispatch();
    expect(served).to.deep.equal([]);
    await nextTurn();
    expect(served).to.deep.equal([cq]);
    channel.serveEvents(null);
    expect(routing.holds).to.equal(0);
    qp.destroy();
    cq.destroy();
  });

  it('are forgotten with the queue that they were about, and do not keep it', async () => {
    const { channel, cq, qp, write, routing } = open();
    channel.serveEvents(() => expect.fail('the queue is gone'));
    cq.reqNotify();
    write();
    routing.dispatch();
    qp.destroy();
    cq.destroy();
    await nextTurn();
    channel.destroy();
    expect(routing.holds).to.equal(0);
  });

  it('that have no end let the event loop turn', async () => {
    const { channel, cq, write, routing } = open();
    const wcs = WorkCompletion.array(4);
    let served = 0;
    channel.serveEvents(() => {
      served++;
      cq.reqNotify();
      cq.poll(wcs);
      write();
      routing.dispatch();
    });
    cq.reqNotify();
    write();
    routing.dispatch();
    await nextTurn();
    await nextTurn();
    channel.serveEvents(null);
    expect(served).to.be.greaterThan(60);
  });

  it('that are taken one by one are fetched of the device when none is left', () => {
    const { context, ops, routing } = open();
    ops.raise(EventType.PORT_ERR, 1);
    ops.raise(EventType.PORT_ACTIVE, 1);
    routing.dispatch();
    const { dispatch } = routing;
    let dispatched = 0;
    routing.dispatch = () => {
      dispatched++;
      dispatch.call(routing);
    };
    const take = (): number | undefined => context.tryGetAsyncEvent()?.type;
    expect([take(), dispatched]).to.deep.equal([EventType.PORT_ERR, 0]);
    expect([take(), dispatched]).to.deep.equal([EventType.PORT_ACTIVE, 0]);
    expect([take(), dispatched]).to.deep.equal([undefined, 1]);
  });

  it('of a context come in order', async () => {
    const { context, ops, routing } = open();
    const types: number[] = [];
    context.serveAsyncEvents(({ type }) => types.push(type));
    ops.raise(EventType.PORT_ERR, 1);
    ops.raise(EventType.PORT_ACTIVE, 1);
    routing.dispatch();
    await nextTurn();
    expect(types).to.deep.equal([EventType.PORT_ERR, EventType.PORT_ACTIVE]);
    context.serveAsyncEvents(null);
  });
});

describe('reqNotifyReportMissed', () => {
  it('tells what is in the queue when it is armed', () => {
    const { cq, write, channel } = open();
    const wcs = WorkCompletion.array(4);
    expect(cq.reqNotifyReportMissed()).to.equal(false);
    write();
    expect(cq.reqNotifyReportMissed()).to.equal(true);
    expect(cq.reqNotifyReportMissed(true)).to.equal(true);
    expect(cq.poll(wcs)).to.equal(1);
    expect(cq.reqNotifyReportMissed()).to.equal(false);
    write();
    expect(channel.tryGetCqEvent()).to.equal(cq);
    cq.ackEvents(1);
  });
});
