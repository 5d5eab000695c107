/** The cost of verbs themselves: one thread posts an 8-byte write and polls its completion, again and again. */
import type { BenchCase, Benchmark, ResultLine } from '../benchmark.ts';
import { pairwise, spread } from '../samples.ts';
import { ALLOCATION_EXEC_ARGV } from './allocation.ts';

const SIZE = 8;
const PROVIDERS = [1, 3, 5];
const NS_PER_S = 1e9;

export const postPoll: Benchmark = {
  name: 'post-poll',
  title: 'one thread, 8-byte RDMA WRITE: post, execute, poll; with that many providers in use in the process',
  cases: ({ quick }) =>
    (quick ? [3] : PROVIDERS).flatMap((providers): BenchCase[] => [
      { fields: { size: SIZE, providers }, part: 'rate' },
      { fields: { size: SIZE, providers }, part: 'allocation', execArgv: ALLOCATION_EXEC_ARGV, starts: 1 },
    ]),
  lines({ fields, part }, samples) {
    const { name } = postPoll;
    if (part === 'allocation') {
      return Object.entries(samples).map(([metric, bytes]) => ({
        name,
        ...fields,
        metric,
        unit: 'B/op',
        ...spread(bytes),
      }));
    }
    const rate = (metric: string): ResultLine => {
      return { name, ...fields, metric, unit: 'ops/s', ...spread(samples[metric], (ns) => NS_PER_S / ns) };
    };
    const control = spread(samples['control']);
    const ratio = (metric: string): ResultLine => ({
      name,
      ...fields,
      metric: `ratio-${metric}`,
      unit: 'x',
      ...spread(pairwise(samples[metric], samples['floor'])),
      control: control.value,
      controlQ1: control.q1,
      controlQ3: control.q3,
    });
    return [rate('post-send'), rate('extended'), rate('floor'), ratio('post-send'), ratio('extended')];
  },
};
