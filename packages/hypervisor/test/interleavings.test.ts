import { expect } from 'chai';
import { explore } from '@openverbs/machine/testing';
import { BackRing, FrontRing, SharedRing } from '../src/index.ts';
import { isForgotten, portModel, RIGHT_PORT } from './support/port-model.ts';
import { isStuck, RIGHT_RING, ringModel } from './support/ring-model.ts';

describe('notification suppression of the shared ring, in every interleaving', () => {
  for (const [entries, batch] of [
    [1, 1],
    [4, 1],
    [5, 2],
    [9, 3],
  ]) {
    it(`leaves no consumer asleep beside one of ${entries} entries, pushed by ${batch}`, () => {
      const { ends } = explore(ringModel(entries, batch, RIGHT_RING));
      expect(ends).to.not.be.empty;
      expect(ends.filter(isStuck)).to.deep.equal([]);
      for (const end of ends) expect(end).to.include({ consumer: 'ended', cons: entries });
      // It does suppress: there are orders with fewer events than pushes.
      if (entries > batch) expect(Math.min(...ends.map(({ events }) => events))).to.be.lessThan(entries / batch);
    });
  }

  for (const fault of ['rechecks', 'pushesFirst'] as const) {
    it(`is one that the model can fault: without ${fault}`, () => {
      const { ends } = explore(ringModel(2, 1, { ...RIGHT_RING, [fault]: false }));
      expect(ends.some(isStuck)).to.be.true;
    });
  }

  it('is what the rings do, access by access', () => {
    const memory = { i32: new Int32Array(new SharedArrayBuffer(4096)), word: 0 };
    const front = new FrontRing(memory, 4);
    const back = new BackRing(memory, 4);
    const into = new Int32Array(4);
    front.putRequest([1]);
    // push, look
    expect(accesses(() => front.pushRequests())).to.deep.equal(['store REQ_PROD', 'load REQ_EVENT']);
    back.takeRequest(into);
    back.putResponse([1]);
    expect(accesses(() => back.pushResponses())).to.deep.equal(['store RSP_PROD', 'load RSP_EVENT']);
    // look, ask, recheck
    expect(accesses(() => back.finalCheckForRequests())).to.deep.equal([
      'load REQ_PROD',
      'store REQ_EVENT',
      'load REQ_PROD',
    ]);
    front.takeResponse(into);
    expect(accesses(() => front.finalCheckForResponses())).to.deep.equal([
      'load RSP_PROD',
      'store RSP_EVENT',
      'load RSP_PROD',
    ]);
  });
});

describe('an event, in every interleaving', () => {
  for (const senders of [1, 2, 3]) {
    it(`of ${senders} senders is taken after the last of them`, () => {
      const { ends } = explore(portModel(senders, RIGHT_PORT));
      expect(ends).to.not.be.empty;
      expect(ends.filter(isForgotten)).to.deep.equal([]);
      for (const end of ends)
        expect(end).to.deep.include({ waiter: 'sleep', handler: 'idle', masked: false, done: senders });
    });
  }

  for (const fault of ['unmaskLooks', 'ticketFirst'] as const) {
    it(`is one that the model can fault: without ${fault}`, () => {
      const { ends } = explore(portModel(2, { ...RIGHT_PORT, [fault]: false }));
      expect(ends.some(isForgotten)).to.be.true;
    });
  }
});

/** The atomic accesses that an action makes to the head of a ring. */
function accesses(action: () => unknown): string[] {
  const names = Object.entries(SharedRing).map(([name, word]) => [word, name] as const);
  const nameOf = new Map<number, string>(names);
  const made: string[] = [];
  const { load, store } = Atomics;
  Object.assign(Atomics, {
    load: (words: Int32Array, index: number) => {
      made.push(`load ${nameOf.get(index)}`);
      return load(words, index);
    },
    store: (words: Int32Array, index: number, value: number) => {
      made.push(`store ${nameOf.get(index)}`);
      return store(words, index, value);
    },
  });
  try {
    action();
  } finally {
    Object.assign(Atomics, { load, store });
  }
  return made;
}
