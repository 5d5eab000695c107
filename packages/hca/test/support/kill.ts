/** Registers tests that terminate threads in the middle of a storm of posts or commands. */
import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { hostClock, Xoshiro128 } from '@openverbs/machine';
import { QpDoorbellRecord } from '@openverbs/verbs/rings';
import { EngineState } from '../../src/engine-state.ts';
import { Opcode } from '../../src/opcode.ts';
import { reap } from '../../src/reap.ts';
import { audit } from './audit.ts';
import type { StormRole } from './storm.ts';
import { Testbed } from './testbed.ts';
import type { TestQp } from './test-qp.ts';

const SEED = 20240601;
/** Posts of this thread beside one storm. */
const POSTS = 200;
const BATCH = 4;
const WAIT_NS = 8e9;
const HOLDER_WAIT_NS = 50e6;

async function startStorm(bed: Testbed, role: StormRole): Promise<Worker> {
  const worker = new Worker(new URL('./storm.js', import.meta.url), {
    workerData: { handle: bed.machine.handle, role },
  });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  worker.removeAllListeners('error');
  return worker;
}

/** Waits until the other thread holds the lock, if it does so soon: it shall die with it now and then. */
function awaitHolder(bed: Testbed): void {
  const deadlineNs = hostClock.nowNs() + HOLDER_WAIT_NS;
  while (bed.machine.lock.ownerIndex === 0 && hostClock.nowNs() < deadlineNs);
}

/** Messages with their number in every word, to a peer that expects them in order. */
class Stream {
  readonly #bed: Testbed;
  readonly #a: TestQp;
  readonly #b: TestQp;
  readonly #from;
  readonly #to;
  #done = 0;

  constructor(bed: Testbed) {
    this.#bed = bed;
    [this.#a, this.#b] = bed.pair({ sqLog2Count: 5, rqLog2Count: 5, sendCq: bed.cq(8), recvCq: bed.cq(8) });
    this.#from = bed.region(64 * BATCH);
    this.#to = bed.region(64 * BATCH);
  }

  /** Sends a batch and waits for it; every message must come once, whole, and in its place. */
  run(): void {
    const { i32, u8 } = this.#bed.machine;
    for (let n = 0; n < BATCH; n++) {
      i32.fill(this.#done + n + 1, this.#from.machineAddr(64 * n) / 4, this.#from.machineAddr(64 * n) / 4 + 16);
      this.#b.recv([this.#to.sge(64 * n, 64)]);
      this.#a.writeSend({ opcode: Opcode.SEND_WITH_IMM, sges: [this.#from.sge(64 * n, 64)], imm: this.#done + n });
    }
    this.#a.ring();
    const sent = this.#wait(this.#a);
    const received = this.#wait(this.#b);
    const numbers = Array.from({ length: BATCH }, (_, n) => this.#done + n);
    expect(sent.map(({ index, syndrome }) => [index, syndrome])).to.deep.equal(numbers.map((n) => [n, 0]));
    expect(received.map(({ imm, syndrome }) => [imm, syndrome])).to.deep.equal(numbers.map((n) => [n, 0]));
    for (const n of numbers) {
      const word = this.#to.machineAddr(64 * (n - this.#done)) / 4;
      expect(
        i32.subarray(word, word + 16).every((value) => value === n + 1),
        `body of message ${n}`,
      ).to.equal(true);
    }
    u8.fill(0, this.#to.machineAddr(0), this.#to.machineAddr(0) + 64 * BATCH);
    this.#done += BATCH;
  }

  #wait(qp: TestQp): ReturnType<TestQp['sendCq']['poll']> {
    const cq = qp === this.#a ? this.#a.sendCq : this.#b.recvCq;
    const deadlineNs = hostClock.nowNs() + WAIT_NS;
    const cqes = cq.poll();
    while (cqes.length < BATCH) {
      cqes.push(...cq.pollIdle());
      if (hostClock.nowNs() < deadlineNs) continue;
      const { i32, machine, engine } = this.#bed;
      const posted = i32[qp.record + QpDoorbellRecord.SQ_PRODUCER] - qp.word('SQ_CONSUMER');
      throw new Error(`stuck: ${cqes.length} of ${BATCH} came; ${posted} in the send queue, state ${qp.state}, waiting ${qp.word('WAITING')}, lock ${machine.lock.ownerIndex}, marked ${engine.uars.marked}`); // prettier-ignore
    }
    return cqes;
  }
}

/** Registers them, with so many threads of each kind. */
export function describeKills(kills: number): void {
  describe('a thread that is terminated', () => {
    let recoveries = 0;

    for (const role of ['post', 'command'] as const) {
      it(`in the middle of a storm (${role}) takes nobody along`, async () => {
        const random = new Xoshiro128(SEED);
        const bed = new Testbed();
        const stream = new Stream(bed);
        const state = new EngineState(bed.engine);
        const before = { ...bed.hca.objects, ...bed.machine.pages.stats() };
        for (let kill = 0; kill < kills; kill++) {
          const worker = await startStorm(bed, role);
          const exited = new Promise((resolve) => worker.once('exit', resolve));
          const killAt = random.nextInt(POSTS / BATCH);
          for (let n = 0; n < POSTS / BATCH; n++) {
            if (n === killAt) {
              awaitHolder(bed);
              void worker.terminate();
            }
            stream.run();
          }
          await exited;
          reap(bed.engine); // unless a poll has done so
          expect(state.threadsReaped).to.equal(kill + 1);
          bed.engine.runDue();
          audit(bed);
          expect({ ...bed.hca.objects, ...bed.machine.pages.stats() }).to.deep.equal(before);
        }
        recoveries += state.recoveries;
      });
    }

    it('held the lock, now and then', () => {
      expect(recoveries).to.be.above(0);
    });
  });
}
