/** Every program starts. */
import { expect } from 'chai';
import { itHasHelp, spawnTool, TIMEOUT_MS } from './bin.ts';

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

describe('the programs', function () {
  this.timeout(TIMEOUT_MS);

  describe('start', () => {
    itHasHelp(NAMES);
  });

  it('ibv_rc_pingpong runs on two threads', async () => {
    const { status, out, err } = await spawnTool('ibv_rc_pingpong', ['--self', '--threads', '2', '-c']);
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/1000 iters in/);
  });
});
