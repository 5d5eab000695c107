/** The limits that the device states: reached, passed, and reached again. */
import { expect } from 'chai';
import { QpType, type VerbsObject } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { completions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import { ACCESS_ALL, newMemory } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** More objects than this are not made to find a limit; devices with larger ones are tested up to here. */
const OBJECTS_MAX = 3000;

/**
 * Makes objects until the device refuses, at the latest at its limit: never fewer than it states would be promised, but a
 * device shares its tables with others, so it may refuse earlier. After one has gone there is room for one again.
 */
function fillTable(limit: number, make: () => VerbsObject): void {
  const made: VerbsObject[] = [];
  const count = Math.min(limit, OBJECTS_MAX);
  try {
    while (made.length < count) made.push(make());
  } catch (error) {
    expectError('ENOMEM', () => {
      throw error;
    });
  }
  if (made.length === limit) expectError('ENOMEM', make);
  expect(made.length, 'objects that could be made').to.be.greaterThan(0);
  made.pop()?.[Symbol.dispose]();
  made.push(make());
  for (const object of made) object[Symbol.dispose]();
}

export const limitsSuite = defineSuite('limits', [], (suite) => {
  const tables: readonly { name: string; fill: (bench: Bench) => void }[] = [
    {
      name: 'protection domains',
      fill: (bench) => {
        const context = bench.open();
        fillTable(context.queryDevice().maxPd, () => context.allocPd());
      },
    },
    {
      name: 'memory regions',
      fill: (bench) => {
        const context = bench.open();
        const [pd, memory] = [context.allocPd(), newMemory(context, 64)];
        fillTable(context.queryDevice().maxMr, () => pd.regMr(memory, ACCESS_ALL));
      },
    },
    {
      name: 'CQs',
      fill: (bench) => {
        const context = bench.open();
        fillTable(context.queryDevice().maxCq, () => context.createCq({ cqe: 1 }));
      },
    },
  ];
  for (const { name, fill } of tables) {
    suite.provokes(`as many ${name} as there can be, twice`, (bench) => {
      fill(bench);
      fill(bench);
    });
  }

  suite.provokes('as many QPs as there can be, twice', ['rc'], (bench) => {
    const context = bench.open();
    const [pd, cq] = [context.allocPd(), context.createCq({ cqe: 1 })];
    const init = { sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: { maxSendWr: 1, maxRecvWr: 1 } };
    for (const _ of [1, 2]) fillTable(context.queryDevice().maxQp, () => pd.createQp(init));
  });

  suite.works('as many work requests as a queue can have', ['rc'], async (bench) => {
    const { maxQpWr, maxCqe } = bench.open().queryDevice();
    const depth = Math.min(maxQpWr, maxCqe);
    const cap = { maxSendWr: depth, maxRecvWr: depth };
    const { a, b } = bench.pair({ cap, sendCqe: depth, recvCqe: depth });
    const requests = Array.from({ length: depth }, (_, wrId) => ({ wrId }));
    b.qp.postRecv(requests);
    a.qp.postSend(requests.map(({ wrId }) => send(wrId, [])));
    const found = await completions(b.recvCq, depth);
    expect(found.every(({ wrId }, index) => wrId === index)).to.equal(true);
    await completions(a.sendCq, depth);
  });

  suite.works('as many SGEs as a work request can have', ['rc'], async (bench) => {
    const { maxSge } = bench.open().queryDevice();
    const { a, b } = bench.pair({ cap: { maxSendSge: maxSge, maxRecvSge: maxSge } });
    fillPattern(a.bytes, 1);
    // Every other byte there goes to every other byte here.
    const pieces = Array.from({ length: maxSge }, (_, index) => index * 2);
    b.qp.postRecv({ wrId: 1, sgList: pieces.map((offset) => b.sge(offset, 1)) });
    a.qp.postSend(
      send(
        2,
        pieces.map((offset) => a.sge(offset, 1)),
      ),
    );
    await completions(b.recvCq, 1);
    const expected = Uint8Array.from(a.bytes.subarray(0, 2 * maxSge), (byte, index) => (index % 2 === 0 ? byte : 0));
    expectBytes(b.bytes.subarray(0, 2 * maxSge), expected, 'message');
  });
});
