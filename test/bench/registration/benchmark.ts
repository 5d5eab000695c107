/** What registering memory costs: on the native path and in a guest, where each page is checked and pinned; with and without the cache. */
import type { Benchmark, BenchCase } from '../benchmark.ts';
import { spread } from '../samples.ts';

const PAGES = [1, 16, 256, 4096, 65536];
const QUICK_PAGES = [16];
const US_PER_NS = 1e-3;

export const registration: Benchmark = {
  name: 'registration',
  title: 'regMr and dereg of a buffer of so many pages; the cache, where there is one, has it registered already',
  cases: ({ quick }) =>
    (quick ? QUICK_PAGES : PAGES).flatMap((pages): BenchCase[] => [
      { fields: { pages } },
      // A count is the same whenever it is taken.
      { fields: { pages }, part: 'counts', starts: 1 },
    ]),
  lines: ({ fields, part }, samples) =>
    Object.entries(samples).map(([path, values]) => {
      if (part === 'counts') {
        const metric = 'pages-verified';
        return { name: registration.name, ...fields, path, metric, unit: 'per registration', ...spread(values) };
      }
      return {
        name: registration.name,
        ...fields,
        metric: path,
        unit: 'us',
        ...spread(values, (ns) => ns * US_PER_NS),
      };
    }),
};
