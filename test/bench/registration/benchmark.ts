/** What registering memory costs: on the native path and in a guest, where each page is checked and pinned; with and without the cache. */
import type { Benchmark } from '../benchmark.ts';
import { spread } from '../samples.ts';

const PAGES = [1, 16, 256, 4096, 65536];
const QUICK_PAGES = [16];
const US_PER_NS = 1e-3;

export const registration: Benchmark = {
  name: 'registration',
  title: 'regMr and dereg of a buffer of so many pages; the cache, where there is one, has it registered already',
  cases: ({ quick }) => (quick ? QUICK_PAGES : PAGES).map((pages) => ({ fields: { pages } })),
  lines: ({ fields }, samples) =>
    Object.entries(samples).map(([metric, times]) => {
      return { name: registration.name, ...fields, metric, unit: 'us', ...spread(times, (ns) => ns * US_PER_NS) };
    }),
};
