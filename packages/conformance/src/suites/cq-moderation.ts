/** CQ moderation (ibv_modify_cq): one event for several completions. Nothing here depends on how fast a device is. */
import { expect } from 'chai';
import { QpState } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions } from '../bench/completions.ts';
import { channelOf, expectCqEvent } from '../bench/cq-events.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** Some milliseconds: an event that waits for it comes soon, and long after a completion. */
const PERIOD_US = 5000;

interface Ends {
  readonly a: Side;
  readonly b: Side;
}

/** A pair whose messages complete in a moderated CQ of `b`, which is armed. */
function armed(bench: Bench, cqCount: number, cqPeriod: number, solicitedOnly = false): Ends {
  const { a, b } = bench.pair({ withChannels: true });
  b.recvCq.modify({ moderate: { cqCount, cqPeriod } });
  b.recvCq.reqNotify(solicitedOnly);
  return { a, b };
}

/** Has `count` messages arrive, and waits until they have. */
async function deliver({ a, b }: Ends, count: number): Promise<void> {
  for (let wrId = 0; wrId < count; wrId++) {
    b.qp.postRecv({ wrId });
    a.qp.postSend(send(wrId, []));
  }
  await completions(a.sendCq, count);
}

export const cqModerationSuite = defineSuite('cq-moderation', ['rc', 'cqModeration', 'completionEvents'], (suite) => {
  suite.works('so many completions make one event', async (bench) => {
    const { maxCqPeriod } = bench.open().queryDeviceEx().cqModCaps;
    const ends = armed(bench, 8, maxCqPeriod);
    await deliver(ends, 8);
    await expectCqEvent(ends.b.recvCq);
    await completions(ends.b.recvCq, 8);
    ends.b.recvCq.reqNotify();
    await deliver(ends, 8);
    await expectCqEvent(ends.b.recvCq);
    expect(channelOf(ends.b.recvCq).tryGetCqEvent(), 'no further event').to.equal(null);
  });

  suite.works('fewer make one after the period', async (bench) => {
    const ends = armed(bench, 1000, PERIOD_US);
    await deliver(ends, 3);
    await expectCqEvent(ends.b.recvCq);
    await completions(ends.b.recvCq, 3);
    expect(channelOf(ends.b.recvCq).tryGetCqEvent(), 'no further event').to.equal(null);
  });

  suite.works('a program that sleeps is woken after the period', async (bench) => {
    const ends = armed(bench, 1000, PERIOD_US);
    const waiting = channelOf(ends.b.recvCq).getCqEvent();
    await deliver(ends, 1);
    expect(await waiting).to.equal(ends.b.recvCq);
    ends.b.recvCq.ackEvents(1);
  });

  for (const [cqCount, cqPeriod] of [
    [0, PERIOD_US],
    [1, PERIOD_US],
    [1000, 0],
    [0, 0],
  ] as const) {
    suite.works(`a count of ${cqCount} and a period of ${cqPeriod}: each completion makes one`, async (bench) => {
      const ends = armed(bench, cqCount, cqPeriod);
      await deliver(ends, 1);
      await expectCqEvent(ends.b.recvCq);
    });
  }

  suite.works('an event that is held back comes when moderation ends', async (bench) => {
    const { maxCqCount, maxCqPeriod } = bench.open().queryDeviceEx().cqModCaps;
    const ends = armed(bench, maxCqCount, maxCqPeriod);
    await deliver(ends, 2);
    ends.b.recvCq.modify({ moderate: { cqCount: 0, cqPeriod: 0 } });
    await expectCqEvent(ends.b.recvCq);
  });

  suite.provokes('completions of a queue that fails make one as well', async (bench) => {
    const ends = armed(bench, 1000, PERIOD_US);
    ends.b.qp.postRecv({ wrId: 1 });
    ends.b.qp.modify({ qpState: QpState.ERR });
    await expectCqEvent(ends.b.recvCq);
    await completions(ends.b.recvCq, 1);
  });

  suite.provokes('limits beyond those of the device are refused and change nothing', async (bench) => {
    const { maxCqCount, maxCqPeriod } = bench.open().queryDeviceEx().cqModCaps;
    expect([maxCqCount > 0, maxCqPeriod > 0]).to.deep.equal([true, true]);
    const ends = armed(bench, 1000, PERIOD_US);
    const { recvCq } = ends.b;
    const good = { cqCount: 1, cqPeriod: 1 };
    for (const cqCount of [maxCqCount + 1, -1, 0.5, NaN]) {
      expectError('EINVAL', () => recvCq.modify({ moderate: { ...good, cqCount } }));
    }
    for (const cqPeriod of [maxCqPeriod + 1, -1, 0.5, NaN]) {
      expectError('EINVAL', () => recvCq.modify({ moderate: { ...good, cqPeriod } }));
    }
    await deliver(ends, 1);
    await expectCqEvent(recvCq);
  });

  suite.provokes('a CQ that is gone is refused', (bench) => {
    const cq = bench.open().createCq({ cqe: 4 });
    cq.destroy();
    expectError('EINVAL', () => cq.modify({ moderate: { cqCount: 2, cqPeriod: 2 } }));
  });
});
