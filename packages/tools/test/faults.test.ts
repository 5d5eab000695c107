import { expect } from 'chai';
import { devicesCommand } from '../src/devices/command.ts';
import { rcPingpongCommand } from '../src/pingpong/rc-pingpong.ts';
import { run } from './run.ts';

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

  const wrong: [line: string, message: string][] = [
    ['--drop 1.1', '1.1'],
    ['--drop x', 'a number from 0 to 1'],
    ['--reorder -1', 'a number from 0 to 1'],
    ['--delay 1e9', '10000000 at most'],
    ['--seed 0.5', 'an integer'],
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
