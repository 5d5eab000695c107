import { expect } from 'chai';
import { hostClock, HostClock, Machine, VirtualClock } from '../src/index.ts';
import { expectError } from './support/errors.ts';
import { startThread, stopThreads } from './support/threads.ts';

describe('HostClock', () => {
  afterEach(stopThreads);

  it('never goes backwards, and agrees with other threads', async () => {
    const machine = Machine.create({ memoryBytes: 1048576 });
    const before = hostClock.nowNs();
    const { first } = await startThread(machine, 'clock');
    const after = new HostClock().nowNs();
    expect(first).to.be.greaterThan(before);
    expect(first).to.be.lessThan(after);
  });

  it('fires a timer at its deadline or later, never within the call', async () => {
    const deadlineNs = hostClock.nowNs() + 1.5e6;
    const firedNs = await new Promise<number>((resolve) => {
      hostClock.setTimer(deadlineNs, () => {
        resolve(hostClock.nowNs());
      });
    });
    expect(firedNs).to.be.at.least(deadlineNs);
    let early = true;
    const past = new Promise<boolean>((resolve) => {
      hostClock.setTimer(0, () => {
        resolve(early);
      });
    });
    early = false;
    expect(await past).to.equal(false);
  });

  it('fires no timer that was cancelled, nor one beyond what setTimeout can count', async () => {
    const fired: string[] = [];
    const cancel = hostClock.setTimer(hostClock.nowNs() + 1e5, () => fired.push('cancelled'));
    const cancelFar = hostClock.setTimer(hostClock.nowNs() + 1e18, () => fired.push('in 31 years'));
    const cancelNever = hostClock.setTimer(Infinity, () => fired.push('never'));
    cancel();
    cancel();
    await new Promise<void>((resolve) => {
      hostClock.setTimer(hostClock.nowNs() + 5e6, resolve);
    });
    expect(fired).to.deep.equal([]);
    cancelFar();
    cancelNever();
    expectError(() => hostClock.setTimer(NaN, () => undefined), 'EINVAL', /NaN/);
  });
});

describe('VirtualClock', () => {
  it('stands still until told to pass', () => {
    const clock = new VirtualClock(1000);
    expect(clock.nowNs()).to.equal(1000);
    clock.advance(0.5);
    expect(clock.nowNs()).to.equal(1000.5);
    clock.advanceTo(2000);
    expect(clock.nowNs()).to.equal(2000);
    expectError(
      () => {
        clock.advance(-1);
      },
      'EINVAL',
      /cannot go/,
    );
    expectError(
      () => {
        clock.advanceTo(NaN);
      },
      'EINVAL',
      /cannot go/,
    );
  });

  it('fires in order of deadline, then of creation, at the time of each deadline', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const set = (name: string, deadlineNs: number): (() => void) =>
      clock.setTimer(deadlineNs, () => fired.push(`${name}@${clock.nowNs()}`));
    set('c', 30);
    set('a1', 10);
    set('b', 20);
    set('a2', 10);
    const cancel = set('x', 10);
    set('a3', 10);
    set('d', 31);
    cancel();
    cancel();
    expect(clock.nextDeadlineNs).to.equal(10);
    clock.advance(30);
    expect(fired).to.deep.equal(['a1@10', 'a2@10', 'a3@10', 'b@20', 'c@30']);
    expect(clock.nextDeadlineNs).to.equal(31);
  });

  it('fires timers that timers set, and late ones without turning time back', () => {
    const clock = new VirtualClock(100);
    const fired: number[] = [];
    clock.setTimer(50, () => fired.push(clock.nowNs()));
    clock.setTimer(110, () => {
      fired.push(clock.nowNs());
      clock.setTimer(115, () => fired.push(clock.nowNs()));
      clock.setTimer(60, () => fired.push(clock.nowNs()));
      clock.setTimer(1000, () => fired.push(clock.nowNs()));
    });
    expect(fired).to.deep.equal([]);
    clock.advance(20);
    expect(fired).to.deep.equal([100, 110, 110, 115]);
    expect(clock.nowNs()).to.equal(120);
  });

  it('runs until a condition holds or the deadline passes', () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.setTimer(clock.nowNs() + 10, tick);
    };
    clock.setTimer(10, tick);
    expect(clock.runUntil(() => ticks === 3, 1000)).to.equal(true);
    expect(clock.nowNs()).to.equal(30);
    expect(clock.runUntil(() => ticks === 99, 55)).to.equal(false);
    expect([clock.nowNs(), ticks]).to.deep.equal([55, 5]);
    expect(
      new VirtualClock(7).runUntil(() => false, Infinity),
      'nothing left to fire',
    ).to.equal(false);
    const idle = new VirtualClock();
    idle.setTimer(Infinity, () => expect.fail('fired'));
    expect(idle.runUntil(() => false, Infinity)).to.equal(false);
    expectError(() => idle.advanceTo(Infinity), 'EINVAL', /cannot go/);
    expectError(() => clock.setTimer(NaN, () => undefined), 'EINVAL', /NaN/);
  });
});
