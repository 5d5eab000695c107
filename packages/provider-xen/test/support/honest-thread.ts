/** A thread with an honest guest of its own, which looks at every byte until it is told to stop. */
import { workerData } from 'node:worker_threads';
import { EventDispatcher } from '@openverbs/event-dispatcher';
import { Device } from '@openverbs/verbs';
import { provider as xen } from '../../src/index.ts';
import { GuestThreadWord, lower, NUMBERS_PER_GUEST, runGuestThread } from './guest-threads.ts';
import type { GuestThreadData } from './guest-threads.ts';
import { HonestGuest } from './honest-guest.ts';

const LOOK_MS = 20;
/** Between two pulses the processors are for the attacks. */
const PAUSE_MS = 2;
const PAGE_BYTES = 4096;

const data = workerData as GuestThreadData;
const { machine, mode, index, control } = data;

/** Tells what a hostile guest would like to know. */
function tell({ qps, cq, mrs, pd, context, buffers }: HonestGuest): void {
  const [{ handle, lkey, rkey }] = mrs;
  const frame = Number(context.mapDma(buffers[0]).pages[0]) / PAGE_BYTES;
  const numbers = [qps[0].qpNum, qps[1].qpNum, cq.handle, handle, lkey, rkey, pd.handle, frame];
  control.set(
    numbers.map((value) => value | 0),
    GuestThreadWord.NUMBERS + index * NUMBERS_PER_GUEST,
  );
  Atomics.add(control, GuestThreadWord.TOLD, 1);
}

runGuestThread(data, () => {
  const environment = { machine, clock: undefined, prng: undefined, lower: () => lower };
  const instance = xen.open(environment, xen.parseConfig({ mode, guests: [{ name: `honest${index}` }] }));
  const device = new Device(instance.devices[0], 'xen', new EventDispatcher());
  const settle = (): void => {
    Atomics.wait(control, GuestThreadWord.STOP, Atomics.load(control, GuestThreadWord.STOP), LOOK_MS);
  };
  const guest = new HonestGuest({ settle }, device);
  guest.pulse();
  tell(guest);
  let pulses = 0;
  do {
    guest.pulse();
    pulses++;
  } while (Atomics.wait(control, GuestThreadWord.STOP, 0, PAUSE_MS) === 'timed-out');
  guest.pulse();
  guest.context[Symbol.dispose]();
  instance.close();
  return { pulses };
});
