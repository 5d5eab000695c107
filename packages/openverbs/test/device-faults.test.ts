/** Devices that fail and devices that are pulled out. Ports and queue pairs are the conformance suite's business. */
import { EventType, QpState, WcStatus, WorkCompletion } from '@openverbs/verbs';
import type { Context } from '@openverbs/verbs';
import { expect } from 'chai';

import { openVerbs } from '../src/index.ts';
import {
  failDevice,
  failQp,
  leakCheck,
  openTestPair,
  removeDevice,
  setGid,
  setPkey,
  setPort,
} from '../src/testing/index.ts';
import { failure } from './failure.ts';
import { fakeProvider } from './fake-provider.ts';

/** The events that a context has, acknowledged. */
function eventsOf(context: Context): number[] {
  const types: number[] = [];
  for (let event = context.tryGetAsyncEvent(); event !== null; event = context.tryGetAsyncEvent()) {
    types.push(event.type);
    context.ackAsyncEvent(event);
  }
  return types;
}

for (const placement of ['inline', 'thread'] as const) {
  describe(`faults of devices, ${placement}`, () => {
    it('a device that fails takes no verb but those that end objects', () => {
      using pair = openTestPair({ placement });
      pair.connect();
      const { a, b } = pair;
      a.qp.postRecv({ wrId: 1 });
      failDevice(a.device);
      failDevice(a.device);
      expect(eventsOf(a.context)).to.deep.equal([EventType.DEVICE_FATAL]);
      expect(eventsOf(b.context), 'the other device is well').to.deep.equal([]);
      expect(a.qp.state).to.equal(QpState.ERR);
      const wcs = WorkCompletion.array(1);
      expect(a.cq.poll(wcs)).to.equal(1);
      expect(wcs[0]).to.include({ wrId: 1, status: WcStatus.WR_FLUSH_ERR });
      const { context, pd, cq } = a;
      const cap = { maxSendWr: 1 };
      for (const verb of [
        () => context.queryPort(1),
        () => context.queryGid(1, 0),
        () => context.queryRtValues(),
        () => context.queryHwCounters(),
        () => context.allocPd(),
        () => context.createCq({ cqe: 1 }),
        () => context.createCqEx({ cqe: 1 }),
        () => cq.resize(1000),
        () => cq.modify({ moderate: { cqCount: 1, cqPeriod: 1 } }),
        () => pd.createQp({ sendCq: cq, recvCq: cq, qpType: 2, cap }),
        () => pd.createSrq({ attr: { maxWr: 1 } }),
        () => pd.regMr(a.buffer, 0),
        () => a.qp.modify({ qpState: QpState.RESET }),
        () => a.qp.query(),
        () => a.device.open(),
        () => setPort(a.device, 1, 'down'),
        () => setGid(a.device, 1, 0, 'fe80::9'),
        () => setPkey(a.device, 1, 0, 0x1234),
      ]) {
        expect(failure(verb).code, String(verb)).to.equal('EIO');
      }
      a.mr.dereg();
      a.buffer.free();
      a.qp.destroy();
      a.cq.destroy();
      a.channel.destroy();
      a.pd.dealloc();
      a.context.close();
      expect(leakCheck(pair.openVerbs)).to.have.length(1);
      expect(b.qp.query().attr.qpState).to.equal(QpState.RTS);
    });

    it('a device that is pulled out is gone for who comes later, and its peers get no answer', () => {
      using pair = openTestPair({ placement });
      pair.connect({ rts: { timeout: 8, retryCnt: 1 } });
      const { a, b } = pair;
      removeDevice(b.device);
      failDevice(b.device);
      expect(eventsOf(b.context)).to.deep.equal([EventType.DEVICE_FATAL]);
      expect(b.qp.state).to.equal(QpState.ERR);
      expect(failure(() => b.device.open()).code).to.equal('ENODEV');
      expect([a.device.removed, b.device.removed]).to.deep.equal([false, true]);
      using later = openVerbs({ machine: pair.openVerbs.machine });
      expect(later.devices.map(({ name }) => name)).to.deep.equal([a.device.name]);
      a.qp.postSend({ wrId: 3, sendFlags: 2, sgList: [a.mr.sge(0, 8)] });
      const wcs = WorkCompletion.array(1);
      for (const endMs = performance.now() + 30_000; a.cq.poll(wcs) === 0;)
        expect(performance.now()).to.be.below(endMs);
      expect(wcs[0]).to.include({ wrId: 3, status: WcStatus.RETRY_EXC_ERR });
      b.context[Symbol.dispose]();
      expect(b.context.destroyed).to.equal(true);
    });

    it('a device that fails first can be pulled out all the same', () => {
      using pair = openTestPair({ placement });
      failDevice(pair.b.device);
      removeDevice(pair.b.device);
      expect(eventsOf(pair.b.context), 'it is told once').to.deep.equal([EventType.DEVICE_FATAL]);
      expect(failure(() => pair.b.device.open()).code).to.equal('ENODEV');
    });
  });
}

for (const provider of ['xen:basic', 'xen:bypass']) {
  it(`${provider}: a guest is told that the lower device was pulled out`, () => {
    using verbs = openVerbs({ provider });
    const device = verbs.device();
    using context = device.open();
    expect(device.removed).to.equal(false);
    removeDevice(device);
    expect(device.removed).to.equal(true);
    expect(eventsOf(context)).to.deep.equal([EventType.DEVICE_FATAL]);
  });
}

describe('faults at will', () => {
  it('are refused where a device has none', () => {
    using verbs = openVerbs({ provider: fakeProvider('fake').definition });
    const error = failure(() => setPort(verbs.device(), 1, 'down'));
    expect(error).to.include({ code: 'EOPNOTSUPP', hint: "use the provider 'emulated'" });
  });

  it('are refused what is no state, no address and no queue pair', () => {
    using pair = openTestPair();
    const { device, qp } = pair.a;
    expect(failure(() => setPort(device, 1, 'sideways' as 'up')).code).to.equal('EINVAL');
    expect(failure(() => setPort(device, 2, 'up')).code).to.equal('EINVAL');
    expect(failure(() => setGid(device, 1, 0, 'ff02::1')).code).to.equal('EINVAL');
    expect(failure(() => setGid(device, 1, 1, 'fe80::1')).code).to.equal('EINVAL');
    expect(failure(() => setGid(device, 1, 0, pair.b.context.queryGid(1, 0))).code).to.equal('EINVAL');
    for (const [port, index, pkey] of [
      [2, 0, 1],
      [1, 1, 1],
      [1, 0, -1],
      [1, 0, 0x10000],
      [1, 0, 0.5],
    ]) {
      expect(failure(() => setPkey(device, port, index, pkey)).code).to.equal('EINVAL');
    }
    qp.destroy();
    expect(failure(() => failQp(qp)).code).to.equal('EINVAL');
    expect(eventsOf(pair.a.context)).to.deep.equal([]);
  });
});
