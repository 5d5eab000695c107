/**
 * Hostile guests of both modes on threads of their own, beside an honest guest of each mode on its own, and the device domain on this thread or
 * another. This thread is within one verb all the time.
 */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { Engine, reap } from '@openverbs/hca';
import { Device } from '@openverbs/verbs';
import type { Context } from '@openverbs/verbs';
import { expect } from 'chai';
import { Commands } from '../../src/protocol/commands.ts';
import { provider as xen } from '../../src/index.ts';
import type { XenDevice } from '../../src/xen-device.ts';
import { countsOf } from './counts.ts';
import { GuestThreadWord, holdBack, join, lower, NUMBERS_PER_GUEST } from './guest-threads.ts';
import type { GuestMode, GuestThreadData, GuestThreadReport, Joined } from './guest-threads.ts';

/** What is tried. */
export interface AttackedThreads {
  readonly dom0: 'inline' | 'thread';
  readonly device: 'inline' | 'thread';
  readonly seed: number;
  /** Attacks of each hostile guest, beside one at each field; or how many guests of each mode die. */
  readonly attacks: number;
  /** Program of the hostile threads, beside this module. */
  readonly program?: 'hostile-thread.js' | 'dying-thread.js';
}

const { HOSTILE, LEFT, NUMBERS } = GuestThreadWord;
const MODES: readonly GuestMode[] = ['basic', 'bypass'];
/** What the hostile guests may have; the honest ones need less. */
const QUOTAS = { contexts: 8, cqs: 64, qps: 64, srqs: 64, mrs: 256 };
/** Opens that may time out, each after ten seconds: the time for all attacks. */
const OPENS_MAX = 18;
const RECLAIM_MS_MAX = 60_000;
const LOOK_MS = 20;

export async function runAttackedThreads(init: AttackedThreads): Promise<void> {
  const { dom0, device, seed, attacks, program = 'hostile-thread.js' } = init;
  const config = { ...lower, config: lower.definition.parseConfig({ placement: device }) };
  const environment = { machine: undefined, clock: undefined, prng: undefined, lower: () => config };
  const instance = xen.open(environment, xen.parseConfig({ placement: dom0, quotas: QUOTAS, guests: 1 }));
  const joined = join(instance.machine);
  const ops = instance.devices[0] as XenDevice;
  const own = new Device(ops, 'xen', new EventDispatcher());
  const blocked = joined.hypervisor.domains().at(-1)!.domid;
  const control = new Int32Array(new SharedArrayBuffer(4 * (NUMBERS + MODES.length * NUMBERS_PER_GUEST)));
  const threads: GuestThread[] = [];
  const start = (module: string, mode: GuestMode, index: number): void => {
    const common = { machine: instance.machine, honest: MODES.length, attacks, control, blocked };
    threads.push(startThread(module, { ...common, mode, index, seed: seed + index }));
  };
  try {
    own.open().close();
    ops.close();
    takeTables(joined, program === 'dying-thread.js' ? attacks : 1);
    const before = counts(joined);
    holdBack(joined.toolstack, blocked);
    control[HOSTILE] = MODES.length;
    control[LEFT] = 2 * MODES.length;
    MODES.forEach((mode, index) => {
      start('honest-thread.js', mode, index);
      start(program, mode, index);
    });
    const context = openHeldBack(own);
    await Promise.all(threads.map(({ exit }) => exit));
    for (const thread of threads) expectGoodEnd(thread);
    context.close();
    ops.close();
    await untilReclaimed(joined, before);
  } finally {
    for (const { worker } of threads) await worker.terminate();
    joined.close();
    instance.close();
  }
}

interface GuestThread {
  readonly module: string;
  readonly worker: Worker;
  readonly exit: Promise<unknown>;
  readonly said: MessagePort;
}

function startThread(module: string, data: Omit<GuestThreadData, 'port'>): GuestThread {
  const { port1, port2 } = new MessageChannel();
  const workerData: GuestThreadData = { ...data, port: port2 };
  const worker = new Worker(new URL(module, import.meta.url), { workerData, transferList: [port2] });
  return { module, worker, exit: once(worker, 'exit'), said: port1 };
}

/** One verb, which the last of the threads lets go on; only when they take very long there are several. */
function openHeldBack(device: Device): Context {
  for (let opens = 1; ; opens++) {
    try {
      return device.open();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ETIMEDOUT' || opens === OPENS_MAX) throw error;
    }
  }
}

function expectGoodEnd({ module, said }: GuestThread): void {
  const { message } = (receiveMessageOnPort(said) ?? {}) as { readonly message?: GuestThreadReport };
  said.close();
  expect(message?.failure, module).to.equal('');
  const done = message?.done ?? {};
  expect(Object.values(done), module).to.not.be.empty;
  if (module !== 'hostile-thread.js') return;
  for (const name of Object.keys(Commands)) expect(done[name] ?? 0, name).to.be.above(0);
}

function counts(joined: Joined): Record<string, number> {
  const engine = Engine.of(joined.machine)!;
  reap(engine);
  return countsOf({ ...joined, engine });
}

/** A slot of the table of domains keeps its tables: whoever has it next finds them there. */
function takeTables({ hypervisor }: Joined, guestsPerThread: number): void {
  const init = { name: 'spare', memoryBytes: 4096 };
  const domids = Array.from({ length: MODES.length * (guestsPerThread + 1) + 1 }, () => hypervisor.createDomain(init));
  for (const domid of domids) hypervisor.destroyDomain(domid);
}

/** The device domain learns of a death a little later. */
async function untilReclaimed(joined: Joined, before: Readonly<Record<string, number>>): Promise<void> {
  const deadlineMs = performance.now() + RECLAIM_MS_MAX;
  for (let found = counts(joined); JSON.stringify(found) !== JSON.stringify(before); found = counts(joined)) {
    if (performance.now() > deadlineMs) expect(found).to.deep.equal(before);
    await setTimeout(LOOK_MS);
  }
}
