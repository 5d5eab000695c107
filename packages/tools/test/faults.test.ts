import { expect } from 'chai';
import { devicesCommand } from '../src/devices/command.ts';
import { rcPingpongCommand } from '../src/pingpong/rc-pingpong.ts';
import type { PortCounters } from '../src/cli/counters.ts';
import { run, type ToolRun } from './run.ts';

/** Of an exchange of SENDs: an answer that is lost costs a timeout, so there are few. */
const ITERS = 30;

const pingpong = (line: string) => run((io) => rcPingpongCommand('ibv_rc_pingpong', io), line);

describe('a bad network on the command line', () => {
  for (const threads of [1, 2]) {
    it(`is survived by a ping-pong on ${threads} threads`, async () => {
      const line = `--self --threads ${threads} -n 40 -c --drop 0.01 --duplicate 0.05 --reorder 0.05 --seed 7 --json`;
      const { status, out, err } = await pingpong(line);
      expect([status, err]).to.deep.equal([0, '']);
      expect(JSON.parse(out)).to.include({ drop: 0.01, seed: 7, iters: 40 });
    });
  }

  const effects: [line: string, names: string][] = [
    ['--drop 0.05 --seed 7', 'retransmitted_pkts'],
    ['--corrupt 0.05 --seed 7', 'rcvd_icrc_err retransmitted_pkts'],
    ['--duplicate 0.5', 'duplicate_request'],
    ['--provider xen:basic --duplicate 0.5', 'duplicate_request'],
    ['--provider xen:bypass --duplicate 0.5', 'duplicate_request'],
  ];
  for (const [line, names] of effects) {
    it(`${line} shows in ${names}`, async () => {
      const { status, out, err } = await pingpong(`--self -n ${ITERS} -c --counters --json ${line}`);
      expect([status, err]).to.deep.equal([0, '']);
      const { counters } = JSON.parse(out) as { counters: PortCounters[] };
      for (const name of names.split(' ')) expect(counters[0].counters[name], name).to.be.above(0);
    });
  }

  it('--reorder has messages of many packets come out of their order', async () => {
    const { status, out } = await pingpong('--self -n 5 -s 65536 --reorder 0.2 --counters --json');
    expect(status).to.equal(0);
    const { counters } = JSON.parse(out) as { counters: PortCounters[] };
    expect(counters[0].counters['out_of_seq_request']).to.be.above(0);
  });

  it('--delay is how long each packet is under way at least', async () => {
    const { status, out } = await pingpong('--self -n 5 --delay 2000 --json');
    expect(status).to.equal(0);
    expect((JSON.parse(out) as { usecPerIter: number }).usecPerIter).to.be.at.least(4000);
  });

  const wrong: [line: string, message: string][] = [
    ['--drop 1.1', '1.1'],
    ['--drop x', 'a number from 0 to 1'],
    ['--reorder -1', 'a number from 0 to 1'],
    ['--delay 1e9', '10000000 at most'],
    ['--seed 0.5', 'an integer'],
    ['--partition emulated0//emulated1', 'groups are separated by slashes'],
    ['--partition emulated0,emulated1', 'One group cuts nothing'],
    ['--corrupt 0.1 --provider ./other.js', '--corrupt is for emulated devices, not for provider ./other.js'],
  ];
  for (const [line, message] of wrong) {
    it(`${line} is refused`, async () => {
      const { status, err } = await run((io) => devicesCommand('ibv_devices', io), line);
      expect(status).to.equal(2);
      expect(err).to.contain(message);
    });
  }
});

describe('a network cut in two on the command line', () => {
  const DEVICES = 'OPENVERBS_EMULATED_DEVICES';
  let before: string | undefined;
  beforeEach(() => {
    before = process.env[DEVICES];
    process.env[DEVICES] = '3';
  });
  afterEach(() => {
    if (before === undefined) delete process.env[DEVICES];
    else process.env[DEVICES] = before;
  });

  /** Between the first device and the second. */
  const between = (line: string): Promise<ToolRun> => pingpong(`--self --peer-ib-dev emulated1 -n 5 ${line}`);

  it('lets nothing through between its groups', async () => {
    const { status, err } = await between('--partition emulated0/emulated1,emulated2');
    expect(status).to.equal(1);
    expect(err).to.contain('RETRY_EXC_ERR');
  });

  for (const threads of [1, 2]) {
    it(`leaves those of one group alone, on ${threads} threads`, async () => {
      const { status, err } = await between(`--threads ${threads} --partition emulated0,emulated1/emulated2`);
      expect([status, err]).to.deep.equal([0, '']);
    });
  }

  it('is refused when it names a device that is not there, or one twice', async () => {
    for (const groups of ['emulated0/emulated9', 'emulated0/emulated0']) {
      const { status, err } = await between(`--partition ${groups}`);
      expect(status).to.equal(1);
      expect(err).to.match(new RegExp(`: --partition ${groups}: 'emulated[09]' is no device, or named twice\n`));
      expect(err).to.contain('as in left/right,other; the devices are emulated0, emulated1, emulated2');
    }
  });
});
