import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const binary = (name: string): string => fileURLToPath(new URL(`../../bin/${name}.js`, import.meta.url));

async function spawnTool(name: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [binary(name), ...args], { env: { ...process.env, ...env } });
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { status: (exit as [number])[0], out, err };
}

const NAMES = [
  'ibv_devices',
  'ibv_devinfo',
  'ibv_rc_pingpong',
  'ibv_srq_pingpong',
  'ibv_uc_pingpong',
  'ibv_ud_pingpong',
  'ibv_xsrq_pingpong',
  'openverbs',
  'openverbs-xentop',
];

describe('the programs', () => {
  describe('start', function () {
    // As many programs at once, on a machine that may have other things to do.
    this.timeout(60_000);
    let pages: ReturnType<typeof spawnTool>[] = [];
    let wrong: ReturnType<typeof spawnTool>;
    // At once: they do nothing but start. The test that waits for one says how it failed.
    before(() => {
      pages = NAMES.map((name) => spawnTool(name, ['--help']));
      for (const page of pages) page.catch(() => undefined);
    });
    before(() => {
      wrong = spawnTool('ibv_devinfo', [], { OPENVERBS_EMULATED_PLACMENT: 'inline' });
      wrong.catch(() => undefined);
    });
    after(() => Promise.allSettled([...pages, wrong]));

    NAMES.forEach((name, index) => {
      it(`and have a page of help: ${name}`, async () => {
        const { status, out, err } = await pages[index];
        expect([status, err]).to.deep.equal([0, '']);
        expect(out).to.match(new RegExp(`^Usage: ${name} `));
      });
    });

    it('and say what is wrong with a configuration, with a hint and no stack', async () => {
      const { status, err } = await wrong;
      expect(status).to.equal(1);
      expect(err).to.match(/^ibv_devinfo: .*\nhint: .*\n$/);
    });
  });

  it('ibv_rc_pingpong runs on two threads', async () => {
    const { status, out, err } = await spawnTool('ibv_rc_pingpong', ['--self', '--threads', '2', '-c']);
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/1000 iters in/);
  });

  it('output that cannot be written is an error in one line', function () {
    if (!existsSync('/dev/full')) this.skip();
    const full = openSync('/dev/full', 'w');
    try {
      const stdio = ['ignore', full, 'pipe'] as const;
      const { status, stderr } = spawnSync(process.execPath, [binary('ibv_devices')], {
        stdio: [...stdio],
        encoding: 'utf8',
      });
      expect(status).to.equal(1);
      expect(stderr).to.match(/^cannot write the output: .*ENOSPC.*\n$/);
    } finally {
      closeSync(full);
    }
  });

  it('a reader that closes the pipe ends the tool quietly', async () => {
    const child = spawn(process.execPath, [binary('ibv_devinfo'), '-v']);
    child.stdout.destroy();
    const [err, exit] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect([exit, err]).to.deep.equal([[0, null], '']);
  });
});
