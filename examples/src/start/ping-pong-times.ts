/** The part of `npm start` that times messages of several sizes. */
import type { Device } from 'openverbs';
import { pingPong } from '../rc-pingpong/ping-pong.ts';

/** Sizes in bytes, and numbers of round trips that take a moment. */
export const PLANS = [
  { size: 8, iters: 1_000 },
  { size: 4096, iters: 1_000 },
  { size: 65_536, iters: 300 },
  { size: 1_048_576, iters: 50 },
] as const;

/** Microseconds of a round trip, the best of several runs, in the order of {@link PLANS}. */
export type PingPongTimes = readonly number[];

/** The first runs find their code in the interpreter, then compiled for what it has seen so far; their times say little. */
const WARM_UP = PLANS[0];
const WARM_UP_MS = 600;
/** The best of so many is told: whatever else the machine does only makes a run longer. */
const RUNS = 5;

/** Times the ping-pong for each size; both ends are on this thread. */
export function timePingPongs(device: Device): PingPongTimes {
  for (const start = performance.now(); performance.now() - start < WARM_UP_MS;) pingPong(device, WARM_UP);
  return PLANS.map((plan) => {
    const runs = Array.from({ length: RUNS }, () => pingPong(device, plan).seconds);
    return (Math.min(...runs) * 1e6) / plan.iters;
  });
}
