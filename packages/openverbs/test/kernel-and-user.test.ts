/** The same guest, or the same machine, has consumers of kernel level and of user level at once. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const PROGRAM = fileURLToPath(new URL('./programs/kernel-and-user.js', import.meta.url));

describe('consumers of kernel level and of user level', () => {
  for (const [provider, device] of [
    ['emulated', 'emulated0'],
    ['xen:basic', 'vib1.0'],
    ['xen:bypass', 'vib1.0'],
  ]) {
    it(`work at once on ${provider}`, () => {
      const inherited = Object.entries(process.env).filter(([name]) => !/^(OPENVERBS_|NODE_)/.test(name));
      const env = { ...Object.fromEntries(inherited), OPENVERBS_PROVIDER: provider };
      const options = { cwd: tmpdir(), encoding: 'utf8', env, timeout: 9000 } as const;
      const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM], options);
      expect([stderr, status]).to.deep.equal(['', 0]);
      const all = { rounds: 100, right: 100 };
      expect(JSON.parse(stdout)).to.deep.equal({ device, kernel: all, user: all });
    });
  }
});
