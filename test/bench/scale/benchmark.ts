/** What one more object costs, to make and to end, where that many are already. */
import type { BenchCase, Benchmark } from '../benchmark.ts';
import { spread } from '../samples.ts';

/** Of each kind but memory regions, of which there are more. */
const OBJECTS = [100, 1_000, 10_000];
const MRS = [100, 1_000, 10_000, 100_000];
const US_PER_NS = 1e-3;

export const scale: Benchmark = {
  name: 'scale',
  title: 'the cost of creating and destroying one object among `count` live ones',
  cases({ quick }) {
    const cases = (part: string, counts: readonly number[]): BenchCase[] =>
      counts.map((count) => ({ fields: { count }, part }));
    if (quick) return cases('all', [100]);
    return [...cases('qp', OBJECTS), ...cases('mr', MRS), ...cases('others', OBJECTS)];
  },
  lines: ({ fields }, samples) =>
    Object.entries(samples).map(([metric, times]) => {
      return { name: scale.name, ...fields, metric, unit: 'us', ...spread(times, (ns) => ns * US_PER_NS) };
    }),
};
