/** A thread with a hostile guest of its own, which dies with all that it has. */
import { workerData } from 'node:worker_threads';
import { hostClock, wakeAll } from '@openverbs/machine';
import { attachDevice } from '../../src/toolstack.ts';
import { Attacker } from './attacks.ts';
import { GuestThreadWord, NUMBERS_PER_GUEST, runGuestThread } from './guest-threads.ts';
import type { GuestThreadData, Joined } from './guest-threads.ts';
import { HostileFrontend } from './hostile-frontend.ts';
import { Random } from './random.ts';

const PAGES = 64;
const MEMORY_BYTES = 64 * 2 ** 20;
const WAIT_NS_MAX = 20e9;
const LOOK_MS = 5;

const data = workerData as GuestThreadData;
const { mode, honest, seed, attacks, control } = data;

/** A front-end whose device domain is on another thread. */
function frontEnd({ machine, hypervisor, toolstack }: Joined): HostileFrontend {
  const domid = hypervisor.createDomain({ name: 'hostile', memoryBytes: MEMORY_BYTES });
  const share = { weight: 1, rateBytesPerS: 0, burstBytes: 0 };
  const path = attachDevice(toolstack.xenstore, { domid, index: 0, device: 'emulated0', mode, ...share });
  const domain = hypervisor.domain(domid);
  const settle = (done: () => boolean): void => {
    wakeAll(machine);
    domain.waitUntil(done, hostClock.nowNs() + WAIT_NS_MAX, () => 'the back-end to answer a hostile guest');
  };
  return new HostileFrontend({ settle }, { domid, domain, path });
}

/** Numbers of the honest guests, as soon as they have told them. */
function foreignNumbers(): number[] {
  while (Atomics.load(control, GuestThreadWord.TOLD) < honest) {
    if (Atomics.load(control, GuestThreadWord.STOP) !== 0) throw new Error('an honest guest has failed');
    Atomics.wait(control, GuestThreadWord.STOP, 0, LOOK_MS);
  }
  const { NUMBERS } = GuestThreadWord;
  return Array.from(control.subarray(NUMBERS, NUMBERS + honest * NUMBERS_PER_GUEST), (word) => word >>> 0);
}

runGuestThread(data, (joined) => {
  try {
    const front = frontEnd(joined);
    if (!front.connect()) throw new Error('the back-end does not connect');
    const foreign = foreignNumbers();
    const first = front.guest.domain.memory.allocPages(PAGES);
    const own = Array.from({ length: PAGES }, (_, n) => first + n);
    const frames = [...own, 0, 1, 2 ** 32 - 1, ...foreign];
    const attacker = new Attacker(front, new Random(seed), { foreign, frames, bypass: mode === 'bypass' });
    attacker.attackAll(attacks, () => {
      if (Atomics.load(control, GuestThreadWord.STOP) !== 0) throw new Error('another thread has failed');
    });
    return Object.fromEntries(attacker.done);
  } finally {
    if (Atomics.sub(control, GuestThreadWord.HOSTILE, 1) === 1) Atomics.store(control, GuestThreadWord.STOP, 1);
  }
});
