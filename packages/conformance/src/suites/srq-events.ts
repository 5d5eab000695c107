/** Asynchronous events of shared receive queues (IBTA volume 1, 11.6.3.1): the limit, and the last WQE of a QP. */
import { expect } from 'chai';
import { EventType, QpState, WcStatus } from '@openverbs/verbs';
import { expectAsyncEvent, expectNoAsyncEvent, nextAsyncEvent } from '../bench/async-events.ts';
import { expectCompletions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import { share, type Sharing } from '../bench/sharing.ts';
import { defineSuite } from '../define-suite.ts';

const { SRQ_LIMIT_REACHED, QP_LAST_WQE_REACHED } = EventType;

/** Has `count` messages take a receive each, by turns of the QPs. */
async function take({ pairs }: Sharing, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const { a, b } = pairs[n % pairs.length];
    a.qp.postSend(send(n, []));
    await expectCompletions(b.recvCq, { wrId: 0 });
    await expectCompletions(a.sendCq, { wrId: n });
  }
}

/** Posts `count` receives. */
function post({ srq }: Sharing, count: number): void {
  srq.postRecv(Array.from({ length: count }, () => ({ wrId: 0 })));
}

export const srqEventsSuite = defineSuite('srq-events', ['rc', 'srq', 'asyncEvents'], (suite) => {
  suite.works('the limit is reached when fewer receives than it are left, once', async (bench) => {
    const sharing = share(bench);
    const { context, srq } = sharing;
    post(sharing, 8);
    srq.modify({ srqLimit: 4 });
    await take(sharing, 4);
    expectNoAsyncEvent(context);
    await take(sharing, 1);
    await expectAsyncEvent(context, SRQ_LIMIT_REACHED, srq);
    await take(sharing, 3);
    post(sharing, 8);
    await take(sharing, 8);
    expectNoAsyncEvent(context);
  });

  suite.works('the limit is armed again, and moved', async (bench) => {
    const sharing = share(bench);
    const { context, srq } = sharing;
    for (const limit of [2, 5, 8]) {
      post(sharing, 8);
      srq.modify({ srqLimit: 1 });
      srq.modify({ srqLimit: limit });
      expect(srq.query().srqLimit, 'srqLimit').to.equal(limit);
      await take(sharing, 8);
      await expectAsyncEvent(context, SRQ_LIMIT_REACHED, srq);
      expectNoAsyncEvent(context);
    }
  });

  suite.works('a limit of 0 disarms', async (bench) => {
    const sharing = share(bench);
    post(sharing, 8);
    sharing.srq.modify({ srqLimit: 4 });
    sharing.srq.modify({ srqLimit: 0 });
    await take(sharing, 8);
    expectNoAsyncEvent(sharing.context);
  });

  suite.provokes('limits that are out of range', (bench) => {
    const { srq } = share(bench, { count: 0 });
    srq.modify({ srqLimit: 3 });
    for (const srqLimit of [-1, srq.maxWr + 1, 0.5, NaN]) {
      expectError('EINVAL', () => {
        srq.modify({ srqLimit });
      });
    }
    expectError('EINVAL', () => {
      srq.modify({});
    });
    expect(srq.query().srqLimit).to.equal(3);
    srq.modify({ srqLimit: srq.maxWr });
  });

  suite.works('an event that is not acknowledged keeps the SRQ', async (bench) => {
    const sharing = share(bench, { count: 1 });
    const { context, srq } = sharing;
    post(sharing, 1);
    srq.modify({ srqLimit: 1 });
    await take(sharing, 1);
    const event = await nextAsyncEvent(context);
    expect([event.type, event.srq]).to.deep.equal([SRQ_LIMIT_REACHED, srq]);
    sharing.pairs[0].b.qp.destroy();
    expectError('EBUSY', () => {
      srq.destroy();
    });
    context.ackAsyncEvent(event);
    srq.destroy();
  });

  suite.provokes('a QP that is brought into error has taken its last WQE', async (bench) => {
    const { context, srq, pairs } = share(bench);
    const [{ b }] = pairs;
    srq.postRecv({ wrId: 1 });
    b.qp.modify({ qpState: QpState.ERR });
    await expectAsyncEvent(context, QP_LAST_WQE_REACHED, b.qp);
    b.qp.modify({ qpState: QpState.ERR });
    expectNoAsyncEvent(context);
  });

  suite.provokes('a QP that fails has taken its last WQE, and its completion is there', async (bench) => {
    const { context, srq, pairs } = share(bench);
    const [{ a, b }] = pairs;
    srq.postRecv({ wrId: 1, sgList: [b.sge(0, 1)] });
    a.qp.postSend(send(2, [a.sge(0, 8)]));
    await expectAsyncEvent(context, QP_LAST_WQE_REACHED, b.qp);
    await expectCompletions(b.recvCq, { wrId: 1, status: WcStatus.LOC_LEN_ERR });
    expectNoAsyncEvent(context);
  });

  suite.provokes('the event comes again in the QP’s next life', async (bench) => {
    const { context, pairs } = share(bench, { count: 1 });
    const { qp } = pairs[0].b;
    for (let life = 0; life < 3; life++) {
      qp.modify({ qpState: QpState.ERR });
      await expectAsyncEvent(context, QP_LAST_WQE_REACHED, qp);
      qp.modify({ qpState: QpState.RESET });
      qp.toRts(pairs[0].a.qp.endpoint());
    }
  });

  suite.works('a QP with a receive queue of its own has no such event', (bench) => {
    const { b } = bench.pair();
    b.qp.modify({ qpState: QpState.ERR });
    expectNoAsyncEvent(b.context);
  });
});
