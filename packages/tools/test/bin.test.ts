/** Some programs start. All of them have a page of help in bin.exhaustive.ts, and those that xen.test.ts starts do more there. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { binary, itHasHelp, spawnTool, TIMEOUT_MS } from './bin.ts';

describe('the programs', () => {
  describe('start', function () {
    this.timeout(TIMEOUT_MS);
    let wrong: ReturnType<typeof spawnTool>;
    before(() => {
      wrong = spawnTool('ibv_devinfo', [], { OPENVERBS_EMULATED_PLACMENT: 'inline' });
      wrong.catch(() => undefined);
    });
    after(() => Promise.allSettled([wrong]));
    itHasHelp(['ibv_xsrq_pingpong', 'openverbs-xentop']);

    it('and say what is wrong with a configuration, with a hint and no stack', async () => {
      const { status, err } = await wrong;
      expect(status).to.equal(1);
      expect(err).to.match(/^ibv_devinfo: .*\nhint: .*\n$/);
    });
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
