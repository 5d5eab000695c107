/**
 * Guests in a thread of their own, and the device domain and the device wherever they are placed. The main thread, which has started
 * them, gets no turn of its event loop meanwhile, unless a test is about that.
 */
import { once } from 'node:events';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { openVerbs } from 'openverbs';
import type { Context } from 'openverbs';
import { holdBack, openHeldBack } from './held-back.ts';
import { testsOf } from './tests-of.ts';
import { subjectOf, xenConfig } from './xen.ts';
import type { XenMode, XenPlacements } from './xen.ts';
import type { XenGuestReport, XenGuestWorkerData } from './xen-guest-worker.ts';

/** What the main thread does while the guests run: it is within one verb all the time, or calls one after the other, or is in its event loop. */
export type MainThread = 'in one verb' | 'in verbs' | 'in its event loop';

/** A mix. */
export interface XenMix extends XenPlacements {
  readonly mode: XenMode;
  readonly main: MainThread;
}

/** Far more than a run of all suites takes. */
const RUN_MS_MAX = 540_000;
/** Between two verbs, so that the main thread does not take a processor from the others where they don't need it. */
const PAUSE_MS = 20;

export function nameOf({ mode, dom0, device, main }: XenMix): string {
  return `xen:${mode}, guests in a thread, device domain ${dom0}, device ${device}, the main thread ${main}`;
}

/** Runs the suite in guests of another thread. */
export async function runInThread(mix: XenMix, only?: readonly string[]): Promise<XenGuestReport> {
  using verbs = openVerbs(xenConfig(mix.mode, mix, 2));
  using context = verbs.device().open();
  const blocking = verbs.devices.at(-1)!;
  const heldBack = mix.main === 'in one verb' ? holdBack(verbs, blocking) : undefined;
  const done = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const data: XenGuestWorkerData = { machine: verbs.machine, mode: mix.mode, only, done, heldBack, port: port2 };
  const worker = new Worker(new URL('xen-guest-worker.js', import.meta.url), {
    workerData: data,
    transferList: [port2],
  });
  const exit = once(worker, 'exit');
  if (mix.main === 'in one verb') openHeldBack(blocking);
  if (mix.main === 'in verbs') stayInVerbs(context, done, mix.dom0 === 'inline' ? 0 : PAUSE_MS);
  await exit;
  const said = receiveMessageOnPort(port1) as { readonly message: XenGuestReport } | undefined;
  port1.close();
  if (said === undefined) throw new Error('the thread of the guests ended without a word');
  return said.message;
}

/** A run in which nothing failed, and each test passed but those which are named as deviations. */
export async function expectConformance(mix: XenMix, only?: readonly string[]): Promise<void> {
  const { report, around } = await runInThread(mix, only);
  expect(around, 'around the tests').to.deep.equal([]);
  expect(report.failed).to.deep.equal([]);
  const names = testsOf({ ...subjectOf(mix.mode, '', neverOpened), ...(only === undefined ? {} : { only }) });
  expect(report.passed).to.have.members(names.filter((name) => !name.includes('(deviates: ')));
}

function neverOpened(): never {
  throw new Error('only the names of tests are wanted');
}

/** Calls a verb again and again, until the guests' thread is done: each is a command, which the device domain answers. */
function stayInVerbs(context: Context, done: Int32Array, pauseMs: number): void {
  const deadlineMs = performance.now() + RUN_MS_MAX;
  while (Atomics.load(done, 0) === 0) {
    context.queryPort(1);
    if (pauseMs > 0) Atomics.wait(done, 0, 0, pauseMs);
    if (performance.now() > deadlineMs) throw new Error(`the guests are not done after ${RUN_MS_MAX} ms`);
  }
}
