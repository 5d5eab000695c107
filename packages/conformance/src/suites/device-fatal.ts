/** Devices that fail for good and devices that are pulled out, on devices of the test's own: nobody mends them afterwards. */
import { expect } from 'chai';
import { EventType, QpState, WcStatus, type Context } from '@openverbs/verbs';
import { expectNoAsyncEvent, nextAsyncEvent } from '../bench/async-events.ts';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions } from '../bench/completions.ts';
import { IMPATIENT } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { faultsOf } from './device-faults.ts';

/** DEVICE_FATAL, once. */
async function expectFatal(context: Context): Promise<void> {
  const event = await nextAsyncEvent(context);
  expect(event.type, event.toString()).to.equal(EventType.DEVICE_FATAL);
  context.ackAsyncEvent(event);
  expectNoAsyncEvent(context);
}

/** Two connected ends on devices of their own; those of `a` are to be lost. */
async function pairApart(bench: Bench): Promise<{ a: Side; b: Side; isApart: boolean }> {
  const devices = await bench.openApart();
  const [device] = devices;
  const peer = devices.at(-1)!;
  const pair = bench.pair({ a: { device }, b: { device: peer }, connection: IMPATIENT });
  return { ...pair, isApart: peer !== device };
}

/** Its receives are flushed, its verbs answer EIO, and its objects end as always. */
async function expectLost({ context, pd, mr, qp, sendCq, recvCq }: Side): Promise<void> {
  const status = WcStatus.WR_FLUSH_ERR;
  await expectCompletions(recvCq, { wrId: 1, status }, { wrId: 2, status });
  for (const verb of [
    () => context.queryPort(1),
    () => context.allocPd(),
    () => context.createCq({ cqe: 4 }),
    () => pd.regMr(mr.bytes, 0),
    () => {
      qp.modify({ qpState: QpState.RESET });
    },
  ]) {
    expectError('EIO', verb);
  }
  qp.destroy();
  mr.dereg();
  sendCq.destroy();
  recvCq.destroy();
  pd.dealloc();
}

export const deviceFatalSuite = defineSuite('device-fatal', ['rc', 'deviceFaults', 'asyncEvents'], (suite) => {
  suite.provokes('a device that fails tells each context once, flushes, and ends objects only', async (bench) => {
    const { a, b, isApart } = await pairApart(bench);
    const { device } = a.context;
    const contexts = [a.context, bench.open(device)];
    a.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    faultsOf(device).failDevice();
    faultsOf(device).failDevice();
    for (const context of contexts) await expectFatal(context);
    expect(device.removed, 'it is still there').to.equal(false);
    await expectLost(a);
    if (!isApart) return;
    expectNoAsyncEvent(b.context);
    expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTS);
    b.qp.postSend(send(3, []));
    await expectCompletions(b.sendCq, { wrId: 3, status: WcStatus.RETRY_EXC_ERR });
  });

  suite.provokes('a device that is pulled out fails, and is opened no more', async (bench) => {
    const { a, b, isApart } = await pairApart(bench);
    const { device } = a.context;
    const contexts = [a.context, bench.open(device)];
    a.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    faultsOf(device).removeDevice();
    faultsOf(device).removeDevice();
    for (const context of contexts) await expectFatal(context);
    expect(device.removed, 'removed').to.equal(true);
    expectError('ENODEV', () => device.open());
    await expectLost(a);
    if (!isApart) return;
    expect(b.context.device.removed, 'the peer is still there').to.equal(false);
    b.qp.postSend(send(3, []));
    await expectCompletions(b.sendCq, { wrId: 3, status: WcStatus.RETRY_EXC_ERR });
  });
});
