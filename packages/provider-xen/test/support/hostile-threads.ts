/** What threads of hostile guests have in common. */
import { hostClock, wakeAll } from '@openverbs/machine';
import { attachDevice } from '../../src/toolstack.ts';
import { GuestThreadWord, NUMBERS_PER_GUEST, runGuestThread } from './guest-threads.ts';
import type { GuestMode, GuestThreadData, Joined } from './guest-threads.ts';
import { HostileFrontend } from './hostile-frontend.ts';

const MEMORY_BYTES = 64 * 2 ** 20;
const WAIT_NS_MAX = 20e9;
const LOOK_MS = 5;

/** A front-end of a new guest that is connected with a device domain of another thread. */
export function frontEndOf({ machine, hypervisor, toolstack }: Joined, mode: GuestMode): HostileFrontend {
  const domid = hypervisor.createDomain({ name: 'hostile', memoryBytes: MEMORY_BYTES });
  const share = { weight: 1, rateBytesPerS: 0, burstBytes: 0 };
  const path = attachDevice(toolstack.xenstore, { domid, index: 0, device: 'emulated0', mode, ...share });
  const domain = hypervisor.domain(domid);
  const settle = (done: () => boolean): void => {
    wakeAll(machine);
    domain.waitUntil(done, hostClock.nowNs() + WAIT_NS_MAX, () => 'the back-end to answer a hostile guest');
  };
  const front = new HostileFrontend({ settle }, { domid, domain, path });
  if (!front.connect()) throw new Error('the back-end does not connect');
  return front;
}

/** Whether another thread has failed, or all hostile ones are done. */
export function failedElsewhere({ control }: GuestThreadData): boolean {
  return Atomics.load(control, GuestThreadWord.STOP) !== 0;
}

/** Numbers of the honest guests, as soon as they have told them. */
export function foreignNumbers(data: GuestThreadData): number[] {
  const { control, honest } = data;
  while (Atomics.load(control, GuestThreadWord.TOLD) < honest) {
    if (failedElsewhere(data)) throw new Error('an honest guest has failed');
    Atomics.wait(control, GuestThreadWord.STOP, 0, LOOK_MS);
  }
  const { NUMBERS } = GuestThreadWord;
  return Array.from(control.subarray(NUMBERS, NUMBERS + honest * NUMBERS_PER_GUEST), (word) => word >>> 0);
}

/** Runs the program of a hostile thread. When the last one is done the honest guests end. */
export function runHostileThread(data: GuestThreadData, program: Parameters<typeof runGuestThread>[1]): void {
  const { HOSTILE, STOP } = GuestThreadWord;
  runGuestThread(data, (joined) => {
    try {
      return program(joined);
    } finally {
      if (Atomics.sub(data.control, HOSTILE, 1) === 1) Atomics.store(data.control, STOP, 1);
    }
  });
}
