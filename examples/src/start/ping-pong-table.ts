/** The part of `npm start` that times messages of several sizes. */
import type { Device } from 'openverbs';
import { pingPong } from '../rc-pingpong/ping-pong.ts';
import { formatRate } from '../text.ts';
import { formatTable } from './plain-table.ts';

/** Sizes in bytes, and numbers of round trips that take a moment. */
const PLANS = [
  { size: 8, iters: 20_000 },
  { size: 4096, iters: 20_000 },
  { size: 65_536, iters: 5_000 },
  { size: 1_048_576, iters: 500 },
];

/** The first runs find their code in the interpreter, then compiled for what it has seen so far; their times say little. */
const WARM_UP = { size: 8, iters: 20_000 };
const WARM_UP_RUNS = 3;

/** Times the ping-pong for each size; both ends are on this thread. */
export function timePingPongs(device: Device): string {
  for (let run = 0; run < WARM_UP_RUNS; run++) pingPong(device, WARM_UP);
  const rows = [['message', 'round trips', 'time of one', 'data, both ways']];
  for (const plan of PLANS) {
    const { seconds } = pingPong(device, plan);
    rows.push([
      `${plan.size} B`,
      String(plan.iters),
      `${((seconds * 1e6) / plan.iters).toFixed(2)} us`,
      formatRate(2 * plan.size * plan.iters, seconds),
    ]);
  }
  return formatTable(rows, ['right', 'right', 'right', 'right']);
}
