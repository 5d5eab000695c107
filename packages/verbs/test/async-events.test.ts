import { expect } from 'chai';
import { inspect } from 'node:util';
import { EventType } from '../src/enums/event-type.ts';
import { type VerbsError } from '../src/errors.ts';
import { openConnected } from './support/connected.ts';
import { errorOf, openFake } from './support/fake-provider.ts';
import { rejectionOf } from './support/rejection-of.ts';

describe('asynchronous events', () => {
  it('name what they are about', () => {
    const { context, ops, a, cq, pd } = openConnected();
    const srq = pd.createSrq({ attr: { maxWr: 4 } });
    ops.raise(EventType.COMM_EST, a.handle);
    ops.raise(EventType.CQ_ERR, cq.handle);
    ops.raise(EventType.SRQ_LIMIT_REACHED, srq.handle);
    ops.raise(EventType.PORT_ERR, 2);
    ops.raise(EventType.DEVICE_FATAL, 0);
    const events = Array.from({ length: 5 }, () => context.tryGetAsyncEvent()!);
    expect(context.tryGetAsyncEvent()).to.equal(null);
    expect(events.map(({ type, element }) => [type, element])).to.deep.equal([
      [EventType.COMM_EST, 'qp'],
      [EventType.CQ_ERR, 'cq'],
      [EventType.SRQ_LIMIT_REACHED, 'srq'],
      [EventType.PORT_ERR, 'port'],
      [EventType.DEVICE_FATAL, 'device'],
    ]);
    expect([events[0].qp, events[1].cq, events[2].srq, events[3].port]).to.deep.equal([a, cq, srq, 2]);
    expect(events[0].cq).to.equal(undefined);
    expect(events.map(String)).to.deep.equal([
      `communication established, ${a.label}`,
      `CQ error, ${cq.label}`,
      `SRQ limit reached, ${srq.label}`,
      'port error, port 2',
      'local catastrophic error, device',
    ]);
    expect(inspect(events[3])).to.equal('AsyncEvent { port error, port 2 }');
    expect(events[0].context).to.equal(context);
  });

  it('keep their object until they are acknowledged, once', () => {
    const { context, ops, b } = openConnected();
    ops.raise(EventType.COMM_EST, b.handle);
    ops.raise(EventType.QP_FATAL, b.handle);
    const event = context.tryGetAsyncEvent()!;
    expect(errorOf(() => b.destroy())).to.include({ code: 'EBUSY', verb: 'ibv_destroy_qp' });
    context.ackAsyncEvent(event);
    expect(errorOf(() => context.ackAsyncEvent(event)).code).to.equal('EINVAL');
    b.destroy(); // the other one was never taken, and goes along
    expect(context.tryGetAsyncEvent()).to.equal(null);
  });

  it('of the device keep the context', () => {
    const { context, ops } = openFake();
    ops.raise(EventType.PORT_ACTIVE, 1);
    const event = context.tryGetAsyncEvent()!;
    expect(errorOf(() => context.close())).to.include({ code: 'EBUSY' });
    context.ackAsyncEvent(event);
    context.close();
  });

  it('wake those who wait', async () => {
    const { context, ops } = openFake();
    const controller = new AbortController();
    const aborted = context.getAsyncEvent({ signal: controller.signal });
    const wait = context.getAsyncEvent();
    controller.abort();
    ops.raise(EventType.PORT_ACTIVE, 1);
    expect(((await rejectionOf(aborted)) as Error).name).to.equal('AbortError');
    expect((await wait).port).to.equal(1);
    context.ackAsyncEvent(await wait);
    const last = context.getAsyncEvent();
    context.close();
    expect(((await rejectionOf(last)) as VerbsError).code).to.equal('ECANCELED');
    expect(ops.holds).to.equal(0);
  });

  it('iterate, and are acknowledged after the body', async () => {
    const { context, ops } = openFake();
    for (const port of [1, 2]) ops.raise(EventType.PORT_ACTIVE, port);
    const seen: (number | undefined)[] = [];
    for await (const event of context.asyncEvents()) {
      seen.push(event.port);
      if (seen.length === 1) context.ackAsyncEvent(event); // by hand is well too
      if (seen.length === 2) break;
    }
    expect(seen).to.deep.equal([1, 2]);
    context.close();
  });
});
