/** The split driver: one program in a guest, in the device domain, and without either, by turns in one process. */
import type { Benchmark, BenchCase, ResultLine } from '../benchmark.ts';
import { spread } from '../samples.ts';
import type { Samples } from '../samples.ts';
import { interval } from './interval.ts';

const KIB = 1024;
const SIZES = [8, KIB, 4 * KIB, 64 * KIB, 1024 * KIB];
const BURSTS = [1, 4, 16, 64];
/** Where the program runs. */
export const PATHS = ['native', 'idd', 'bypass', 'basic'] as const;
export type Path = (typeof PATHS)[number];
/** The sample of which each process has one, so that there are as many as processes. */
export const STARTS = 'starts';
/** Counts an operation: there is nothing to measure twice. */
export const COUNTS = ['ring-requests', 'events', 'device-wakes'] as const;

export const splitDriver: Benchmark = {
  name: 'split-driver',
  title: 'native, idd (in the device domain), and in a guest: bypass and basic; trips of the CQE buffer',
  cases: ({ quick }) => [
    ...(quick ? [SIZES[0]] : SIZES).flatMap((size): BenchCase[] => [
      { fields: { size }, part: 'speed' },
      { fields: { size }, part: 'counts', starts: 1 },
    ]),
    ...(quick ? [BURSTS[1]] : BURSTS).map((burst) => ({ fields: { burst }, part: 'buffering', starts: 1 })),
  ],
  lines(bench, samples) {
    if (bench.part === 'speed') return speedLines(bench, samples);
    if (bench.part === 'counts') return countLines(bench, samples);
    return ['on', 'off'].map((buffer) => line(bench, 'trips', 'per completion', samples[buffer], { buffer }));
  },
};

function speedLines(bench: BenchCase, samples: Samples): ResultLine[] {
  const { size } = bench.fields;
  return [
    ...PATHS.map((path) => line(bench, 'round-trip', 'us', samples[`round-trip ${path}`], { path }, (ns) => ns / 1000)),
    ...PATHS.map((path) => line(bench, 'bandwidth', 'GB/s', samples[`bandwidth ${path}`], { path }, (ns) => size / ns)),
    ratioLine(bench, samples),
  ];
}

/** The round trip of bypass by that of native beside it, and the same of native and native. */
function ratioLine(bench: BenchCase, samples: Samples): ResultLine {
  const { length: starts } = samples[STARTS];
  const ratio = interval(samples['bypass-over-native'], starts);
  const same = interval(samples['native-over-native'], starts);
  return {
    ...line(bench, 'bypass-over-native', 'x', samples['bypass-over-native']),
    value: ratio.mean,
    low: ratio.low,
    high: ratio.high,
    'aa-low': same.low,
    'aa-high': same.high,
  };
}

function countLines(bench: BenchCase, samples: Samples): ResultLine[] {
  return COUNTS.flatMap((metric) =>
    PATHS.map((path) => line(bench, metric, 'per round trip', samples[`${metric} ${path}`], { path })),
  );
}

function line(
  { fields }: BenchCase,
  metric: string,
  unit: string,
  samples: readonly number[],
  more: Readonly<Record<string, string>> = {},
  convert?: (sample: number) => number,
): ResultLine {
  return { name: splitDriver.name, ...fields, ...more, metric, unit, ...spread(samples, convert) };
}
