import { expect } from 'chai';
import { Machine } from '../src/index.ts';
import { detectIdentity, nodeIdentity, parseStat, procfsIdentity } from '../src/thread-identity.ts';
import { expectError } from './support/errors.ts';
import { startThread, stopThreads } from './support/threads.ts';

const linux = process.platform === 'linux';

describe('thread identity', () => {
  it('reads state and start time behind a name with spaces and parentheses', () => {
    const rest = 'R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 123456 20';
    expect(parseStat(`77 (a) S 1 (b) ${rest}`)).to.deep.equal({ running: true, startTicks: 123456 });
    expect(parseStat(`77 (node) ${rest.replace('R', 'Z')}`).running).to.equal(false);
    expect(parseStat(`77 (node) ${rest.replace('R', 'X')}`).running).to.equal(false);
    expect(parseStat('').running).to.equal(false);
  });

  it('knows its own thread on Linux', function () {
    if (!linux) this.skip();
    const { tid, startTicks } = procfsIdentity.current();
    expect(detectIdentity()).to.equal(procfsIdentity);
    expect(procfsIdentity.isAlive(tid, startTicks)).to.equal(true);
    expect(procfsIdentity.isAlive(tid, 0)).to.equal(true);
    expect(procfsIdentity.isAlive(tid, startTicks + 1), 'the number was used again').to.equal(false);
    expect(procfsIdentity.isAlive(0x7ffffff0, 0)).to.equal(false);
  });

  it('proves nothing elsewhere', () => {
    expect(nodeIdentity.provable).to.equal(false);
    expect(nodeIdentity.current().tid).to.be.greaterThan(0);
    expect(nodeIdentity.isAlive(12345, 0)).to.equal(true);
  });
});

describe('ThreadTable', () => {
  afterEach(stopThreads);

  it('tells live slots from free ones and refuses what is no slot', () => {
    const { threads } = Machine.create({ memoryBytes: 1048576 });
    expect(threads.isAlive(1)).to.equal(true);
    expect(threads.isAlive(2)).to.equal(false);
    for (const slot of [0, 65, -1, NaN]) expectError(() => threads.isAlive(slot), 'EINVAL', /no thread slot/);
  });

  it('gives each user of a slot another lock token', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    const second = Machine.attach(machine.handle);
    const token = machine.threads.token(2);
    second.detach();
    Machine.attach(machine.handle);
    expect(machine.threads.token(2)).not.to.equal(token);
    expect(machine.threads.token(2) & 0xff).to.equal(2);
  });

  it('sees a terminated thread and reaps it with the lock held', async function () {
    const machine = Machine.create({ memoryBytes: 1048576 });
    machine.setRoot(0, machine.pages.alloc(4096, 4096, 1));
    const { worker, first } = await startThread(machine, 'linger');
    expect(first).to.equal(2);
    expect(machine.threads.isAlive(2)).to.equal(true);
    expect(machine.threads.isSameThread(1, 2)).to.equal(false);
    expect(machine.threads.reap(() => expect.fail('nobody is dead'))).to.equal(0);
    await worker.terminate();
    if (!machine.threads.provable) machine.threads.declareDead(2);
    expect(machine.threads.isAlive(2)).to.equal(false);
    const reaped: number[] = [];
    const count = machine.threads.reap((slot) => {
      expect(machine.lock.isHeld).to.equal(true);
      reaped.push(slot);
    });
    expect([count, reaped]).to.deep.equal([1, [2]]);
    expect(machine.lock.ownerIndex).to.equal(0);
    expect(machine.threads.tid(2)).to.equal(0);
  });

  it('keeps the slot when the handler throws, and lets the caller hold the lock', () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    Machine.attach(machine.handle);
    machine.threads.declareDead(2);
    expect(() =>
      machine.threads.reap(() => {
        throw new Error('busy');
      }),
    ).to.throw('busy');
    expect(machine.lock.ownerIndex).to.equal(0);
    machine.lock.acquire();
    expect(machine.threads.reap(() => undefined)).to.equal(1);
    expect(machine.lock.isHeld).to.equal(true);
    machine.lock.release();
    expect(Machine.attach(machine.handle).threadIndex, 'the slot is not dead any more').to.equal(2);
    expect(machine.threads.isAlive(2)).to.equal(true);
  });
});
