/** A hostile guest's thread: stores into what it is told to, over and over, until it is told to pause. Turns no event loop. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Engine } from '@openverbs/hca';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { Random } from './random.ts';
import { ScribblerState, ScribblerWord } from './scribbler-states.ts';

/** What the thread is started with. */
export interface ScribblerData {
  readonly machine: MachineHandle;
  readonly control: Int32Array;
  readonly seed: number;
}

/** Where it scribbles, and what. */
export interface ScribblerTask {
  /** Runs of words. */
  readonly areas: readonly { readonly word: number; readonly words: number }[];
  /** Words that are put one behind the other: as requests, or as work requests. `place` is where. */
  readonly templates: readonly { readonly places: readonly number[]; readonly words: readonly number[] }[];
  /** Words that mean something. */
  readonly values: readonly number[];
  /** Doorbells that it writes into its UAR page: kind and number. */
  readonly doorbells: { readonly uar: number; readonly kinds: number; readonly numbers: readonly number[] } | null;
}

/** Stores between two looks whether it is to pause. */
const STORES_PER_ROUND = 32;

const port = parentPort;
if (port === null) throw new Error('this module is the program of a worker');
const orders = port;
const { machine: handle, control, seed } = workerData as ScribblerData;
const machine = Machine.attach(handle);
const { uars } = Engine.of(machine)!;
const { i32 } = machine;
const random = new Random(seed);

function takeTask(before: ScribblerTask | undefined): ScribblerTask {
  let task = before;
  for (let said = receiveMessageOnPort(orders); said !== undefined; said = receiveMessageOnPort(orders)) {
    task = (said as { readonly message: ScribblerTask }).message;
  }
  if (task === undefined) throw new Error('there is nothing to scribble on');
  return task;
}

function scribble({ areas, templates, values, doorbells }: ScribblerTask): void {
  const what = random.below(8);
  if (what < 3 && templates.length > 0) {
    const { places, words } = random.pick(templates);
    const place = random.pick(places);
    for (let n = 0; n < words.length; n++) i32[place + n] = words[n];
  } else if (what === 3 && doorbells !== null) {
    uars.write(doorbells.uar, random.below(doorbells.kinds), random.pick(doorbells.numbers));
  } else {
    const { word, words } = random.pick(areas);
    const at = word + random.below(words);
    i32[at] = what === 4 ? random.next() : what === 5 ? i32[at] ^ (1 << random.below(32)) : random.pick(values);
  }
}

let task: ScribblerTask | undefined;
for (;;) {
  const state = Atomics.load(control, ScribblerWord.STATE);
  if (state === ScribblerState.ENDING) break;
  if (state === ScribblerState.SCRIBBLING) {
    task ??= takeTask(task);
    for (let stores = 0; stores < STORES_PER_ROUND; stores++) scribble(task);
    Atomics.add(control, ScribblerWord.ROUNDS, 1);
    continue;
  }
  task = undefined;
  Atomics.compareExchange(control, ScribblerWord.STATE, ScribblerState.PAUSING, ScribblerState.PAUSED);
  Atomics.notify(control, ScribblerWord.STATE);
  Atomics.wait(control, ScribblerWord.STATE, ScribblerState.PAUSED);
}
machine.detach();
port.close();
