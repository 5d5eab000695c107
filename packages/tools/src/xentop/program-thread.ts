/** A program on a thread of its own, whose guests are watched from this one: so that it may block as long as it likes. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type GuestCounters, type OpenVerbs, openVerbs, VerbsError } from 'openverbs';
import type { Faults } from '@openverbs/verbs/driver';
import { UsageError } from '../cli/usage-error.ts';
import type { FromProgram, ProgramStart } from './program-protocol.ts';
import { type GuestSample, sampleGuests } from './sample.ts';

/** How a program is run. */
export interface ProgramOptions {
  readonly args: readonly string[];
  /** Provider that it opens unless it says so itself. */
  readonly provider: string;
  /** What the network of the emulated devices does unless it says so itself; undefined for what the environment says. */
  readonly faults?: Partial<Faults> | undefined;
  /** What it prints, on either stream. */
  readonly onOutput: (text: string) => void;
}

/** What was found of a program's guests last, or is found now. */
interface Watched {
  /** The machine, joined without guests of this thread's own; null once the program has closed it. */
  verbs: OpenVerbs | null;
  /** Its guests when they were looked at last. */
  guests: readonly GuestCounters[];
}

export class ProgramThread {
  /** The exit status of the program. Rejects when it ends by an error. */
  readonly ended: Promise<number>;
  readonly #worker: Worker;
  readonly #watched = new Map<number, Watched>();
  /** How often the program has called `openVerbs()`. */
  opened = 0;

  /** @throws UsageError when there is no such program */
  constructor(program: string, { args, provider, faults, onOutput }: ProgramOptions) {
    const path = resolve(program);
    if (!existsSync(path)) throw new UsageError(`there is no program ${path}`, 'give the path of a JavaScript module');
    const workerData: ProgramStart = { path };
    const network = faults === undefined ? {} : { OPENVERBS_EMULATED_FAULTS: JSON.stringify(faults) };
    const env = { OPENVERBS_XEN_PLACEMENT: 'thread', ...process.env, ...network, OPENVERBS_PROVIDER: provider };
    const url = new URL('./program-worker.js', import.meta.url);
    this.#worker = new Worker(url, { workerData, env, argv: [...args], stdout: true, stderr: true });
    this.#worker.stdout.setEncoding('utf8').on('data', onOutput);
    this.#worker.stderr.setEncoding('utf8').on('data', onOutput);
    this.#worker.on('message', (message: FromProgram) => {
      this.#receive(message);
    });
    // Rejects at 'error'.
    this.ended = once(this.#worker, 'exit').then(([status]) => Number(status));
    this.ended.catch(() => {});
  }

  /** The guests of all its machines, as they are, or as they were when their machine was closed. */
  guests(): readonly GuestCounters[] {
    const all = [...this.#watched.values()];
    for (const each of all) each.guests = lookAt(each);
    return all.flatMap(({ guests }) => guests);
  }

  sample(): GuestSample {
    return sampleGuests(this);
  }

  /** Ends the program, wherever it is. */
  async stop(): Promise<void> {
    for (const each of this.#watched.values()) this.#leave(each);
    await this.#worker.terminate();
  }

  #receive(message: FromProgram): void {
    if (message.kind === 'closing') {
      const watched = this.#watched.get(message.id);
      if (watched === undefined) return;
      this.#leave(watched);
      watched.guests = message.guests;
      return;
    }
    this.opened++;
    if (message.guests === 0) return;
    const verbs = openVerbs({ machine: message.machine, provider: 'xen', xen: { guests: 0 } });
    this.#watched.set(message.id, { verbs, guests: [] });
  }

  #leave(watched: Watched): void {
    watched.verbs?.[Symbol.dispose]();
    watched.verbs = null;
  }
}

/** The guests of a machine; what they were before when it goes at this moment. */
function lookAt({ verbs, guests }: Watched): readonly GuestCounters[] {
  if (verbs === null) return guests;
  try {
    const found = verbs.guests();
    // All have gone: the program closes, and will tell what they did in the end.
    return found.length === 0 ? guests : found;
  } catch (error) {
    if (VerbsError.is(error)) return guests;
    throw error;
  }
}
