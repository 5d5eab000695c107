/** How many bytes a second move, beside the copy that DMA is made of. */
import type { Benchmark, ResultLine } from '../benchmark.ts';
import { pairwise, spread } from '../samples.ts';

const KIB = 1024;
const SIZES = [4 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB];
const OPERATIONS = ['write', 'read', 'send'];
const COPY = 'memory-copy';

export const bandwidth: Benchmark = {
  name: 'bandwidth',
  title: 'one thread, one message at a time, the same two buffers; share is of the rate of memory-copy',
  cases: ({ quick }) => (quick ? [SIZES[0]] : SIZES).map((size) => ({ fields: { size } })),
  lines({ fields }, samples) {
    const rate = (metric: string): ResultLine => ({
      name: bandwidth.name,
      ...fields,
      metric,
      unit: 'GB/s',
      ...spread(samples[metric], (ns) => fields['size'] / ns),
    });
    const control = spread(samples['control']);
    const beside = (metric: string): ResultLine => ({
      ...rate(metric),
      share: spread(pairwise(samples[COPY], samples[metric])).value,
      control: control.value,
      controlQ1: control.q1,
      controlQ3: control.q3,
    });
    return [...OPERATIONS.map(beside), rate(COPY)];
  },
};
