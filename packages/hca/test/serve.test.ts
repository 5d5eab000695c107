import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { hostClock, Machine, waitUntil } from '@openverbs/machine';
import { CommandInterface } from '../src/command-interface.ts';
import { Engine } from '../src/engine.ts';
import { EngineState } from '../src/engine-state.ts';
import { EngineHeader, EngineSleep, Qpc } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { stop } from '../src/serve.ts';
import { Testbed } from './support/testbed.ts';
import type { Cqe } from './support/test-cq.ts';
import type { TestQp } from './support/test-qp.ts';

const WRITE = { opcode: Opcode.RDMA_WRITE };
const WAIT_NS = 30e9;
/** The engine's sleep may be over just before it would be woken, where this thread was kept from running: once in a while, but not every time. */
const WAKES_TRIED_MAX = 20;

describe('the engine thread', () => {
  let bed: Testbed;
  let state: EngineState;
  let worker: Worker | undefined;

  beforeEach(() => {
    const machine = Machine.create({ memoryBytes: 256 * 2 ** 20 });
    const engine = new Engine(machine, 'thread', hostClock);
    engine.createHca({ name: 'hca0', guidHi: 0x02000000, guidLo: 0x100, ports: 1 });
    bed = Testbed.attach(machine);
    state = new EngineState(bed.engine);
  });

  afterEach(async () => {
    await worker?.terminate();
    worker = undefined;
  });

  async function start(): Promise<void> {
    worker = new Worker(new URL('./support/engine.js', import.meta.url), { workerData: bed.machine.handle });
    await new Promise((resolve) => worker?.once('online', resolve));
    waitUntil(bed.machine, () => state.running, hostClock.nowNs() + WAIT_NS);
  }

  function poll(qp: TestQp, count: number): Cqe[] {
    const cqes: Cqe[] = [];
    const deadlineNs = hostClock.nowNs() + WAIT_NS;
    while (cqes.length < count && hostClock.nowNs() < deadlineNs) cqes.push(...qp.sendCq.pollIdle());
    expect(cqes, 'completions').to.have.length(count);
    return cqes;
  }

  function awaitSleep(): void {
    const asleep = (): boolean => Atomics.load(bed.i32, bed.engine.header + EngineHeader.ASLEEP) === EngineSleep.ASLEEP;
    waitUntil(bed.machine, asleep, hostClock.nowNs() + WAIT_NS);
  }

  function expectWake(wakes: () => boolean): void {
    let tries = 1;
    while (!wakes()) expect(++tries, 'tries').to.be.at.most(WAKES_TRIED_MAX);
  }

  it('executes what others post, and they do not', async () => {
    await start();
    const [a] = bed.pair();
    for (let n = 0; n < 100; n++) {
      a.send(WRITE);
      expect(poll(a, 1)[0]).to.include({ index: n, syndrome: 0 });
    }
    expect(state.doorbellsDropped).to.equal(0);
  });

  it('sleeps, and is woken by a doorbell, which is counted', async () => {
    await start();
    const [a] = bed.pair();
    for (let n = 0; n < 3; n++) {
      expectWake(() => {
        awaitSleep();
        const wakes = state.deviceWakes;
        a.send(WRITE);
        poll(a, 1);
        return state.deviceWakes > wakes;
      });
    }
  });

  it('wakes for a timer that another thread has started', async () => {
    await start();
    const words = new Map([[Qpc.RNR_RETRY, 1], [Qpc.MIN_RNR_TIMER, 1]]); // prettier-ignore
    expectWake(() => {
      const qp = bed.qp();
      bed.toInit(qp);
      bed.toRtr(qp, qp.number, words);
      qp.writeSend({});
      awaitSleep();
      const wakes = state.deviceWakes;
      bed.toRts(qp, words); // the command executes what is posted, on this thread
      expect(poll(qp, 1)[0].syndrome).to.not.equal(0);
      return state.deviceWakes > wakes;
    });
  });

  it('ends when it is asked to, awake or asleep', async () => {
    for (const asleep of [false, true]) {
      await start();
      if (asleep) awaitSleep();
      const exited = new Promise((resolve) => worker?.once('exit', resolve));
      stop(bed.engine);
      expect(await exited).to.equal(0);
      expect(state.running).to.equal(false);
      Atomics.store(bed.i32, bed.engine.header + EngineHeader.STOP, 0);
    }
  });

  it('that has ended is replaced by those who post, also for what it left', async () => {
    await start();
    const [a] = bed.pair();
    a.send(WRITE);
    poll(a, 1);
    const exited = new Promise((resolve) => worker?.once('exit', resolve));
    stop(bed.engine);
    await exited;
    a.send(WRITE);
    poll(a, 1);
    a.send(WRITE);
    expect(a.sendCq.poll(), 'on this thread').to.have.length(1);
    const late = Testbed.attach(Machine.attach(bed.machine.handle));
    const [c] = late.pair();
    c.send(WRITE);
    expect(c.sendCq.poll()).to.have.length(1);
    late.machine.detach();
  });

  it('that was terminated is found out by whoever polls', async () => {
    await start();
    const [a] = bed.pair();
    a.send(WRITE);
    poll(a, 1);
    await worker?.terminate();
    a.send(WRITE);
    poll(a, 1);
    a.send(WRITE);
    expect(a.sendCq.poll(), 'on this thread').to.have.length(1);
    expect(state.running).to.equal(false);
  });

  it('lends the lock to commands between the parts of a long queue', async () => {
    await start();
    const commands = new CommandInterface(bed.engine, bed.hca);
    const cq = bed.cq(12);
    const qp = bed.qp({ sqLog2Count: 12, sendCq: cq });
    bed.connect(qp, qp);
    for (let n = 0; n < 4096; n++) qp.writeSend(WRITE);
    qp.ring();
    for (let n = 0; n < 20; n++) commands.deallocPd(commands.allocPd(bed.uar));
    poll(qp, 4096);
  });
});
