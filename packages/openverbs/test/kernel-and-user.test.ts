/** The same guest, or the same machine, has consumers of kernel level and of user level at once. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const PROGRAM = fileURLToPath(new URL('./programs/kernel-and-user.js', import.meta.url));

const PROVIDERS = [
  ['emulated', 'emulated0'],
  ['xen:basic', 'vib1.0'],
  ['xen:bypass', 'vib1.0'],
];

/** As many programs at once, on a machine that may have other things to do. */
const PROGRAM_MS_MAX = 30_000;

const execute = promisify(execFile);

/** What the program prints. Fails unless the exit code is 0. */
function run(provider: string): Promise<{ stdout: string; stderr: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OPENVERBS_|NODE_)/.test(name));
  const env = { ...Object.fromEntries(inherited), OPENVERBS_PROVIDER: provider };
  return execute(process.execPath, [PROGRAM], { cwd: tmpdir(), env, timeout: PROGRAM_MS_MAX });
}

describe('consumers of kernel level and of user level', function () {
  this.timeout(2 * PROGRAM_MS_MAX);
  let runs: ReturnType<typeof run>[] = [];
  // At once: they do little but start. The test that waits for one says how it failed.
  before(() => {
    runs = PROVIDERS.map(([provider]) => run(provider));
    for (const each of runs) each.catch(() => undefined);
  });
  after(() => Promise.allSettled(runs));

  PROVIDERS.forEach(([provider, device], index) => {
    it(`work at once on ${provider}`, async () => {
      const { stdout, stderr } = await runs[index];
      expect(stderr).to.equal('');
      const all = { rounds: 100, right: 100 };
      expect(JSON.parse(stdout)).to.deep.equal({ device, kernel: all, user: all });
    });
  });
});
