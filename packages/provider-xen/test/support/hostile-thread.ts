/** A thread with a hostile guest of its own, which dies with all that it has. */
import { workerData } from 'node:worker_threads';
import { Attacker } from './attacks.ts';
import type { GuestThreadData } from './guest-threads.ts';
import { failedElsewhere, foreignNumbers, frontEndOf, runHostileThread } from './hostile-threads.ts';
import { Random } from './random.ts';

const PAGES = 64;

const data = workerData as GuestThreadData;
const { mode, seed, attacks } = data;

runHostileThread(data, (joined) => {
  const front = frontEndOf(joined, mode);
  const foreign = foreignNumbers(data);
  const first = front.guest.domain.memory.allocPages(PAGES);
  const own = Array.from({ length: PAGES }, (_, n) => first + n);
  const frames = [...own, 0, 1, 2 ** 32 - 1, ...foreign];
  const attacker = new Attacker(front, new Random(seed), { foreign, frames, bypass: mode === 'bypass' });
  attacker.attackAll(attacks, () => {
    if (failedElsewhere(data)) throw new Error('another thread has failed');
  });
  return Object.fromEntries(attacker.done);
});
