/** What the benchmarks are said to print, and the runs that show that they do. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

export const run = promisify(execFile);
export const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
/** Several processes, each of which loads everything, on a machine that may have other things to do. */
export const TIMEOUT_MS = 120_000;

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
    metrics: {
      'qp-create': 'us',
      'qp-destroy': 'us',
      'mr-create': 'us',
      'mr-destroy': 'us',
      'cq-create': 'us',
      'cq-destroy': 'us',
      'srq-create': 'us',
      'srq-destroy': 'us',
      'pd-create': 'us',
      'pd-destroy': 'us',
      'ah-create': 'us',
      'ah-destroy': 'us',
      'buffer-create': 'us',
      'buffer-destroy': 'us',
    },
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
const ON_ONE_THREAD: readonly string[] = ['post-poll', 'bandwidth', 'registration', 'loss', 'scale'];

/** A quick run of each of these benchmarks, and what it prints. */
export function describeOutput(names: readonly (keyof typeof EXPECTED)[]): void {
  const start = (name: string): Promise<Output> => run(process.execPath, [MAIN, '--quick', '--json', '--only', name]);
  const begun = new Map<string, Promise<Output>>();

  // Those of one thread at once: each has processes to start, one after the other. The test that waits for one says how it failed.
  before(() => {
    for (const name of names) if (ON_ONE_THREAD.includes(name)) begun.set(name, start(name));
    for (const each of begun.values()) each.catch(() => undefined);
  });
  after(() => Promise.allSettled(begun.values()));

  for (const name of names) {
    const { fields, metrics } = EXPECTED[name];
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
}
