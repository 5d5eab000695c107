/** Posts that are refused at once (ibv_post_send, ibv_post_recv): what is wrong with the call itself. */
import { expect } from 'chai';
import { WcStatus, WrOpcode, QpState, type SendWrInit, type VerbsError } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions, expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

function badWrIndexOf(error: VerbsError): unknown {
  return error.details?.['badWrIndex'];
}

/** Refuses `bad` as a post of its own, and as the third of a list, of which the first two are posted. */
async function expectRefused(bench: Bench, makeBad: (side: Side) => SendWrInit): Promise<void> {
  const { a, b } = bench.pair();
  const bad = makeBad(a);
  const alone = expectError('EINVAL', () => {
    a.qp.postSend(bad);
  });
  expect(badWrIndexOf(alone), 'badWrIndex alone').to.equal(0);
  b.qp.postRecv([{ wrId: 1 }, { wrId: 2 }, { wrId: 3 }]);
  const inList = expectError('EINVAL', () => {
    a.qp.postSend([send(1, []), send(2, []), bad, send(4, [])]);
  });
  expect(badWrIndexOf(inList), 'badWrIndex in a list').to.equal(2);
  await expectCompletions(a.sendCq, { wrId: 1 }, { wrId: 2 });
  await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 2 });
  // The queue is in order: the next one goes through, and nothing of the refused ones shows up.
  a.qp.postSend(send(5, []));
  await expectCompletions(a.sendCq, { wrId: 5 });
  await expectCompletions(b.recvCq, { wrId: 3 });
  expect(a.qp.query().attr.qpState).to.equal(QpState.RTS);
}

/** A list of SGEs that is one too long. */
function tooManySges(side: Side, max: number): ReturnType<Side['sge']>[] {
  return Array.from({ length: max + 1 }, () => side.sge(0, 1));
}

export const postingSuite = defineSuite('posting', ['rc'], (suite) => {
  suite.provokes('an opcode that does not exist', async (bench) => {
    await expectRefused(bench, () => send(9, [], { opcode: 13 }));
    await expectRefused(bench, () => send(9, [], { opcode: 1000 }));
  });

  suite.provokes('an opcode of other types of QP', async (bench) => {
    await expectRefused(bench, () => send(9, [], { opcode: WrOpcode.TSO }));
  });

  suite.provokes('too many SGEs', async (bench) => {
    await expectRefused(bench, (side) => send(9, tooManySges(side, side.qp.cap.maxSendSge)));
  });

  suite.provokes('an atomic with another number of SGEs than one', ['atomics'], async (bench) => {
    const opcode = WrOpcode.ATOMIC_FETCH_AND_ADD;
    await expectRefused(bench, () => send(9, [], { opcode }));
    await expectRefused(bench, (side) => send(9, [side.sge(0, 4), side.sge(4, 4)], { opcode }));
  });

  suite.provokes('numbers that are none', async (bench) => {
    const { a, b } = bench.pair();
    const wrong: SendWrInit[] = [
      ...[NaN, -1, 0.5, 2 ** 53].map((wrId) => ({ wrId })),
      ...[NaN, -1, 2 ** 53].map((addr) => ({ sgList: [{ addr, length: 1, lkey: 1 }] })),
      ...[NaN, -1, 2 ** 32].map((length) => ({ sgList: [{ addr: 4096, length, lkey: 1 }] })),
      ...[NaN, -1, 2 ** 32].map((lkey) => ({ sgList: [{ addr: 4096, length: 1, lkey }] })),
      ...[NaN, -1, 2 ** 53, 2n ** 64n, -1n].map((remoteAddr) => ({ remoteAddr })),
      ...[NaN, -1, 2 ** 32].map((rkey) => ({ rkey })),
      ...[NaN, -1, 2 ** 32].map((immData) => ({ immData })),
    ];
    for (const wr of wrong) {
      expectError('EINVAL', () => {
        a.qp.postSend(wr);
      });
    }
    for (const { wrId = 0, sgList = [] } of wrong.slice(0, 13)) {
      expectError('EINVAL', () => {
        b.qp.postRecv({ wrId, sgList });
      });
    }
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2 });
    await expectCompletions(b.recvCq, { wrId: 1 });
  });

  suite.provokes('a receive with too many SGEs', async (bench) => {
    const { a, b } = bench.pair();
    const sgList = tooManySges(b, b.qp.cap.maxRecvSge);
    const error = expectError('EINVAL', () => {
      b.qp.postRecv([{ wrId: 1 }, { wrId: 2, sgList }, { wrId: 3 }]);
    });
    expect(badWrIndexOf(error)).to.equal(1);
    b.qp.postRecv({ wrId: 4 });
    a.qp.postSend([send(1, []), send(2, [])]);
    await expectCompletions(b.recvCq, { wrId: 1 }, { wrId: 4 });
  });

  suite.provokes('a full send queue', async (bench) => {
    const { a, b } = bench.pair({ cap: { maxSendWr: 5, maxRecvWr: 64 }, sendCqe: 256 });
    const { maxSendWr } = a.qp.cap;
    // Nobody polls, so no slot comes free, whether the sends are done or not.
    for (let wrId = 0; wrId <= maxSendWr; wrId++) b.qp.postRecv({ wrId });
    const requests = Array.from({ length: maxSendWr + 1 }, (_, wrId) => send(wrId, []));
    const error = expectError('ENOMEM', () => {
      a.qp.postSend(requests);
    });
    expect(badWrIndexOf(error), 'badWrIndex').to.equal(maxSendWr);
    expectError('ENOMEM', () => {
      a.qp.postSend(send(99, []));
    });
    const found = await completions(a.sendCq, maxSendWr);
    expect(found.map(({ wrId }) => wrId)).to.deep.equal(requests.slice(0, maxSendWr).map(({ wrId }) => wrId));
    // Polled, so there is room again.
    a.qp.postSend(send(100, []));
    await expectCompletions(a.sendCq, { wrId: 100 });
    expectNoCompletion(a.sendCq);
  });

  suite.provokes('a full receive queue', async (bench) => {
    const { a, b } = bench.pair({ cap: { maxSendWr: 64, maxRecvWr: 5 } });
    const { maxRecvWr } = b.qp.cap;
    const requests = Array.from({ length: maxRecvWr + 1 }, (_, wrId) => ({ wrId }));
    const error = expectError('ENOMEM', () => {
      b.qp.postRecv(requests);
    });
    expect(badWrIndexOf(error), 'badWrIndex').to.equal(maxRecvWr);
    a.qp.postSend(send(1, []));
    await expectCompletions(b.recvCq, { wrId: 0 });
    b.qp.postRecv({ wrId: 50 });
    expectError('ENOMEM', () => {
      b.qp.postRecv({ wrId: 51 });
    });
    for (let wrId = 2; wrId <= maxRecvWr; wrId++) a.qp.postSend(send(wrId, []));
    a.qp.postSend(send(50, []));
    const found = await completions(b.recvCq, maxRecvWr);
    expect(found.map(({ wrId }) => wrId)).to.deep.equal([...requests.slice(1, maxRecvWr).map(({ wrId }) => wrId), 50]);
  });

  suite.provokes('a queue that is full of flushed work', async (bench) => {
    const { a } = bench.pair({ cap: { maxSendWr: 4 } });
    a.qp.modify({ qpState: QpState.ERR });
    const { maxSendWr } = a.qp.cap;
    for (let wrId = 0; wrId < maxSendWr; wrId++) a.qp.postSend(send(wrId, []));
    expectError('ENOMEM', () => {
      a.qp.postSend(send(99, []));
    });
    const found = await completions(a.sendCq, maxSendWr);
    expect(found.every(({ status }) => status === WcStatus.WR_FLUSH_ERR)).to.equal(true);
  });
});
