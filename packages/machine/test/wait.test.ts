import { expect } from 'chai';
import { hostClock, Machine, MachineTimeoutError, waitUntil, wakeAll } from '../src/index.ts';
import { Header } from '../src/header.ts';
import { expectError } from './support/errors.ts';
import { startThread, stopThreads } from './support/threads.ts';

describe('waitUntil', () => {
  afterEach(stopThreads);

  it('returns at once when the condition holds, even after the deadline', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    waitUntil(machine, () => true, 0);
  });

  it('runs the pollers of the thread, before each look', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    let work = 0;
    machine.pollers.push(() => {
      work++;
    });
    waitUntil(machine, () => work === 1, 0);
    waitUntil(machine, () => work >= 300, hostClock.nowNs() + 60e9);
    expect(work).to.equal(300);
  });

  it('does not sleep while pollers find work, but keeps its deadline', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    let turns = 0;
    machine.pollers.push(
      () => true,
      () => turns++,
    );
    waitUntil(machine, () => turns >= 100_000, hostClock.nowNs() + 60e9);
    // A thread that is about to sleep says so.
    expect(machine.i32[Header.WAKE_SLEEPERS]).to.equal(0);
    expectError(() => waitUntil(machine, () => false, hostClock.nowNs() + 1e6), 'ETIMEDOUT');
  });

  it('times out and says what it waited for', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    const wait = (): void => {
      waitUntil(
        machine,
        () => false,
        hostClock.nowNs(),
        () => 'CQ 3, which holds 0 entries',
      );
    };
    expect(wait).to.throw(MachineTimeoutError, 'timed out waiting for CQ 3, which holds 0 entries');
    expectError(wait, 'ETIMEDOUT');
    expectError(
      () => {
        waitUntil(machine, () => false, 0);
      },
      'ETIMEDOUT',
      /a condition/,
    );
  });

  it('refuses to wait with the machine lock held', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    machine.lock.acquire();
    expectError(() => {
      waitUntil(machine, () => true, 0);
    }, 'EDEADLK');
  });

  it('passes a word to another thread and back', async () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    machine.setRoot(0, machine.pages.alloc(4096, 4096, 1));
    const word = machine.root(0) / 4;
    await startThread(machine, 'answer');
    Atomics.store(machine.i32, word, 1);
    wakeAll(machine);
    waitUntil(machine, () => Atomics.load(machine.i32, word) === 2, hostClock.nowNs() + 5e9);
  });
});

describe('a long park', () => {
  afterEach(stopThreads);

  it('ends with its deadline and with the alarms of the thread, which then runs its pollers', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    const startNs = hostClock.nowNs();
    let served = false;
    machine.alarms.push(() => (served ? Infinity : startNs + 20e6));
    machine.pollers.push(() => {
      served ||= hostClock.nowNs() >= startNs + 20e6;
    });
    waitUntil(machine, () => served, startNs + 60e9, undefined, 60_000);
    expectError(() => {
      waitUntil(machine, () => false, hostClock.nowNs() + 20e6, undefined, 60_000);
    }, 'ETIMEDOUT');
  });
});
