/** Ports that go down, addresses that change, queue pairs that fail: the events and what follows. Devices stay usable afterwards. */
import { expect } from 'chai';
import { EventType, Gid, PortState, QpState, WcStatus, type Context, type Device } from '@openverbs/verbs';
import type { DeviceFaults } from '@openverbs/verbs/driver';
import { expectAsyncEvent, expectNoAsyncEvent, nextAsyncEvent } from '../bench/async-events.ts';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { IMPATIENT } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

/** The faults of a device that claims them. */
export function faultsOf({ faults }: Device): DeviceFaults {
  if (faults === undefined) throw new Error('the manifest claims deviceFaults, but the device has none');
  return faults;
}

async function expectPortEvent(context: Context, type: EventType): Promise<void> {
  const event = await nextAsyncEvent(context);
  expect([event.type, event.port]).to.deep.equal([type, 1]);
  context.ackAsyncEvent(event);
}

/** Runs `test` with port 1 of the device down, and takes it up again. */
async function withPortDown(bench: Bench, test: (faults: DeviceFaults) => Promise<void>): Promise<void> {
  const faults = faultsOf(bench.device);
  try {
    await test(faults);
  } finally {
    faults.setPort(1, true);
  }
}

export const deviceFaultsSuite = defineSuite('device-faults', ['rc', 'deviceFaults', 'asyncEvents'], (suite) => {
  suite.works('every context hears of a port that goes down and up, once', async (bench) => {
    await withPortDown(bench, async (faults) => {
      const contexts = [bench.open(), bench.open()];
      for (const [up, type, state] of [
        [false, EventType.PORT_ERR, PortState.DOWN],
        [true, EventType.PORT_ACTIVE, PortState.ACTIVE],
      ] as const) {
        faults.setPort(1, up);
        faults.setPort(1, up);
        for (const context of contexts) {
          await expectPortEvent(context, type);
          expectNoAsyncEvent(context);
          expect(context.queryPort(1).state, 'state').to.equal(state);
        }
      }
    });
  });

  for (const side of ['here', 'there'] as const) {
    suite.provokes(`a port that is down ${side} carries nothing: retries run out`, async (bench) => {
      await withPortDown(bench, async (faults) => {
        const [device, peerDevice] =
          side === 'here' ? [bench.device, bench.peerDevice] : [bench.peerDevice, bench.device];
        const { a, b } = bench.pair({ connection: IMPATIENT, a: { device }, b: { device: peerDevice } });
        b.qp.postRecv({ wrId: 1 });
        faults.setPort(1, false);
        a.qp.postSend(send(2, []));
        await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.RETRY_EXC_ERR });
        expectNoCompletion(b.recvCq);
        expect(b.qp.query().attr.qpState, 'the peer').to.equal(QpState.RTS);
        faults.setPort(1, true);
      });
    });
  }

  suite.works('a port that is up again in time is as if nothing had been', async (bench) => {
    await withPortDown(bench, async (faults) => {
      const { a, b } = bench.pair({ connection: { timeout: 12, retryCnt: 7 } });
      b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
      faults.setPort(1, false);
      a.qp.postSend([send(1, []), send(2, [])]);
      expectNoCompletion(a.sendCq);
      faults.setPort(1, true);
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
      await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 2 });
    });
  });

  suite.works('a connection that is made while the port is down works when it is up', async (bench) => {
    await withPortDown(bench, async (faults) => {
      faults.setPort(1, false);
      const { a, b } = bench.pair();
      faults.setPort(1, true);
      b.qp.postRecv({ wrId: 1 });
      a.qp.postSend(send(1, []));
      await expectCompletions(a.sendCq, { wrId: 1 });
      await expectCompletions(b.recvCq, { wrId: 1 });
    });
  });

  suite.provokes('an address that is no more is told of, and leads nowhere', async (bench) => {
    const faults = faultsOf(bench.device);
    const { a, b } = bench.pair({
      connection: IMPATIENT,
      a: { device: bench.peerDevice },
      b: { device: bench.device },
    });
    const before = b.context.queryGid(1, 0);
    const other = Gid.parse('fe80::dead:beef');
    faults.setGid(1, 0, other);
    try {
      await expectPortEvent(b.context, EventType.GID_CHANGE);
      expect(b.context.queryGid(1, 0).equals(other)).to.equal(true);
      b.qp.postRecv({ wrId: 1 });
      a.qp.postSend(send(1, []));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RETRY_EXC_ERR });
    } finally {
      faults.setGid(1, 0, before);
    }
    const again = bench.pair();
    again.b.qp.postRecv({ wrId: 1 });
    again.a.qp.postSend(send(1, []));
    await expectCompletions(again.b.recvCq, { wrId: 1 });
  });

  suite.provokes('a P_Key that changes is told of, and parts queue pairs until it is back', async (bench) => {
    const faults = faultsOf(bench.device);
    const { a, b } = bench.pair({
      connection: IMPATIENT,
      a: { device: bench.peerDevice },
      b: { device: bench.device },
    });
    const before = b.context.queryPkey(1, 0);
    const other = 0x8000 | ((before + 1) & 0x7fff) || 0x8002;
    faults.setPkey(1, 0, other);
    try {
      faults.setPkey(1, 0, other);
      await expectPortEvent(b.context, EventType.PKEY_CHANGE);
      expectNoAsyncEvent(b.context);
      expect(b.context.queryPkey(1, 0)).to.equal(other);
      const { badPkeyCntr } = b.context.queryPort(1);
      b.qp.postRecv({ wrId: 1 });
      a.qp.postSend(send(1, []));
      if (bench.device === bench.peerDevice) {
        // Both ends have the new one.
        await expectCompletions(a.sendCq, { wrId: 1 });
        await expectCompletions(b.recvCq, { wrId: 1 });
      } else {
        await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RETRY_EXC_ERR });
        expectNoCompletion(b.recvCq);
        expect(b.context.queryPort(1).badPkeyCntr).to.be.above(badPkeyCntr);
      }
    } finally {
      faults.setPkey(1, 0, before);
    }
    a.qp.modify({ qpState: QpState.RESET });
    b.qp.modify({ qpState: QpState.RESET });
    a.qp.toRts(b.qp.endpoint());
    b.qp.toRts(a.qp.endpoint());
    b.qp.postRecv({ wrId: 2 });
    a.qp.postSend(send(2, []));
    await expectCompletions(b.recvCq, { wrId: 2 });
  });

  suite.provokes('a queue pair that fails says so, is in ERR and flushed; its peer is well', async (bench) => {
    const { a, b } = bench.pair();
    a.qp.postRecv([{ wrId: 1 }, { wrId: 2 }]);
    faultsOf(bench.device).failQp(a.qp.handle);
    await expectAsyncEvent(a.context, EventType.QP_FATAL, a.qp);
    const status = WcStatus.WR_FLUSH_ERR;
    await expectCompletions(a.recvCq, { wrId: 1, status }, { wrId: 2, status });
    expect([a.qp.query().attr.qpState, b.qp.query().attr.qpState]).to.deep.equal([QpState.ERR, QpState.RTS]);
    a.qp.modify({ qpState: QpState.RESET });
    expect(a.qp.query().attr.qpState).to.equal(QpState.RESET);
  });

  suite.provokes('ports, indices and queue pairs that are not there are refused', (bench) => {
    const context = bench.open();
    const faults = faultsOf(bench.device);
    const { physPortCnt } = context.queryDevice();
    for (const port of [0, physPortCnt + 1, 0.5]) {
      expectError('EINVAL', () => faults.setPort(port, false));
      expectError('EINVAL', () => faults.setGid(port, 0, Gid.parse('fe80::1')));
    }
    expectError('EINVAL', () => faults.setGid(1, context.queryPort(1).gidTblLen, Gid.parse('fe80::1')));
    for (const [port, index, pkey] of [
      [0, 0, 1],
      [physPortCnt + 1, 0, 1],
      [1, context.queryPort(1).pkeyTblLen, 1],
      [1, -1, 1],
      [1, 0, 0x10000],
      [1, 0, -1],
      [1, 0, 0.5],
    ])
      expectError('EINVAL', () => faults.setPkey(port, index, pkey));
    expectError('EINVAL', () => faults.failQp(0xfffffe));
    expectNoAsyncEvent(context);
  });
});
