/** A thread with several guests, each of which is within a command, at one point or another, when the thread ends with all of them. */
import { workerData } from 'node:worker_threads';
import { messageOf } from './deaths.ts';
import type { GuestThreadData } from './guest-threads.ts';
import { foreignNumbers, frontEndOf, runHostileThread } from './hostile-threads.ts';
import type { HostileFrontend, Message } from './hostile-frontend.ts';
import { REQUESTS_OF_STAGE, setStage } from './stage.ts';

const data = workerData as GuestThreadData;
const { mode, seed, attacks: guests } = data;

/** How far a command gets, as far as its guest has it in hand. */
const POINTS: readonly ((front: HostileFrontend, message: Message) => void)[] = [
  (front, message) => {
    front.place(message);
  },
  (front, message) => {
    front.put(message);
  },
  (front, message) => {
    front.send(message);
  },
];

runHostileThread(data, (joined) => {
  foreignNumbers(data); // the honest guests are at work from here on
  const done: Record<string, number> = {};
  const last = Array.from({ length: guests }, (_, n) => {
    const front = frontEndOf(joined, mode);
    const { requests } = setStage(front);
    const [name, request] = requests[(seed + n * POINTS.length) % REQUESTS_OF_STAGE];
    done[name] = (done[name] ?? 0) + 1;
    return () => {
      POINTS[n % POINTS.length](front, messageOf(name, request));
    };
  });
  for (const step of last) step();
  return done;
});
