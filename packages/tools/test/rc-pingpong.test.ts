import { expect } from 'chai';
import { rcPingpongCommand } from '../src/rc-pingpong/command.ts';
import { formatAddresses, formatResult } from '../src/rc-pingpong/format.ts';
import { run } from './run.ts';

const pingpong = (line: string) => run((io) => rcPingpongCommand('ibv_rc_pingpong', io), line);

const ADDRESS = 'LID 0x[\\da-f]{4}, QPN 0x[\\da-f]{6}, PSN 0x[\\da-f]{6}, GID [\\da-f:.]+\\n';
const output = (bytes: number, iters: number) =>
  new RegExp(
    `^ {2}local address: {2}${ADDRESS} {2}remote address: ${ADDRESS}` +
      `${bytes} bytes in \\d+\\.\\d\\d seconds = \\d+\\.\\d\\d Mbit/sec\\n` +
      `${iters} iters in \\d+\\.\\d\\d seconds = \\d+\\.\\d\\d usec/iter\\n$`,
  );

describe('ibv_rc_pingpong', () => {
  it('prints addresses as the C tool does', () => {
    const gid = '0000:0000:0000:0000:0000:ffff:0a00:0001';
    const none = '0000:0000:0000:0000:0000:0000:0000:0000';
    expect(
      formatAddresses({ lid: 0, qpn: 0x11, psn: 0xabc, gid }, { lid: 5, qpn: 0x123456, psn: 0, gid: none }),
    ).to.equal(
      '  local address:  LID 0x0000, QPN 0x000011, PSN 0x000abc, GID ::ffff:10.0.0.1\n' +
        '  remote address: LID 0x0005, QPN 0x123456, PSN 0x000000, GID ::\n',
    );
  });

  it('prints results as the C tool does', () => {
    expect(formatResult({ bytes: 8_192_000, seconds: 0.0125, invalidPages: [] }, 1000)).to.equal(
      '8192000 bytes in 0.01 seconds = 5242.88 Mbit/sec\n1000 iters in 0.01 seconds = 12.50 usec/iter\n',
    );
    expect(formatResult({ bytes: 8, seconds: 1, invalidPages: [0, 3] }, 1)).to.match(
      /\ninvalid data in page 0\ninvalid data in page 3\n$/,
    );
  });

  const runs: [string, number, number][] = [
    ['', 4096, 1000],
    ['--chk', 4096, 1000],
    ['-s 1 -n 3000 -r 1', 1, 3000],
    ['-s 100000 -n 50 -m 256 -c', 100_000, 50],
    ['-s 0x40 -n 1', 64, 1],
    ['-e -c -n 200', 4096, 200],
    ['--threads 2 -c', 4096, 1000],
    ['--threads 2 -e -c -n 200 -d emulated0 -i 1 -g 0 -l 3', 4096, 200],
  ];
  for (const [options, size, iters] of runs) {
    it(`--self ${options}`, async () => {
      const { status, out, err } = await pingpong(`--self ${options}`);
      expect([status, err]).to.deep.equal([0, '']);
      expect(out).to.match(output(size * iters * 2, iters));
    });
  }

  it('--json', async () => {
    const { status, out } = await pingpong('--self --json -n 10 -s 64 -c');
    const result = JSON.parse(out) as Record<string, unknown>;
    expect(status).to.equal(0);
    expect(result).to.include({ device: 'emulated0', size: 64, iters: 10, threads: 1, bytes: 1280 });
    expect(result).to.have.keys(
      'check device events invalidPages iters local mbitPerSec mtu port remote rxDepth seconds size sl threads usecPerIter bytes'.split(
        ' ',
      ),
    );
  });

  for (const threads of [1, 2]) {
    it(`says what is wrong, on ${threads} thread(s), with status 1`, async () => {
      for (const [option, message] of [
        ['-d emulatd0', /emulatd0/],
        ['-i 7', /port/],
        ['-g 9999', /9999/],
        ['-r 2000000000', /./],
      ] as const) {
        const { status, out, err } = await pingpong(`--self --threads ${threads} ${option}`);
        expect([status, out], option).to.deep.equal([1, '']);
        expect(err, option)
          .to.match(/^ibv_rc_pingpong: /)
          .and.match(message);
        expect(err, option).not.to.include('    at ');
      }
    });
  }
});
