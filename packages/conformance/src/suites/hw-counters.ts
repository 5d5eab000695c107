/** Hardware counters of a port. Their names are the device's own; those of rxe mean what they mean there. */
import { expect } from 'chai';
import { QpType, WcStatus, type Context } from '@openverbs/verbs';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

/** Retries that a receiver which is not ready costs. */
const RNR_RETRY = 2;

/** How much `name` grew on the ports of both ends while `run` ran; undefined where a device has no such counter. */
async function growth(
  contexts: readonly Context[],
  name: string,
  run: () => Promise<void>,
): Promise<number | undefined> {
  const sum = (): number => {
    let total = 0;
    for (const context of contexts) {
      for (let port = 1; port <= context.queryDevice().physPortCnt; port++)
        total += context.queryHwCounters(port)[name] ?? NaN;
    }
    return total;
  };
  const before = sum();
  await run();
  return Number.isNaN(before) ? undefined : sum() - before;
}

export const hwCountersSuite = defineSuite('hw-counters', ['rc', 'hwCounters'], (suite) => {
  suite.works('are numbers of things, by name, for each port', (bench) => {
    const context = bench.open();
    for (let port = 1; port <= context.queryDevice().physPortCnt; port++) {
      const counters = Object.entries(context.queryHwCounters(port));
      expect(counters.length, 'counters').to.be.above(0);
      for (const [name, count] of counters) {
        expect(name).to.match(/^[a-z][a-z0-9_]*$/);
        expect(Number.isSafeInteger(count) && count >= 0, `${name} is ${count}`).to.equal(true);
      }
    }
  });

  suite.works('of a receiver that is not ready count each refusal, and the failure', async (bench) => {
    const { a, b } = bench.pair({ connection: { rnrRetry: RNR_RETRY, minRnrTimer: 1 } });
    const contexts = a.context.device === b.context.device ? [a.context] : [a.context, b.context];
    const exceeded = await growth(contexts, 'retry_rnr_exceeded_err', async () => {
      const refused = await growth(contexts, 'rcvd_rnr_err', async () => {
        a.qp.postSend(send(1, []));
        await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.RNR_RETRY_EXC_ERR });
      });
      expect(refused ?? RNR_RETRY + 1, 'rcvd_rnr_err').to.equal(RNR_RETRY + 1);
    });
    expect(exceeded ?? 1, 'retry_rnr_exceeded_err').to.equal(1);
  });

  suite.works('of an unreliable receiver count what it has no receive for', ['uc'], async (bench) => {
    const { a, b } = bench.pair({ a: { qpType: QpType.UC }, b: { qpType: QpType.UC } });
    const contexts = a.context.device === b.context.device ? [a.context] : [a.context, b.context];
    const dropped = await growth(contexts, 'out_of_buffer', async () => {
      a.qp.postSend([send(1, []), send(2, [])]);
      await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
      b.qp.postRecv({ wrId: 3 });
      expectNoCompletion(b.recvCq);
    });
    expect(dropped ?? 2, 'out_of_buffer').to.equal(2);
  });

  suite.provokes('a port that is not there', (bench) => {
    const context = bench.open();
    for (const port of [0, context.queryDevice().physPortCnt + 1, 1.5, -1]) {
      expectError('EINVAL', () => context.queryHwCounters(port));
    }
  });

  suite.provokes('a context that was closed', (bench) => {
    const context = bench.open();
    context.close();
    expectError('EINVAL', () => context.queryHwCounters());
  });
});
