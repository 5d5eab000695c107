/** Handlers of kernel level: in order, one by one, and never from within a verb. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AsyncEvent } from '@openverbs/verbs';
import { expect } from 'chai';

import * as ib from '../src/kernel/index.ts';
import { closeSharedOpenVerbs, setPort } from '../src/testing/index.ts';
import { failure } from './failure.ts';
import { closeKernelPair, drain, openKernelPair, sendAToB, type KernelPair } from './kernel-support.ts';
import { uncaughtWhile } from './uncaught.ts';

const { IB_CQ_NEXT_COMP, IB_CQ_SOLICITED, IB_CQ_REPORT_MISSED_EVENTS } = ib;

describe('handlers of kernel level', () => {
  let pair: KernelPair | undefined;
  let calls: unknown[][];

  beforeEach(() => {
    calls = [];
  });
  afterEach(() => {
    if (pair !== undefined) closeKernelPair(pair);
    pair = undefined;
    closeSharedOpenVerbs();
  });

  const note =
    (what: string) =>
    (...args: unknown[]): void =>
      void calls.push([what, ...args]);

  it('are called after the post, once for each arming, with the context of the queue', async () => {
    pair = openKernelPair({ comp: note('comp') });
    const { cq } = pair;
    sendAToB(pair, 1);
    await nextTurn();
    expect(calls).to.deep.equal([]);
    expect(drain(cq).sort()).to.deep.equal([1, 1001]);
    expect(ib.ib_req_notify_cq(cq, IB_CQ_NEXT_COMP)).to.equal(0);
    sendAToB(pair, 2);
    sendAToB(pair, 3);
    expect(calls).to.deep.equal([]);
    await nextTurn();
    expect(calls).to.deep.equal([['comp', cq, 'cq context']]);
    expect(drain(cq)).to.have.length(4);
  });

  it('wait for solicited completions where that was asked for', async () => {
    pair = openKernelPair({ comp: note('comp') });
    ib.ib_req_notify_cq(pair.cq, IB_CQ_SOLICITED);
    sendAToB(pair, 1);
    await nextTurn();
    expect(calls).to.deep.equal([]);
    sendAToB(pair, 2, 8, ib.IB_SEND_SOLICITED);
    await nextTurn();
    expect(calls).to.have.length(1);
  });

  it('REPORT_MISSED_EVENTS tells what came before the arming', async () => {
    pair = openKernelPair({ comp: note('comp') });
    const { cq } = pair;
    expect(ib.ib_req_notify_cq(cq, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS)).to.equal(0);
    sendAToB(pair, 1);
    await nextTurn();
    expect(calls).to.have.length(1);
    expect(ib.ib_req_notify_cq(cq, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS)).to.equal(1);
    expect(ib.ib_req_notify_cq(cq, IB_CQ_NEXT_COMP)).to.equal(0);
    drain(cq);
    expect(ib.ib_req_notify_cq(cq, IB_CQ_SOLICITED | IB_CQ_REPORT_MISSED_EVENTS)).to.equal(0);
    for (const flags of [0, 3, IB_CQ_REPORT_MISSED_EVENTS, 8 | IB_CQ_NEXT_COMP, NaN])
      expect(
        failure(() => ib.ib_req_notify_cq(cq, flags)),
        String(flags),
      ).to.include({
        code: 'EINVAL',
        verb: 'ib_req_notify_cq',
      });
  });

  it('run one after the other, although a handler posts what makes the next event', async () => {
    let depth = 0;
    let rounds = 0;
    pair = openKernelPair({
      comp: (cq) => {
        expect(++depth).to.equal(1);
        do drain(cq);
        while (ib.ib_req_notify_cq(cq, IB_CQ_NEXT_COMP | IB_CQ_REPORT_MISSED_EVENTS) > 0);
        if (++rounds < 300) sendAToB(pair!, rounds);
        depth--;
      },
    });
    ib.ib_req_notify_cq(pair.cq, IB_CQ_NEXT_COMP);
    sendAToB(pair, 0);
    expect(rounds).to.equal(0);
    let turns = 0;
    for (; rounds < 300; turns++) await nextTurn();
    expect(turns, 'the event loop turns meanwhile').to.be.greaterThan(2);
  });

  it('of several queues are called in the order of the events', async () => {
    const order: unknown[] = [];
    pair = openKernelPair();
    const { device, pd } = pair;
    const cap = { maxSendWr: 4, maxRecvWr: 4 };
    const ends = ['x', 'y', 'z'].map((name) => {
      const cq = ib.ib_create_cq(device, (_, context) => order.push(context), null, name, 8, 0);
      const qp = ib.ib_create_qp(pd, { qpType: ib.IB_QPT_RC, sendCq: cq, recvCq: cq, cap });
      qp.toRts(qp.endpoint());
      ib.ib_req_notify_cq(cq, IB_CQ_NEXT_COMP);
      return { cq, qp };
    });
    for (const i of [2, 0, 1])
      ib.ib_post_send(ends[i].qp, { opcode: ib.IB_WR_RDMA_WRITE, sendFlags: ib.IB_SEND_SIGNALED });
    await nextTurn();
    expect(order).to.deep.equal(['z', 'x', 'y']);
    for (const { cq, qp } of ends) {
      ib.ib_destroy_qp(qp);
      ib.ib_destroy_cq(cq);
    }
  });

  it('are not called for a queue that was destroyed meanwhile, which needs no acknowledgement', async () => {
    const own = openKernelPair({ comp: note('comp'), qpEvent: note('qp') });
    ib.ib_req_notify_cq(own.cq, IB_CQ_NEXT_COMP);
    sendAToB(own, 1);
    ib.ib_modify_qp(
      own.a,
      { qpState: ib.IB_QPS_SQD, enSqdAsyncNotify: true },
      ib.IB_QP_STATE | ib.IB_QP_EN_SQD_ASYNC_NOTIFY,
    );
    closeKernelPair(own);
    await nextTurn();
    expect(calls).to.deep.equal([]);
  });

  it('that throw are uncaught exceptions, and are called again', async () => {
    const thrown = await uncaughtWhile(async (soFar) => {
      pair = openKernelPair({
        comp: () => {
          throw new Error(`call ${soFar.length}`);
        },
      });
      for (let i = 0; i < 2; i++) {
        ib.ib_req_notify_cq(pair.cq, IB_CQ_NEXT_COMP);
        sendAToB(pair, i);
        await nextTurn();
      }
    });
    expect(thrown).to.deep.equal(['call 0', 'call 1']);
  });

  it('of queue pairs and queues get their asynchronous events, with their contexts', async () => {
    pair = openKernelPair({ event: note('cq'), qpEvent: note('qp') });
    const { a, b, cq, pd } = pair;
    const mask = ib.IB_QP_STATE | ib.IB_QP_EN_SQD_ASYNC_NOTIFY;
    for (const qp of [b, a]) ib.ib_modify_qp(qp, { qpState: ib.IB_QPS_SQD, enSqdAsyncNotify: true }, mask);
    expect(calls).to.deep.equal([]);
    await nextTurn();
    const seen = calls.map(([what, event, context]) => [what, (event as AsyncEvent).type, context]);
    expect(seen).to.deep.equal([
      ['qp', ib.IB_EVENT_SQ_DRAINED, 1],
      ['qp', ib.IB_EVENT_SQ_DRAINED, 0],
    ]);
    calls = [];
    const srq = ib.ib_create_srq(pd, { attr: { maxWr: 4 }, srqContext: 'srq context', eventHandler: note('srq') });
    for (let i = 0; i < 2; i++) ib.ib_post_srq_recv(srq, { sgList: [] });
    const fed = ib.ib_create_qp(pd, { qpType: ib.IB_QPT_RC, sendCq: cq, recvCq: cq, srq, cap: { maxSendWr: 4 } });
    fed.toRts(fed.endpoint());
    ib.ib_modify_srq(srq, { srqLimit: 2 }, ib.IB_SRQ_LIMIT);
    ib.ib_post_send(fed, { opcode: ib.IB_WR_SEND });
    await nextTurn();
    expect(calls.map(([what, event, context]) => [what, (event as AsyncEvent).type, context])).to.deep.equal([
      ['srq', ib.IB_EVENT_SRQ_LIMIT_REACHED, 'srq context'],
    ]);
    calls = [];
    ib.ib_destroy_qp(fed);
    ib.ib_destroy_srq(srq);
  });

  it('of the device get events of ports, until they are taken out', async () => {
    pair = openKernelPair();
    const { device } = pair;
    const [first, second] = ['first', 'second'].map((name) =>
      ib.INIT_IB_EVENT_HANDLER(device, (handler, event) => calls.push([name, handler, event.type, event.port])),
    );
    ib.ib_register_event_handler(first);
    ib.ib_register_event_handler(second);
    setPort(device, 1, 'down');
    expect(calls).to.deep.equal([]);
    await nextTurn();
    ib.ib_unregister_event_handler(first);
    setPort(device, 1, 'up');
    await nextTurn();
    expect(calls).to.deep.equal([
      ['first', first, ib.IB_EVENT_PORT_ERR, 1],
      ['second', second, ib.IB_EVENT_PORT_ERR, 1],
      ['second', second, ib.IB_EVENT_PORT_ACTIVE, 1],
    ]);
    ib.ib_unregister_event_handler(second);
    expect(failure(() => ib.ib_unregister_event_handler(second)).code).to.equal('EINVAL');
    expect(failure(() => ib.ib_register_event_handler({ device } as never)).code).to.equal('EINVAL');
  });

  it('have to be functions, and their objects of kernel level', () => {
    pair = openKernelPair();
    const { device, pd, cq } = pair;
    expect(failure(() => ib.ib_create_cq(device, {} as never, null, null, 4, 0))).to.include({
      code: 'EINVAL',
      verb: 'ib_create_cq',
    });
    const init = { qpType: ib.IB_QPT_RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 1, maxRecvWr: 1 } };
    expect(failure(() => ib.ib_create_qp(pd, { ...init, eventHandler: 5 as never })).code).to.equal('EINVAL');
    using user = device.open();
    const userPd = user.allocPd();
    const foreign = failure(() => ib.ib_create_srq(userPd, { attr: { maxWr: 1 }, eventHandler: note('srq') }));
    expect(foreign).to.include({ code: 'EINVAL', verb: 'ib_create_srq' });
    expect(userPd.children).to.deep.equal([]);
  });
});
