/** Two machines had the same GUIDs, so a queue pair that was connected to one of the other machine wrote into its own memory. */
import { connectPair, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { expect } from 'chai';

import { openVerbs } from '../src/index.ts';
import { openTestPair } from '../src/testing/index.ts';
import { failure } from './failure.ts';

describe('queue pairs of two machines', () => {
  it('are not connected by connectPair, and stay as they are', () => {
    using one = openTestPair();
    using two = openTestPair();
    const error = failure(() => connectPair(one.a.qp, two.b.qp));
    expect(error).to.include({ code: 'EINVAL', verb: 'ibv_modify_qp' });
    expect(error.message).to.contain('of emulated0').and.contain('of emulated1').and.contain('two machines');
    expect(error.hint).to.contain('openVerbs({ machine })');
    expect([one.a.qp.state, two.b.qp.state]).to.deep.equal([0, 0]);
  });

  it('that exchanged their endpoints by hand get no answer, and no memory is touched', () => {
    using one = openTestPair();
    using two = openTestPair();
    const { qp, cq, mr } = one.a;
    qp.toInit();
    qp.toRtr(two.a.qp.endpoint());
    qp.toRts(undefined, { timeout: 1, retryCnt: 0 });
    const { addr: remoteAddr, rkey } = two.a.mr;
    mr.bytes.fill(7, 0, 8);
    qp.postSend({ opcode: WrOpcode.RDMA_WRITE, sgList: [mr.sge(0, 8)], remoteAddr: remoteAddr + 64, rkey });
    const [wc] = WorkCompletion.array(1);
    while (cq.poll([wc]) === 0);
    expect(wc.status, wc.explain()).to.equal(WcStatus.RETRY_EXC_ERR);
    for (const { bytes } of [mr, two.a.mr]) expect(bytes.subarray(64, 72).every((byte) => byte === 0)).to.equal(true);
  });

  it('are no way to change a machine that is joined', () => {
    using one = openTestPair();
    const { machine } = one.openVerbs;
    const error = failure(() => openVerbs({ machine, emulated: { devices: 2, placement: 'inline' } }));
    expect(error).to.include({ code: 'EINVAL', verb: 'openVerbs' });
    expect(error.details?.['invalid']).to.deep.equal(['emulated.devices', 'emulated.placement']);
    openVerbs({ machine, emulated: {} }).close();
    openTestPair({ config: { machine } })[Symbol.dispose]();
  });

  it('are connected across threads and calls that join one machine', () => {
    using one = openTestPair();
    using joined = openVerbs({ machine: structuredClone(one.openVerbs.machine) });
    const context = joined.device('emulated1').open();
    const cq = context.createCq({ cqe: 1 });
    const { qpType, cap } = one.a.qp;
    const qp = context.allocPd().createQp({ sendCq: cq, recvCq: cq, qpType, cap });
    connectPair(one.a.qp, qp);
    qp.postRecv({ wrId: 7 });
    one.a.qp.postSend({ opcode: WrOpcode.SEND, sgList: [] });
    const [wc] = WorkCompletion.array(1);
    while (cq.poll([wc]) === 0);
    expect([wc.status, wc.wrId], wc.explain()).to.deep.equal([WcStatus.SUCCESS, 7]);
  });
});
