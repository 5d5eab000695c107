import { expect } from 'chai';
import {
  HostClock,
  hostClock,
  Machine,
  MachineLock,
  MachineTimeoutError,
  ThreadTable,
  waitUntil,
} from '../src/index.ts';
import type { ThreadIdentity } from '../src/thread-identity.ts';
import { HEADS, HEAP_WORDS } from '../src/buddy-heap.ts';
import { Header } from '../src/header.ts';
import { expectError } from './support/errors.ts';
import { startThread, stopThreads } from './support/threads.ts';

const MiB = 1048576;

function createMachine(): Machine {
  const machine = Machine.create({ memoryBytes: 4 * MiB });
  machine.setRoot(0, machine.pages.alloc(4096, 4096, 1));
  return machine;
}

/** A second thread's view, on this thread: its identity is another one. */
function otherLock(
  machine: Machine,
  identity: ThreadIdentity,
  heartbeatNsMax?: number,
): { lock: MachineLock; slot: number; threads: ThreadTable } {
  const threads = new ThreadTable(machine.i32, machine.f64, identity);
  const slot = threads.claim();
  return { lock: new MachineLock(machine.i32, slot, threads, hostClock, heartbeatNsMax), slot, threads };
}

/** A thread that no system call knows about. */
function fakeIdentity(tid: number, alive: boolean, provable = true): ThreadIdentity {
  return { provable, current: () => ({ tid, startTicks: 0 }), isAlive: () => alive };
}

describe('MachineLock', () => {
  afterEach(stopThreads);

  it('is held by one thread at a time and names it', () => {
    const machine = createMachine();
    const other = otherLock(machine, fakeIdentity(99, true));
    expect(machine.lock.ownerIndex).to.equal(0);
    expect(machine.lock.tryAcquire()).to.equal(true);
    expect([machine.lock.ownerIndex, machine.lock.isHeld, other.lock.isHeld]).to.deep.equal([1, true, false]);
    expect(other.lock.tryAcquire()).to.equal(false);
    expect(machine.lock.tryAcquire(), 'not recursive').to.equal(false);
    machine.lock.release();
    expect(other.lock.tryAcquire()).to.equal(true);
    expect(machine.lock.ownerIndex).to.equal(2);
    other.lock.release();
  });

  it('refuses a second acquire, by the same Machine or by another of the same thread', () => {
    const machine = createMachine();
    const again = Machine.attach(machine.handle);
    machine.lock.acquire();
    expectError(
      () => {
        machine.lock.acquire();
      },
      'EDEADLK',
      /not recursive/,
    );
    expectError(
      () => {
        again.lock.acquire();
      },
      'EDEADLK',
      /attached twice.*thread 1/,
    );
    machine.lock.release();
  });

  it('refuses a release by whoever does not hold it', () => {
    const machine = createMachine();
    const again = Machine.attach(machine.handle);
    expectError(
      () => {
        machine.lock.release();
      },
      'EPERM',
      /held by nobody/,
    );
    again.lock.acquire();
    expectError(
      () => {
        machine.lock.release();
      },
      'EPERM',
      /thread 1 releases .* held by thread 2/,
    );
    expect(machine.lock.ownerIndex).to.equal(2);
    again.lock.release();
  });

  it('enters where the lock may be held already', () => {
    const { lock } = createMachine();
    expect(lock.enter()).to.equal(true);
    expect(lock.enter()).to.equal(false);
    lock.release();
    expect(lock.ownerIndex).to.equal(0);
  });

  it('times out with the name of the holder, and leaves the lock alone', async () => {
    const machine = createMachine();
    await startThread(machine, 'hold');
    let caught: unknown;
    try {
      machine.lock.acquire(hostClock.nowNs() + 3e6);
    } catch (error) {
      caught = error;
    }
    expect(caught).to.be.instanceOf(MachineTimeoutError);
    const tid = machine.threads.tid(2);
    expect((caught as Error).message).to.match(new RegExp(`held by thread 2 \\(system id ${tid}\\)`));
    expect(machine.lock.ownerIndex).to.equal(2);
    expect(machine.lock.takeovers).to.equal(0);
  });

  it('excludes two threads from each other', async () => {
    const machine = createMachine();
    const rounds = 10000;
    const messages = await Promise.all([startThread(machine, 'count', rounds), startThread(machine, 'count', rounds)]);
    expect(messages.map(({ first }) => first)).to.deep.equal(['done', 'done']);
    expect(machine.i32[machine.root(0) / 4]).to.equal(2 * rounds);
    expect(machine.lock.ownerIndex).to.equal(0);
    expect(machine.lock.takeovers).to.equal(0);
  });

  describe('when the holder vanished', () => {
    it('is taken over, after the recovery handlers ran in order', async () => {
      const machine = createMachine();
      const { worker, first } = await startThread(machine, 'hold');
      await worker.terminate();
      if (!machine.threads.provable) machine.threads.declareDead(2);
      const seen: string[] = [];
      machine.lock.onRecover((dead) => seen.push(`first ${dead} ${String(machine.lock.isHeld)}`));
      const remove = machine.lock.onRecover(() => seen.push('removed'));
      // As if the thread had died within an allocation: handlers may allocate, because the allocator is rebuilt before them.
      machine.i32.fill(0, Header.HEAP + HEADS, Header.HEAP + HEAP_WORDS);
      machine.lock.onRecover((dead) => {
        const addr = machine.pages.alloc(4096, 4096, 1);
        machine.pages.free(addr);
        seen.push(`second ${dead} ${String(addr !== 0)}`);
      });
      remove();
      expect(machine.lock.tryAcquire()).to.equal(false);
      machine.lock.acquire();
      expect(first).to.equal(2);
      expect(seen).to.deep.equal(['first 2 true', 'second 2 true']);
      expect([machine.lock.ownerIndex, machine.lock.takeovers]).to.deep.equal([1, 1]);
      machine.lock.release();
      expect(machine.threads.reap(() => undefined)).to.equal(1);
    });

    it('is taken over within a deadline shorter than the time between two looks', () => {
      const machine = createMachine();
      const dead = otherLock(machine, fakeIdentity(0x7ffffff0, false));
      machine.threads.declareDead(dead.slot);
      expect(dead.lock.tryAcquire()).to.equal(true);
      machine.lock.acquire(hostClock.nowNs());
      expect(machine.lock.takeovers).to.equal(1);
      machine.lock.release();
    });

    it('stays with the dead when recovery fails, so that the next one tries again', () => {
      const machine = createMachine();
      const dead = otherLock(machine, fakeIdentity(0x7ffffff0, false));
      machine.threads.declareDead(dead.slot);
      dead.lock.tryAcquire();
      const remove = machine.lock.onRecover(() => {
        throw new Error('table torn');
      });
      expectError(
        () => {
          machine.lock.acquire();
        },
        'EOWNERDEAD',
        /recovery failed: Error: table torn/,
      );
      expect(machine.lock.ownerIndex).to.equal(dead.slot);
      remove();
      machine.lock.acquire();
      expect(machine.lock.isHeld).to.equal(true);
      machine.lock.release();
    });

    it('leaves a usable page allocator, at whatever moment the thread was terminated', async () => {
      const machine = createMachine();
      const before = machine.pages.stats();
      for (let round = 1; round <= 5; round++) {
        const { worker, first } = await startThread(machine, 'churn', Infinity);
        waitUntil(machine, () => machine.pages.stats().buffers > round, hostClock.nowNs() + 5e9);
        await worker.terminate();
        if (!machine.threads.provable) machine.threads.declareDead(first as number);
        machine.threads.reap((slot) => machine.pages.freeOwned(slot));
        expect(machine.pages.stats().usedBytes, 'freed: the root buffer, whose owner is 1, remains').to.equal(4096);
        expect(machine.pages.stats()).to.deep.equal(before);
      }
    });
  });

  describe('where the system cannot tell who lives', () => {
    const heartbeatNsMax = 8e6;

    it('takes the lock from a holder that shows no progress', () => {
      const machine = createMachine();
      const holder = otherLock(machine, fakeIdentity(98, true, false), heartbeatNsMax);
      const waiter = otherLock(machine, fakeIdentity(99, true, false), heartbeatNsMax);
      const recovered: number[] = [];
      waiter.lock.onRecover((dead) => recovered.push(dead));
      holder.lock.acquire();
      waiter.lock.acquire();
      expect(recovered).to.deep.equal([holder.slot]);
      expectError(
        () => {
          holder.lock.release();
        },
        'EPERM',
        /beat\(\)/,
      );
      expect(waiter.lock.isHeld).to.equal(true);
      expect(waiter.threads.isAlive(holder.slot), 'its slot can be reaped').to.equal(false);
      waiter.lock.release();
    });

    it('takes nothing for granted that it saw while its mark was down', () => {
      const machine = createMachine();
      const holder = otherLock(machine, fakeIdentity(98, true, false), heartbeatNsMax);
      const steps: (() => void)[] = [];
      let timeNs = 1e9;
      class ScriptedClock extends HostClock {
        override nowNs(): number {
          steps.shift()?.();
          return timeNs;
        }
      }
      const threads = new ThreadTable(machine.i32, machine.f64, fakeIdentity(99, true, false));
      const waiter = new MachineLock(machine.i32, threads.claim(), threads, new ScriptedClock(), heartbeatNsMax);
      const turnOver = (): void => {
        holder.lock.release();
        holder.lock.acquire();
      };
      holder.lock.acquire();
      // The release takes the mark down right before the waiter looks, so the next release leaves no trace.
      steps.push(() => undefined, turnOver);
      expectError(() => waiter.acquire(timeNs), 'ETIMEDOUT');
      turnOver();
      timeNs += 10 * heartbeatNsMax;
      expectError(() => waiter.acquire(timeNs), 'ETIMEDOUT');
      expect(machine.lock.takeovers).to.equal(0);
      timeNs += 10 * heartbeatNsMax;
      waiter.acquire(timeNs);
      expect(machine.lock.takeovers).to.equal(1);
    });

    /** A waiter with short deadlines waits in vain for a holder that `works` in between. */
    function contend(
      works: (held: MachineLock) => void,
    ): Record<'holder' | 'waiter', { lock: MachineLock }> & { machine: Machine } {
      const machine = createMachine();
      const holder = otherLock(machine, fakeIdentity(98, true, false), heartbeatNsMax);
      const waiter = otherLock(machine, fakeIdentity(99, true, false), heartbeatNsMax);
      holder.lock.acquire();
      for (let turn = 0; turn < 12; turn++) {
        expectError(() => {
          waiter.lock.acquire(hostClock.nowNs());
        }, 'ETIMEDOUT');
        works(holder.lock);
      }
      return { machine, holder, waiter };
    }

    it('counts acquires in between, however short the deadlines of the waiter', () => {
      // Each wait sees the same holder, but it released the lock since the last one.
      const { machine, waiter } = contend((lock) => {
        lock.release();
        lock.acquire();
      });
      expect(machine.lock.takeovers).to.equal(0);
      let waits = 0;
      while (!waiter.lock.isHeld) {
        try {
          waits++;
          waiter.lock.acquire(hostClock.nowNs());
        } catch {
          continue;
        }
      }
      expect(waits).to.be.greaterThan(1);
      expect(machine.lock.takeovers).to.equal(1);
    });

    it('lets a holder that beats work on', () => {
      const { holder } = contend((lock) => {
        lock.beat();
      });
      expect(holder.lock.isHeld).to.equal(true);
    });
  });
});
