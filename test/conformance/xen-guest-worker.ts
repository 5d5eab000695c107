/** A thread with two guests of its own on the device domain of another thread: runs the conformance suite there. */
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { StandaloneRunner, runConformance } from '@openverbs/conformance';
import type { ConformanceReport } from '@openverbs/conformance';
import { openVerbs, type OpenVerbsConfig } from 'openverbs';
import { guestsOf, subjectOf, xenConfig } from './xen.ts';
import { letGo, type HeldBack } from './held-back.ts';
import type { XenMode } from './xen.ts';

/** What the thread is started with. */
export interface XenGuestWorkerData {
  /** What the thread with the device domain handed out. */
  readonly machine: unknown;
  readonly mode: XenMode;
  /** Suites to run; all when left out. */
  readonly only: readonly string[] | undefined;
  /** Not 0 once the report has been sent: who waits for that may do so without an event loop. */
  readonly done: Int32Array;
  /** What the main thread waits for to be let go, within a verb. */
  readonly heldBack: HeldBack | undefined;
  readonly port: MessagePort;
}

/** What the thread says at its end. */
export interface XenGuestReport {
  readonly report: ConformanceReport;
  /** What failed around the tests. */
  readonly around: readonly string[];
}

const { machine, mode, only, done, heldBack, port } = workerData as XenGuestWorkerData;
const runner = new StandaloneRunner();
/** Of the other thread's device domain first; the devices that a test takes to their end are not shared with that thread. */
let config: OpenVerbsConfig = { machine, provider: `xen:${mode}`, xen: { guests: 2 } };
const report = runConformance({
  ...subjectOf(mode, `xen:${mode}, guests in a thread of their own`, () => {
    const verbs = openVerbs(config);
    config = xenConfig(mode, { dom0: 'inline', device: 'inline' }, 2);
    return guestsOf(mode, verbs);
  }),
  interface: runner.interface,
  ...(only === undefined ? {} : { only }),
});
const failures = await runner.run();
const around = failures.filter(({ path }) => path.at(-1) === 'before' || path.at(-1) === 'after');
port.postMessage({ report, around: around.map(({ error }) => String(error)) } satisfies XenGuestReport);
port.close();
Atomics.store(done, 0, 1);
Atomics.notify(done, 0);
if (heldBack !== undefined) letGo(heldBack);
