import { expect } from 'chai';
import { formatCounters, type PortCounters } from '../src/cli/counters.ts';
import { rcPingpongCommand } from '../src/pingpong/rc-pingpong.ts';
import { run } from './run.ts';

const pingpong = (line: string) => run((io) => rcPingpongCommand('ibv_rc_pingpong', io), line);

describe('--counters', () => {
  it('prints them behind the result, by port', async () => {
    const { status, out, err } = await pingpong('--self -n 10 --drop 0.05 --seed 7 --counters');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/usec\/iter\ncounters of emulated0, port 1:\n {2}sent_pkts +\d+\n/);
    expect(out).to.match(/\n {2}rdma_sends +20\n {2}rdma_recvs +20\n/);
    expect(/retransmitted_pkts +(\d+)/.exec(out)?.[1]).to.satisfy((count: string) => Number(count) > 0);
  });

  it('puts them into the JSON', async () => {
    const { out } = await pingpong('--self -n 10 --counters --json');
    const { counters } = JSON.parse(out) as { counters: PortCounters[] };
    expect(counters.map(({ device, port }) => [device, port])).to.deep.equal([['emulated0', 1]]);
    expect(counters[0].counters).to.include({ retry_exceeded_err: 0, sent_pkts: 0 });
  });

  it('tells them of a run that failed, too', async () => {
    const { status, out, err } = await pingpong('--self -n 10 --drop 1 --counters');
    expect([status, out, err]).to.satisfy(([code, text, error]: [number, string, string]) => {
      return code === 1 && /retry_exceeded_err +1\n/.test(text) && error.includes('RETRY_EXC_ERR');
    });
  });

  it('prints nothing without it, and nothing for a device that has none', async () => {
    const { out } = await pingpong('--self -n 10');
    expect(out).to.not.include('counters');
    expect(formatCounters([])).to.equal('');
  });
});
