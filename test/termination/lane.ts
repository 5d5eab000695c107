/** One victim after the other: started, left alone for a random time, terminated, and what it was connected to looked after. */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Prng } from '@openverbs/machine';
import type { Device } from 'openverbs';
import { Partner } from './partner.ts';
import type { VictimReport, VictimTask } from './victim-protocol.ts';

/** One in so many is not even waited for: it dies while it starts, or while it joins. */
const EARLY_ONE_IN = 10;
const EARLY_MS_MAX = 60;
const LIFE_MS_MAX = 6;
/** Between two rounds of traffic the processors are for the victims. */
const PAUSE_MS = 1;
/** A victim that does not start in this time hangs. */
const START_MS_MAX = 60_000;

/** See above. */
export class Lane {
  readonly #machine: unknown;
  readonly #prng: Prng;
  readonly #partner: Partner;
  readonly #program: string;

  /** @param program - module of the victims, beside this one */
  constructor(device: Device, machine: unknown, prng: Prng, program = 'victim.js') {
    this.#machine = machine;
    this.#prng = prng;
    this.#partner = new Partner(device);
    this.#program = program;
  }

  /** A whole life. Throws what went wrong with it, with the victim's seed. */
  async sacrifice(): Promise<void> {
    const seed = this.#prng.nextUint32();
    try {
      const task: VictimTask = { machine: this.#machine, seed, partner: this.#partner.invite() };
      // Source maps of a thousand threads would cost more than the threads.
      const worker = new Worker(new URL(this.#program, import.meta.url), { workerData: task, execArgv: [] });
      await this.#outlive(worker);
      await this.#partner.mourn();
      void this.additions;
    } catch (error) {
      throw new Error(`victim of seed ${seed}: ${String(error)}`, { cause: error });
    }
  }

  /** Atomics of all victims that were carried out. Throws when one of them was by half. */
  get additions(): number {
    return this.#partner.additions;
  }

  close(): void {
    this.#partner.close();
  }

  async #outlive(worker: Worker): Promise<void> {
    let failure = '';
    worker.on('error', (error) => {
      failure = String(error);
    });
    const exit = once(worker, 'exit');
    try {
      if (this.#prng.nextInt(EARLY_ONE_IN) === 0) await setTimeout(this.#prng.nextFloat() * EARLY_MS_MAX);
      else {
        const report = await firstReport(worker);
        if ('failure' in report) throw new Error(report.failure);
        if (report.running !== null) this.#partner.connect(report.running);
        worker.on('message', (later: VictimReport) => {
          if ('failure' in later) ({ failure } = later);
        });
        await setTimeout(this.#prng.nextFloat() * LIFE_MS_MAX);
      }
    } finally {
      await worker.terminate();
      await exit;
    }
    if (failure !== '') throw new Error(failure);
  }
}

async function firstReport(worker: Worker): Promise<VictimReport> {
  const [report] = (await once(worker, 'message', { signal: AbortSignal.timeout(START_MS_MAX) })) as [VictimReport];
  return report;
}

/**
 * Lets the lanes sacrifice so many in all, while `play` is called again and again: the traffic of the living.
 *
 * @throws Error with the seed and all that went wrong
 */
export async function sacrificeAll(
  lanes: readonly Lane[],
  count: number,
  seed: number,
  play: () => void | Promise<void>,
): Promise<void> {
  let left = count;
  let living = lanes.length;
  const work = lanes.map(async (lane) => {
    try {
      while (left-- > 0) await lane.sacrifice();
    } finally {
      living--;
    }
  });
  const witness = (async () => {
    while (living > 0) {
      await play();
      await setTimeout(PAUSE_MS);
    }
  })();
  const wrong = (await Promise.allSettled([...work, witness])).filter((each) => each.status === 'rejected');
  if (wrong.length > 0) throw new Error(`seed ${seed}: ${wrong.map(({ reason }) => String(reason)).join('; ')}`);
}
