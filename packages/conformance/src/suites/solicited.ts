/** Solicited events: IBV_SEND_SOLICITED and `reqNotify(true)` (ibv_req_notify_cq). */
import { expect } from 'chai';
import { QpState, SendFlags, WcStatus, WrOpcode } from '@openverbs/verbs';
import { expectCompletions } from '../bench/completions.ts';
import { channelOf, expectCqEvent } from '../bench/cq-events.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const SOLICITED = { sendFlags: SendFlags.SIGNALED | SendFlags.SOLICITED };

async function exchange(a: Side, b: Side, wrId: number, extras: object = {}): Promise<void> {
  b.qp.postRecv({ wrId, sgList: [] });
  a.qp.postSend(send(wrId, [], extras));
  await expectCompletions(b.recvCq, { wrId });
  await expectCompletions(a.sendCq, { wrId });
}

export const solicitedSuite = defineSuite('solicited', ['rc', 'completionEvents'], (suite) => {
  suite.works('armed for solicited: only a solicited message raises the event', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify(true);
    await exchange(a, b, 1);
    expect(channelOf(b.recvCq).tryGetCqEvent(), 'after a message that is not solicited').to.equal(null);
    await exchange(a, b, 2, SOLICITED);
    await expectCqEvent(b.recvCq);
  });

  suite.works('armed for solicited: immediate data counts as well', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify(true);
    await exchange(a, b, 1, { ...SOLICITED, opcode: WrOpcode.SEND_WITH_IMM, immData: 9 });
    await expectCqEvent(b.recvCq);
  });

  suite.works('armed for solicited: an RDMA write with immediate data raises it', ['rdmaWrite'], async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify(true);
    const { rkey, addr: remoteAddr } = b.mr;
    await exchange(a, b, 1, { ...SOLICITED, opcode: WrOpcode.RDMA_WRITE_WITH_IMM, immData: 9, rkey, remoteAddr });
    await expectCqEvent(b.recvCq);
  });

  suite.works('armed for any: a solicited message raises the event too', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify();
    await exchange(a, b, 1, SOLICITED);
    await expectCqEvent(b.recvCq);
  });

  suite.works('armed for any after solicited: any raises the event', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify(true);
    b.recvCq.reqNotify(false);
    await exchange(a, b, 1);
    await expectCqEvent(b.recvCq);
  });

  suite.works('armed for solicited after any: any raises the event still', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify(false);
    b.recvCq.reqNotify(true);
    await exchange(a, b, 1);
    await expectCqEvent(b.recvCq);
  });

  suite.works('a send completion is never solicited', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    a.sendCq.reqNotify(true);
    await exchange(a, b, 1, SOLICITED);
    expect(channelOf(a.sendCq).tryGetCqEvent()).to.equal(null);
  });

  suite.provokes('a completion in error is always solicited', async (bench) => {
    const { a, b } = bench.pair({ withChannels: true });
    b.recvCq.reqNotify(true);
    b.qp.postRecv({ wrId: 1, sgList: [] });
    b.qp.modify({ qpState: QpState.ERR });
    await expectCompletions(b.recvCq, { wrId: 1, status: WcStatus.WR_FLUSH_ERR });
    await expectCqEvent(b.recvCq);
    a.sendCq.reqNotify(true);
    a.qp.modify({ qpState: QpState.ERR });
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.WR_FLUSH_ERR });
    await expectCqEvent(a.sendCq);
  });
});
