/** Waits that do not block the thread: whom they wake, what they keep alive, and what they look after meanwhile. */
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { AsyncWait, WordListeners } from '../src/emulated/async-wait.ts';
import { DomainAccess } from '../src/emulated/domain-access.ts';
import { findTables } from '../src/emulated/tables.ts';
import { testbed } from './support/testbed.ts';

const WORD = 0;
/** Turns of the event loop after which what was to come does not come. */
const TURNS_MAX = 100;

describe('waits on the event loop', () => {
  let i32: Int32Array;
  let listeners: WordListeners;

  let controller: AbortController;

  beforeEach(() => {
    i32 = new Int32Array(new SharedArrayBuffer(4));
    listeners = new WordListeners(i32);
    controller = new AbortController();
  });
  // A wait that is not ended keeps the thread alive.
  afterEach(() => {
    controller.abort();
  });

  it('for the same word are all woken by its change', async () => {
    const woken: string[] = [];
    listeners.listen(WORD, 0, () => woken.push('first'));
    await new Promise<void>((resolve) => {
      listeners.listen(WORD, 0, resolve);
      Atomics.store(i32, WORD, 1);
      Atomics.notify(i32, WORD);
    });
    expect(woken).to.deep.equal(['first']);
  });

  it('are woken by each change that they wait for', async () => {
    let woken = 0;
    for (const seen of [0, 1]) {
      listeners.listen(WORD, seen, () => woken++);
      Atomics.store(i32, WORD, seen + 1);
      Atomics.notify(i32, WORD);
      for (let turn = 0; woken <= seen && turn < TURNS_MAX; turn++) await setImmediate();
    }
    expect(woken).to.equal(2);
  });

  for (const unref of [false, true]) {
    it(`${unref ? 'let' : 'do not let'} the thread end meanwhile${unref ? ', where that is wished' : ''}`, async () => {
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const before = timers();
      const { signal } = controller;
      const { promise } = new AsyncWait(listeners, i32, WORD, () => undefined, { signal, unref });
      const rejected = promise.catch((error: unknown) => error);
      expect(timers() - before).to.equal(unref ? 0 : 1);
      controller.abort(new Error('enough'));
      expect(timers()).to.equal(before);
      expect(await rejected).to.include({ message: 'enough' });
    });
  }

  describe('of a domain', () => {
    let access: DomainAccess;
    let looks: number;

    beforeEach(() => {
      const { machine } = testbed();
      const tables = findTables(machine);
      looks = 0;
      const services = { listeners: new WordListeners(machine.i32), tend: () => void looks++ };
      access = new DomainAccess(tables, tables.running(0), services);
    });

    const end = async (waiting: Promise<unknown>): Promise<unknown> => {
      const rejected = waiting.catch((error: unknown) => error);
      controller.abort(new Error('enough'));
      return rejected;
    };

    it('look whether threads have ended, as long as there is nothing', async () => {
      const waiting = access.waitAsync(() => undefined, WORD, { signal: controller.signal });
      const first = looks;
      await end(waiting);
      expect(await access.waitAsync(() => 'there', WORD, {})).to.equal('there');
      expect([first, looks]).to.deep.equal([1, 1]);
    });

    it('end when it can be used no more, whatever they wait for', async () => {
      access.close();
      const waiting = access.waitAsync(() => undefined, WORD, { signal: controller.signal });
      expect(await end(waiting)).to.include({ code: 'ESRCH' });
    });
  });
});
