/** The benchmarks run, and say what they are said to say. What figures they come to is nobody's business here. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { counts } from './registration/measure.ts';
import { pairwise, pool, spread } from './samples.ts';
import { interval } from './split-driver/interval.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
/** Several processes, each of which loads everything, on a machine that may have other things to do. */
const TIMEOUT_MS = 120_000;

/** For each benchmark: the fields that tell its cases apart, and each metric with its unit. */
const EXPECTED = {
  'post-poll': {
    fields: ['size', 'providers'],
    metrics: {
      'post-send': 'ops/s',
      extended: 'ops/s',
      floor: 'ops/s',
      'ratio-post-send': 'x',
      'ratio-extended': 'x',
      allocated: 'B/op',
      'allocated-control': 'B/op',
    },
  },
  bandwidth: { fields: ['size'], metrics: { write: 'GB/s', read: 'GB/s', send: 'GB/s', 'memory-copy': 'GB/s' } },
  registration: {
    fields: ['pages'],
    metrics: {
      native: 'us',
      bypass: 'us',
      'native-cached': 'us',
      'bypass-cached': 'us',
      'pages-verified': 'per registration',
    },
  },
  loss: { fields: ['loss'], metrics: { goodput: 'GB/s', share: 'x', 'sent-again': 'x' } },
  scale: {
    fields: ['count'],
    metrics: { 'qp-create': 'us', 'qp-destroy': 'us', 'mr-create': 'us', 'mr-destroy': 'us' },
  },
  'write-pingpong': { fields: ['size'], metrics: { 'one-way': 'us', floor: 'us', ratio: 'x' } },
  'split-driver': {
    fields: [],
    metrics: {
      'round-trip': 'us',
      bandwidth: 'GB/s',
      'bypass-over-native': 'x',
      'ring-requests': 'per round trip',
      events: 'per round trip',
      'device-wakes': 'per round trip',
      trips: 'per completion',
    },
  },
} as const;

/** What a process printed. */
interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** The others have threads that wait for each other, and need the processors for themselves. */
const ON_ONE_THREAD = ['post-poll', 'bandwidth', 'registration', 'loss', 'scale'];

describe('the benchmarks', function () {
  this.timeout(TIMEOUT_MS);

  const start = (name: string): Promise<Output> => run(process.execPath, [MAIN, '--quick', '--json', '--only', name]);
  const begun = new Map<string, Promise<Output>>();

  // Those of one thread at once: each has processes to start, one after the other. The test that waits for one says how it failed.
  before(() => {
    for (const name of ON_ONE_THREAD) begun.set(name, start(name));
    for (const each of begun.values()) each.catch(() => undefined);
  });
  after(() => Promise.allSettled(begun.values()));

  for (const [name, { fields, metrics }] of Object.entries(EXPECTED)) {
    it(`${name} prints one JSON object a line, and nothing else`, async () => {
      const { stdout, stderr } = await (begun.get(name) ?? start(name));
      expect(stderr).to.equal('');
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      const units: unknown = Object.fromEntries(lines.map(({ metric, unit }) => [metric, unit]));
      expect(units).to.deep.equal(metrics);
      for (const line of lines) {
        expect(line['name']).to.equal(name);
        for (const field of [...fields, 'samples']) expect(line[field], field).to.be.a('number').above(0);
        for (const field of ['value', 'q1', 'q3']) expect(line[field], field).to.be.a('number').at.least(0);
        expect(line['q1']).to.be.at.most(line['q3'] as number);
      }
    });
  }

  it('print tables that name what was measured', async () => {
    const { stdout } = await run(process.execPath, [MAIN, '--quick', '--only', 'scale']);
    expect(stdout)
      .to.match(/^Node /)
      .and.include('quartiles')
      .and.include('mr-create');
  });

  it('refuse a name that is none', async () => {
    const failure: unknown = await run(process.execPath, [MAIN, '--only', 'speed']).catch((error: unknown) => error);
    expect(failure).to.have.property('code', 1);
    expect(failure).to.have.property('stderr').that.includes('write-pingpong');
  });
});

describe('the figures of the benchmarks', () => {
  it('are the median and the quartiles, between samples where there is none', () => {
    expect(spread([4, 1, 3, 2])).to.deep.equal({ value: 2.5, q1: 1.75, q3: 3.25, samples: 4 });
    expect(spread([2, 4], (ns) => 1 / ns)).to.deep.equal({ value: 0.375, q1: 0.3125, q3: 0.4375, samples: 2 });
  });

  it('compare each sample with the one that was taken beside it', () => {
    expect(pairwise([3, 8], [2, 4])).to.deep.equal([1.5, 2]);
  });

  it('of ratios are their geometric mean and an interval around it, which is no narrower for fewer ratios', () => {
    expect(interval([2, 2, 2])).to.deep.equal({ mean: 2, low: 2, high: 2 });
    expect(interval([0.5, 2]).mean).to.equal(1);
    const [few, many] = [interval([0.9, 1.1]), interval(Array.from({ length: 40 }, (_, n) => (n % 2 ? 0.9 : 1.1)))];
    expect(few.low).to.be.below(many.low);
    expect(many.low).to.be.above(0.9).and.below(many.mean);
    expect(many.high).to.be.above(many.mean).and.below(1.1);
  });

  it('of a registration in a guest count each of its pages once, and none where the cache has it', () => {
    for (const pages of [1, 7, 300]) {
      const each = new Array<number>(4).fill(pages);
      expect(counts(pages)).to.deep.equal({ bypass: each, 'bypass-cached': [0, 0, 0, 0] });
    }
  });

  it('come from all process starts', () => {
    expect(pool([{ a: [1], b: [2] }, { a: [3] }])).to.deep.equal({ a: [1, 3], b: [2] });
  });
});
