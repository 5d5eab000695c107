/**
 * Which functions of the packages a program calls on its data path, and how often, as V8 counts them: natively, in the device domain, and in a guest.
 * Run as a process of its own, it tells its parent; counting makes a process slow, and who measures coverage counts for itself.
 */
import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';
import { openVerbs } from 'openverbs';
import type { OpenVerbsConfig } from 'openverbs';
import { Ends } from './ends.ts';
import { OPERATIONS } from './operations.ts';
import type { Operation } from './operations.ts';

/** By file, name and place in the file. */
export type Calls = Readonly<Record<string, number>>;
/** By the name of the operation. */
export type CallsOfOperations = Readonly<Record<string, Calls>>;
/** By where the program ran. */
export type CalledFunctions = Readonly<Record<'native' | 'idd' | 'bypass' | 'basic', CallsOfOperations>>;

const ROUNDS = 3;
const PACKAGES = new URL('../../../packages/', import.meta.url).href;

class CallCounter {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  /** The calls while `run` runs. */
  during(run: () => void): Calls {
    this.#take();
    run();
    return this.#take();
  }

  /** The calls since the last look. */
  #take(): Calls {
    let calls: Calls | undefined;
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error === null) calls = callsOf(result);
    });
    if (calls === undefined) throw new Error('V8 counts nothing');
    return calls;
  }
}

function callsOf(scripts: readonly Profiler.ScriptCoverage[]): Calls {
  const calls: Record<string, number> = {};
  for (const { url, functions } of scripts) {
    if (!url.startsWith(PACKAGES)) continue;
    for (const { functionName, ranges } of functions) {
      const [{ startOffset, count }] = ranges;
      if (count > 0) calls[`${url.slice(PACKAGES.length)} ${functionName} at ${startOffset}`] = count;
    }
  }
  return calls;
}

/** An event comes from who has the interrupt: the device domain, for a guest. So it is left out. */
const POSTS_AND_POLLS = OPERATIONS.filter(({ events = 0 }) => events === 0);

function callsOn(counter: CallCounter, config: OpenVerbsConfig, provider: string): CallsOfOperations {
  using verbs = openVerbs(config);
  const ends = new Ends(verbs.devices.find((device) => device.provider === provider)!);
  // What happens at the first time only, is over then.
  for (const operation of POSTS_AND_POLLS) operation.run(ends);
  const repeated = (operation: Operation) => (): void => {
    for (let round = 0; round < ROUNDS; round++) operation.run(ends);
  };
  return Object.fromEntries(POSTS_AND_POLLS.map((each) => [each.name, counter.during(repeated(each))]));
}

const counter = new CallCounter();
const shared: OpenVerbsConfig = { providers: ['xen', 'emulated'], xen: { mode: 'bypass' } };
const called: CalledFunctions = {
  native: callsOn(counter, { provider: 'emulated' }, 'emulated'),
  idd: callsOn(counter, shared, 'emulated'),
  bypass: callsOn(counter, shared, 'xen'),
  basic: callsOn(counter, { provider: 'xen:basic' }, 'xen'),
};
process.send!(called);
