import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { QpState, QpType, SendFlags, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { expect } from 'chai';

import { openVerbs } from '../src/index.ts';
import { fakeProvider } from './fake-provider.ts';
import { leakCheck, openTestPair } from '../src/testing/index.ts';

describe('openTestPair', () => {
  it('gives two devices with one of everything, in RESET', () => {
    using pair = openTestPair();
    const { a, b } = pair;
    expect([a.device.name, b.device.name]).to.deep.equal(['emulated0', 'emulated1']);
    for (const end of [a, b]) {
      expect(end.context.device).to.equal(end.device);
      expect(end.qp.state).to.equal(QpState.RESET);
      expect(end.qp.qpType).to.equal(QpType.RC);
      expect(end.mr.length).to.equal(end.buffer.length);
      expect(end.cq.channel).to.equal(end.channel);
    }
    expect(a.context).not.to.equal(b.context);
  });

  for (const placement of ['inline', 'thread'] as const) {
    it(`connects them, so that a write arrives (${placement})`, async () => {
      using pair = openTestPair({ placement });
      const { a, b } = pair;
      pair.connect();
      expect([a.qp.state, b.qp.state]).to.deep.equal([QpState.RTS, QpState.RTS]);
      a.buffer.bytes.set([1, 2, 3, 4]);
      a.qp.postSend({
        wrId: 7,
        opcode: WrOpcode.RDMA_WRITE,
        sendFlags: SendFlags.SIGNALED,
        sgList: [a.mr.sge(0, 4)],
        remoteAddr: b.mr.addr + 100,
        rkey: b.mr.rkey,
      });
      for await (const [wc] of a.cq.completions()) {
        expect([wc.wrId, wc.status]).to.deep.equal([7, WcStatus.SUCCESS]);
        break;
      }
      expect([...b.buffer.bytes.subarray(99, 105)]).to.deep.equal([0, 1, 2, 3, 4, 0]);
    });
  }

  it('makes what the options ask for', () => {
    using pair = openTestPair({ ports: 2, cap: { maxSendWr: 100 }, cqe: 200, bufferBytes: 4096, access: 1 });
    const { a } = pair;
    expect(a.context.queryDevice().physPortCnt).to.equal(2);
    expect(a.qp.cap.maxSendWr).to.be.at.least(100);
    expect(a.qp.cap.maxRecvWr).to.be.at.least(1);
    expect(a.cq.cqe).to.be.at.least(200);
    expect([a.buffer.length, a.mr.access]).to.deep.equal([4096, 1]);
  });

  it('is the only device twice where there is one', () => {
    using pair = openTestPair({ config: { emulated: { devices: 1 } } });
    const { a, b } = pair;
    expect(a.device).to.equal(b.device);
    pair.connect();
    b.qp.postRecv({ wrId: 1, sgList: [b.mr.sge()] });
    a.qp.postSend({ opcode: WrOpcode.SEND, sgList: [a.mr.sge(0, 8)] });
    expect(b.cq.poll(WorkCompletion.array(1))).to.equal(1);
  });

  it('leaves nothing when it fails on the way', () => {
    expect(() => openTestPair({ cqe: 2 ** 30 })).to.throw('cqe is');
  });

  it('ends everything', () => {
    const pair = openTestPair();
    pair[Symbol.dispose]();
    expect([pair.a, pair.b].every(({ qp, mr, context }) => qp.destroyed && mr.destroyed && context.destroyed)).to.equal(
      true,
    );
    expect(leakCheck(pair.openVerbs)).to.deep.equal([]);
  });
});

describe('leakCheck', () => {
  it('names what hangs on the contexts that are open, and changes nothing', () => {
    using verbs = openVerbs();
    expect(leakCheck(verbs)).to.deep.equal([]);
    const context = verbs.device().open();
    expect(leakCheck(verbs)).to.deep.equal(['context of emulated0']);
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: 8 });
    const channel = context.createCompChannel();
    const expected = [`context of emulated0: ${pd.label}, ${cq.label}, ${channel.label}`];
    expect(leakCheck(verbs)).to.deep.equal(expected);
    expect(leakCheck(verbs)).to.deep.equal(expected);
    const second = verbs.device().open();
    expect(leakCheck(verbs)).to.deep.equal([...expected, 'context of emulated0']);
    for (const end of [() => channel.destroy(), () => cq.destroy(), () => pd.dealloc()]) end();
    context.close();
    expect(leakCheck(verbs)).to.deep.equal(['context of emulated0']);
    second.close();
    expect(leakCheck(verbs)).to.deep.equal([]);
    verbs.close();
  });
});

describe('leakCheck on a device without events', () => {
  it('names what is open all the same', () => {
    using verbs = openVerbs({ provider: fakeProvider('fake').definition });
    const context = verbs.device().open();
    const pd = context.allocPd();
    expect(leakCheck(verbs)).to.deep.equal([`context of fake0: ${pd.label}`]);
    pd.dealloc();
    expect(leakCheck(verbs)).to.deep.equal(['context of fake0']);
    context.close();
  });
});

describe('a second thread', () => {
  it('joins the devices of the first by its machine', async () => {
    using verbs = openVerbs({ emulated: { devices: 2 } });
    using context = verbs.device().open();
    const worker = new Worker(new URL('./programs/join-machine.js', import.meta.url), { workerData: verbs.machine });
    const ended = once(worker, 'exit');
    const [found] = (await once(worker, 'message')) as [unknown];
    await ended;
    expect(found).to.deep.equal({ devices: ['emulated0', 'emulated1'], nodeGuid: context.queryDevice().nodeGuid });
  });
});
