import { expect } from 'chai';
import { formatAddresses, formatResult } from '../src/pingpong/format.ts';
import { defaultOptions } from '../src/pingpong/options.ts';
import { type ServiceName } from '../src/pingpong/service.ts';
import {
  itEndsWell,
  itGetsAllAcross,
  itGivesUp,
  itPlays,
  nameOf,
  pingpong,
  type Run,
  SERVICE_NAMES,
} from './ping-pongs.ts';

describe('a ping-pong prints as the C tools do', () => {
  const local = { lid: 0, qpn: 0x11, psn: 0xabc, gid: '0000:0000:0000:0000:0000:ffff:0a00:0001' };
  const remote = { lid: 5, qpn: 0x123456, psn: 0, gid: '0000:0000:0000:0000:0000:0000:0000:0000' };

  it('addresses', () => {
    expect(formatAddresses('RC', [local], [remote])).to.equal(
      '  local address:  LID 0x0000, QPN 0x000011, PSN 0x000abc, GID ::ffff:10.0.0.1\n' +
        '  remote address: LID 0x0005, QPN 0x123456, PSN 0x000000, GID ::\n',
    );
  });

  it('addresses of UD, whose two lines differ', () => {
    expect(formatAddresses('UD', [local], [local])).to.equal(
      '  local address:  LID 0x0000, QPN 0x000011, PSN 0x000abc: GID ::ffff:10.0.0.1\n' +
        '  remote address: LID 0x0000, QPN 0x000011, PSN 0x000abc, GID ::ffff:10.0.0.1\n',
    );
  });

  it('addresses of several QPs, the local ones first', () => {
    const lines = formatAddresses('SRQ', [local, remote], [remote, local]).split('\n');
    expect(lines.map((line) => line.slice(2, 7))).to.deep.equal(['local', 'local', 'remot', 'remot', '']);
  });

  it('results', () => {
    expect(formatResult({ bytes: 8_192_000, seconds: 0.0125, invalidPages: [] }, defaultOptions('RC'))).to.equal(
      '8192000 bytes in 0.01 seconds = 5242.88 Mbit/sec\n1000 iters in 0.01 seconds = 12.50 usec/iter\n',
    );
    expect(formatResult({ bytes: 8, seconds: 1, invalidPages: [0, 3] }, defaultOptions('RC'))).to.match(
      /\ninvalid data in page 0\ninvalid data in page 3\n$/,
    );
  });
});

describe('ibv_xsrq_pingpong prints as the C tool does', () => {
  const gid = '0000:0000:0000:0000:0000:ffff:0a00:0001';
  const local = { lid: 1, qpn: 0x11, sendQpn: 0x12, psn: 0xabc, srqn: 7, gid };

  it('addresses, those of a client and of the connection to it together', () => {
    const remote = { ...local, qpn: 0x21, sendQpn: 0x22, srqn: 8 };
    const pair =
      '  remote: LID 0001, QPN RECV 000021 SEND 000022, PSN 000abc, SRQN 000008, GID ::ffff:10.0.0.1\n' +
      '   local: LID 0001, QPN RECV 000011 SEND 000012, PSN 000abc, SRQN 000007, GID ::ffff:10.0.0.1\n';
    expect(formatAddresses('XSRQ', [local, local], [remote, remote])).to.equal(pair + pair);
  });

  it('success, or what was wrong', () => {
    const options = defaultOptions('XSRQ');
    expect(formatResult({ bytes: 8, seconds: 1, invalidPages: [] }, options)).to.equal('success\n');
    expect(formatResult({ bytes: 8, seconds: 1, invalidPages: [3] }, options)).to.equal('invalid data in page 3\n');
  });
});

const CONNECTED_RUNS: Run[] = [
  ['', 4096, 1000],
  ['--chk', 4096, 1000],
  ['-s 1 -n 3000 -r 1', 1, 3000],
  ['-s 100000 -n 50 -m 256 -c', 100_000, 50],
  ['-s 0x40 -n 1', 64, 1],
  ['-e -c -n 200', 4096, 200],
];

/** More on two threads, and those with the most queue pairs, are in pingpong.exhaustive.ts. */
const RUNS: Record<ServiceName, Run[]> = {
  RC: [...CONNECTED_RUNS, ['--threads 2 -e -c -n 200 -d emulated0 -i 1 -g 0 -l 3', 4096, 200]],
  UC: CONNECTED_RUNS,
  UD: [
    ['', 1024, 1000],
    ['--chk', 1024, 1000],
    ['-s 1 -n 3000 -r 1', 1, 3000],
    ['-s 4096 -n 50 -c', 4096, 50],
    ['-e -c -n 200', 1024, 200],
  ],
  SRQ: [
    ['', 4096, 1000, 16],
    ['-q 1 -r 1 -c', 4096, 1000, 1],
    ['-q 7 -r 7 -n 1001 -s 64 -c', 64, 1001, 7],
    ['-q 16 -n 5', 4096, 5, 16],
    ['-e -c -n 200', 4096, 200, 16],
  ],
  XSRQ: [
    ['', 4096, 5, 1],
    ['--chk -n 1000', 4096, 1000, 1],
    ['-c 7 --chk -n 101 -s 64', 64, 101, 7],
    ['-c 16 --num_tests 3 -s 8', 8, 3, 16],
    ['-e -c 5 --num-tests 20 --chk', 4096, 20, 5],
    ['--threads 2 -e -c 3 -n 50 --chk -d emulated0 -i 1 -g 0 -l 3 -m 256', 4096, 50, 3],
  ],
};

const WRONG = [
  ['-d emulatd0', /emulatd0/],
  ['-i 7', /port/],
  ['-g 9999', /9999/],
] as const;
const WRONG_DEPTH = ['-r 2000000000', /./] as const;

for (const service of SERVICE_NAMES) {
  describe(nameOf(service), () => {
    itPlays(service, RUNS[service]);

    for (const threads of [1, 2]) {
      it(`says what is wrong, on ${threads} thread(s), with status 1`, async () => {
        for (const [option, message] of service === 'XSRQ' ? WRONG : [...WRONG, WRONG_DEPTH]) {
          const { status, out, err } = await pingpong(service, `--self --threads ${threads} ${option}`);
          expect([status, out], option).to.deep.equal([1, '']);
          expect(err, option)
            .to.match(new RegExp(`^${nameOf(service)}: `))
            .and.match(message);
          expect(err, option).not.to.include('    at ');
        }
      });
    }

    it('--help has examples', async () => {
      const { status, out } = await pingpong(service, '--help');
      expect(status).to.equal(0);
      expect(out).to.match(
        new RegExp(`\nExamples:\n {2}${nameOf(service)} --self +${service === 'XSRQ' ? 5 : 1000} exchanges`),
      );
    });
  });
}

describe('the options and the JSON of each ping-pong', () => {
  const KEYS =
    'service check device events invalidPages iters local mbitPerSec numQp odp port remote rxDepth seconds size sl threads usecPerIter bytes';

  for (const service of SERVICE_NAMES) {
    it(`${service}: --json`, async () => {
      const { status, out } = await pingpong(
        service,
        `--self --json -n 10 -s 64 ${service === 'XSRQ' ? '--chk' : '-c'}`,
      );
      const result = JSON.parse(out) as Record<string, unknown>;
      expect(status).to.equal(0);
      expect(result).to.include({ service, device: 'emulated0', size: 64, iters: 10, threads: 1, bytes: 1280 });
      expect(result).to.have.keys(KEYS.split(' ').concat(service === 'UD' ? [] : 'mtu'));
    });
  }

  it('SRQ: lists of addresses', async () => {
    const { out } = await pingpong('SRQ', '--self --json -n 10 -q 3');
    const { local, remote, numQp } = JSON.parse(out) as { local: object[]; remote: object[]; numQp: number };
    expect([local.length, remote.length, numQp]).to.deep.equal([3, 3, 3]);
  });

  it('XSRQ: figures are those of all clients together', async () => {
    const { out } = await pingpong('XSRQ', '--self --json -n 10 -c 3 -s 64');
    const result = JSON.parse(out) as Record<string, unknown>;
    const { local, remote } = result as { local: Record<string, number>[]; remote: Record<string, number>[] };
    expect(result).to.include({ numQp: 3, rxDepth: 3, iters: 10, bytes: 64 * 10 * 3 * 2 });
    expect(result.usecPerIter).to.equal(((result.seconds as number) * 1e6) / 30);
    expect(local[0]).to.have.keys('lid', 'qpn', 'psn', 'gid', 'sendQpn', 'srqn');
    const queues = (addresses: Record<string, number>[]): number => new Set(addresses.map(({ srqn }) => srqn)).size;
    expect([queues(local), queues(remote)], 'one queue for the server, one for each client').to.deep.equal([1, 3]);
  });

  const refused: [ServiceName, string, number, RegExp][] = [
    ['UD', '-s 4097', 1, /4097 bytes is larger than the MTU of port 1, 4096 bytes\nhint: .*4096 or less\n/],
    ['UD', '-s 4097 --threads 2', 1, /larger than the MTU of port 1/],
    ['UD', '-m 1024', 2, /unknown option '-m'/],
    ['UC', '-q 2', 2, /unknown option '-q'/],
    ['UC', '-o', 2, /unknown option '-o'/],
    ['RC', '-o', 1, /\nhint: leave the flag out/],
    ['SRQ', '-o', 1, /\nhint: leave the flag out/],
    ['XSRQ', '-o', 1, /\nhint: leave the flag out/],
    ['XSRQ', '-c 256', 2, /from 1 to 255/],
    ['XSRQ', '-r 16', 2, /unknown option '-r'/],
    ['XSRQ', '-q 2', 2, /unknown option '-q'/],
    ['SRQ', '-q 256', 2, /from 1 to 255/],
    [
      'SRQ',
      '-q 9 -r 8',
      2,
      /8 receives are too few for 9 queue pairs: each of them needs one\nhint: raise --rx-depth to 9/,
    ],
  ];
  for (const [service, options, expected, message] of refused) {
    it(`${service}: ${options} is refused`, async () => {
      const { status, out, err } = await pingpong(service, `--self ${options}`);
      expect([status, out]).to.deep.equal([expected, '']);
      expect(err).to.match(message);
    });
  }
});

describe('a ping-pong on a network that loses packets', function () {
  this.timeout(20_000);

  itGivesUp('UC', '');
  itGivesUp('UD', '-e');
  itEndsWell('UC', '');
  itEndsWell('UD', '-e');
  itGetsAllAcross('SRQ', 1);
  itGetsAllAcross('XSRQ', 1);
});
