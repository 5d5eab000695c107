/** How much of the goodput a bad network leaves, under the virtual clock: the figures are the same on every machine. */
import type { Benchmark } from '../benchmark.ts';
import { spread } from '../samples.ts';

/** Frames that are lost, in percent. */
export const LOSSES = [0, 0.1, 0.5, 1, 2, 5, 10];
const QUICK_LOSSES = [1];

export const loss: Benchmark = {
  name: 'loss',
  title:
    '16 messages of 64 KiB in flight, MTU 4096, 5 us each way, timeout 4.096 us * 2^2 = 16 us; of frames lost, in percent',
  // One process: time is virtual, and the samples differ by their seeds alone.
  cases: ({ quick }) => (quick ? QUICK_LOSSES : LOSSES).map((percent) => ({ fields: { loss: percent }, starts: 1 })),
  lines: ({ fields }, samples) => [
    { name: loss.name, ...fields, metric: 'goodput', unit: 'GB/s', ...spread(samples['goodput']) },
    { name: loss.name, ...fields, metric: 'share', unit: 'x', ...spread(samples['share']) },
    { name: loss.name, ...fields, metric: 'sent-again', unit: 'x', ...spread(samples['sent-again']) },
  ],
};
