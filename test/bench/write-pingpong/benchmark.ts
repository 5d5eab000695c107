/** RDMA WRITE from thread to thread and back. */
import type { Benchmark } from '../benchmark.ts';
import { pairwise, spread } from '../samples.ts';

const KIB = 1024;
const SIZES = [8, 64, 4 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB];
const US_PER_NS = 1e-3;

export const writePingpong: Benchmark = {
  name: 'write-pingpong',
  title: 'two threads, RDMA WRITE with signalled completion; one-way is half a round trip',
  cases: ({ quick }) => (quick ? [SIZES[0], SIZES.at(-1)!] : SIZES).map((size) => ({ fields: { size } })),
  lines({ fields }, samples) {
    const { name } = writePingpong;
    const control = spread(samples['control']);
    return [
      { name, ...fields, metric: 'one-way', unit: 'us', ...spread(samples['one-way'], (ns) => ns * US_PER_NS) },
      { name, ...fields, metric: 'floor', unit: 'us', ...spread(samples['floor'], (ns) => ns * US_PER_NS) },
      {
        name,
        ...fields,
        metric: 'ratio',
        unit: 'x',
        ...spread(pairwise(samples['one-way'], samples['floor'])),
        control: control.value,
        controlQ1: control.q1,
        controlQ3: control.q3,
      },
    ];
  },
};
