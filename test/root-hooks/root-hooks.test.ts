import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

interface Report {
  stats: { passes: number; failures: number; pending: number };
  failures: { title: string; fullTitle: string; err: { message: string } }[];
}

/** Runs mocha on a fixture with this repository's configuration, as a process of its own. */
async function runMocha(fixture: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number; report: Report }> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const file = fileURLToPath(new URL(`fixtures/${fixture}.js`, import.meta.url));
  const mocha = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'));
  const child = spawn(process.execPath, [mocha, '--reporter', 'json', file], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, report: JSON.parse(output) as Report };
}

/** What is left behind there stays for a minute, so there is nothing to wait for. */
const IMPATIENT = { OPENVERBS_TEST_GRACE_MS_MAX: '20' };

describe('mocha root hooks', function () {
  // As many processes at once, on a machine that may have other things to do.
  this.timeout(60_000);
  let runs: Record<'leaky' | 'leakySuite' | 'tidy', ReturnType<typeof runMocha>>;

  before(() => {
    runs = {
      leaky: runMocha('leaky', IMPATIENT),
      leakySuite: runMocha('leaky-suite', IMPATIENT),
      tidy: runMocha('tidy'),
    };
    for (const run of Object.values(runs)) run.catch(() => undefined);
  });
  after(() => Promise.allSettled(Object.values(runs)));

  it('fail each test that leaves something behind', async () => {
    const { code, report } = await runs.leaky;
    const failures = Object.fromEntries(report.failures.map(({ title, err }) => [title, err.message]));

    expect(failures).to.deep.equal({
      timer: 'the test left behind: 1 Timeout',
      worker: 'the test left behind: 1 Worker',
      'unreferenced worker': 'the test left behind: 1 Worker',
      'message port': 'the test left behind: 1 MessagePort',
      server: 'the test left behind: 1 TCPServerWrap',
      socket: 'the test left behind: 1 UDPWrap, 1 UDP socket',
      'fails by itself': 'its own error; and the test left behind: 1 Timeout',
    });
    expect(report.stats).to.include({ passes: 1, failures: 7, pending: 1 });
    expect(code).to.equal(7);
  });

  it('let pass what leaves nothing behind, or ends it within the grace', async () => {
    const { code, report } = await runs.tidy;

    expect(report.failures).to.deep.equal([]);
    expect(report.stats).to.include({ passes: 5, failures: 0 });
    expect(code).to.equal(0);
  });

  it('fail the run when a suite leaves something behind', async () => {
    const { code, report } = await runs.leakySuite;

    expect(report.failures.map(({ err }) => err.message)).to.deep.equal(['a suite left behind: 1 Timeout']);
    expect(code).to.equal(1);
  });
});
