/**
 * The measuring process: measures one case and sends the samples to its parent.
 *
 * Run by hand it prints them: `node --cpu-prof test/dist/bench/measure.js '{"name":"post-poll","bench":{…},"options":{…}}'`.
 */
import type { Measure } from './benchmark.ts';
import type { MeasureRequest } from './start.ts';

/** Loaded one by one: the code of another benchmark would only make this one's less typical. */
const PROGRAMS: Readonly<Record<string, () => Promise<{ readonly measure: Measure }>>> = {
  'write-pingpong': () => import('./write-pingpong/measure.ts'),
  'post-poll': () => import('./post-poll/measure.ts'),
  bandwidth: () => import('./bandwidth/measure.ts'),
  loss: () => import('./loss/measure.ts'),
  registration: () => import('./registration/measure.ts'),
  'split-driver': () => import('./split-driver/measure.ts'),
  scale: () => import('./scale/measure.ts'),
};

const { name, bench, options } = JSON.parse(process.argv[2] ?? '{}') as MeasureRequest;
const { measure } = await PROGRAMS[name]();
const samples = await measure(bench, options);
if (process.send === undefined) process.stdout.write(`${JSON.stringify(samples)}\n`);
else {
  process.send(samples);
  process.disconnect();
}
