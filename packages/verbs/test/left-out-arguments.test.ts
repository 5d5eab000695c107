/** Arguments that are left out, or null: every method does its work or throws a VerbsError that names the verb, no TypeError. */
import { expect } from 'chai';
import { MwType } from '../src/enums/mw.ts';
import { VerbsError } from '../src/errors.ts';
import type { VerbsObject } from '../src/lifetime.ts';
import { SrqType } from '../src/enums/srq.ts';
import { type Connected, openConnected } from './support/connected.ts';

/** Objects whose methods are called. */
const objects: Readonly<Record<string, (on: Connected) => object>> = {
  device: ({ device }) => device,
  context: ({ context }) => context,
  pd: ({ pd }) => pd,
  mr: ({ mr }) => mr,
  buffer: ({ buffer }) => buffer,
  cq: ({ cq }) => cq,
  cqEx: ({ context }) => context.createCqEx({ cqe: 4 }),
  qp: ({ a }) => a,
  srq: ({ pd }) => pd.createSrq({ attr: { maxWr: 4 }, srqType: SrqType.BASIC }),
  ah: ({ pd }) => pd.createAh({ grh: { dgid: 'fe80::1' } }),
  mw: ({ pd }) => pd.allocMw(MwType.TYPE_1),
  channel: ({ context }) => context.createCompChannel(),
  td: ({ context }) => context.allocTd(),
  parentDomain: ({ context, pd }) => context.allocParentDomain({ pd }),
};

/** What is for the other files of the package, not for programs. */
const INTERNAL =
  `constructor adopt moveTo reparent deliver countEvent countAsyncEvent queueAsyncEvent dropAsyncEvents nextEndpoint ownChannel
  queueEvent waitFor onCqEnded assertLive endStrictly unacknowledgedEvents releaseInProvider onEnded asEventSubject extendedError
  open append misplaced refuseOperand refuse giveUp completeNothing completeError openRdma openSend setImm setOperands refuseSge
  refuseOperation step nothing unreadable misuse`.split(/\s+/);

function methodsOf(object: object): string[] {
  const names = new Set<string>();
  for (let proto = Object.getPrototypeOf(object) as object; proto !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(proto)) {
      const method: unknown = Object.getOwnPropertyDescriptor(proto, name)?.value;
      if (typeof method === 'function' && !INTERNAL.includes(name)) names.add(name);
    }
    proto = Object.getPrototypeOf(proto) as object;
  }
  return [...names];
}

describe('arguments that are left out, or null', () => {
  for (const [name, find] of Object.entries(objects)) {
    for (const method of methodsOf(find(openConnected()))) {
      it(`${name}.${method}`, async () => {
        for (const args of [[], [null], [null, null, null], [{}], [5], [1]]) {
          const on = openConnected();
          on.b.postRecv({});
          const object = find(on) as Record<string, (...args: unknown[]) => unknown>;
          let error: unknown;
          try {
            const result = object[method](...args);
            if (result instanceof Promise) {
              result.catch(() => {});
              (on.context as VerbsObject)[Symbol.dispose]();
              await result.catch((reason: unknown) => (error = reason));
            }
          } catch (thrown) {
            error = thrown;
          }
          if (error === undefined) continue;
          expect(VerbsError.is(error), `(${JSON.stringify(args)}) ${(error as Error).stack}`).to.equal(true);
          expect((error as VerbsError).verb, (error as VerbsError).message).to.not.equal('');
        }
      });
    }
  }
});
