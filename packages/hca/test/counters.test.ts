import { expect } from 'chai';
import { COUNTER_NAMES, type CounterName } from '../src/counters.ts';
import { setPortDown } from '../src/device-faults.ts';
import { Qpc, QpcType } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { Testbed } from './support/testbed.ts';

const WAYS: readonly (readonly [way: string, packets: boolean])[] = [
  ['messages', false],
  ['packets', true],
];

/** The counters of a port that are not 0, without traffic. */
function errorsOf(bed: Testbed, port = 1): Partial<Record<CounterName, number>> {
  const traffic = ['sent_pkts', 'rcvd_pkts', 'rdma_sends', 'rdma_recvs', 'retransmitted_pkts'];
  const entries = Object.entries(bed.engine.counters.read(bed.hca.header, port));
  return Object.fromEntries(entries.filter(([name, count]) => count !== 0 && !traffic.includes(name)));
}

const open = (packets: boolean): Testbed => (packets ? Testbed.withPackets() : new Testbed());

describe('hardware counters', () => {
  it('have the names of rxe', () => {
    expect(COUNTER_NAMES.slice(0, 15)).to.deep.equal([
      'sent_pkts',
      'rcvd_pkts',
      'duplicate_request',
      'out_of_seq_request',
      'rcvd_rnr_err',
      'send_rnr_err',
      'rcvd_seq_err',
      'ack_deferred',
      'retry_exceeded_err',
      'retry_rnr_exceeded_err',
      'completer_retry_err',
      'send_err',
      'link_downed',
      'rdma_sends',
      'rdma_recvs',
    ]);
  });

  for (const [way, packets] of WAYS) {
    describe(`where ${way} travel`, () => {
      it('count a receiver that is not ready, and in the end its failure', () => {
        const bed = open(packets);
        const [a] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 2]]));
        a.send({ sges: [bed.region(64).sge()] });
        expect(errorsOf(bed)).to.deep.equal({ rcvd_rnr_err: 1, send_rnr_err: 1 });
        bed.advance(1e9);
        expect(errorsOf(bed)).to.deep.equal({ rcvd_rnr_err: 3, send_rnr_err: 3, retry_rnr_exceeded_err: 1 });
      });

      it('count a peer that is not there', () => {
        const bed = open(packets);
        const a = bed.qp();
        const words = new Map<number, number>([
          [Qpc.RETRY_CNT, 3],
          [Qpc.TIMEOUT, 10],
        ]);
        bed.toInit(a, words);
        bed.toRtr(a, 999, words);
        bed.toRts(a, words);
        a.send({ sges: [bed.region(4096).sge()] });
        bed.advance(1e9);
        expect(errorsOf(bed)).to.deep.equal({ completer_retry_err: 3, retry_exceeded_err: 1 });
      });

      it('count requests ahead of their turn', () => {
        const bed = open(packets);
        const words = new Map<number, number>([
          [Qpc.SQ_PSN, 9],
          [Qpc.RETRY_CNT, 0],
        ]);
        const [a] = bed.pair({}, words);
        a.send({ sges: [bed.region(4096).sge()] });
        bed.advance(1e9);
        expect(errorsOf(bed)).to.include({ retry_exceeded_err: 1 });
        expect(errorsOf(bed).out_of_seq_request).to.be.above(0);
      });

      it('count requests that come again', () => {
        const bed = open(packets);
        const words = new Map<number, number>([[Qpc.RETRY_CNT, 0]]);
        const [a] = bed.pair({}, words, new Map([[Qpc.RQ_PSN, 9]]));
        a.send({ sges: [bed.region(64).sge()] });
        bed.advance(1e9);
        expect(errorsOf(bed).duplicate_request).to.be.above(0);
      });

      it('count each port by itself', () => {
        const bed = open(packets);
        const a = bed.qp();
        const words = new Map<number, number>([
          [Qpc.PORT, 2],
          [Qpc.RETRY_CNT, 0],
        ]);
        bed.toInit(a, words);
        bed.toRtr(a, 999, words, bed.hca.gid(2));
        bed.toRts(a, words);
        a.send({ sges: [bed.region(4096).sge()] });
        bed.advance(1e9);
        expect(errorsOf(bed, 1)).to.deep.equal({});
        expect(errorsOf(bed, 2)).to.deep.equal({ retry_exceeded_err: 1 });
      });
    });
  }

  it('count how often a port went down', () => {
    const bed = new Testbed();
    for (const down of [true, true, false, true]) setPortDown(bed.engine, bed.hca, 2, down);
    expect([errorsOf(bed, 1), errorsOf(bed, 2)]).to.deep.equal([{}, { link_downed: 2 }]);
  });

  for (const [name, type] of [
    ['UC', QpcType.UC],
    ['RC', QpcType.RC],
  ] as const) {
    it(`count the sends and receives of ${name}`, () => {
      const bed = Testbed.withPackets();
      const [a, b] = bed.pair({ type });
      const here = bed.region(8192);
      b.recv([here.sge()]);
      b.recv([]);
      a.send({ sges: [here.sge(0, 2048)] });
      a.send({ opcode: Opcode.RDMA_WRITE_WITH_IMM, sges: [here.sge(0, 8)], ...here.at() });
      expect(bed.engine.counters.read(bed.hca.header, 1)).to.include({ rdma_sends: 1, rdma_recvs: 2 });
    });
  }

  it('count packets, answers too, and operations that were completed', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair();
    const here = bed.region(8192);
    b.recv([here.sge()]);
    b.recv([]);
    a.send({ sges: [here.sge(0, 2048)] });
    a.send({ opcode: Opcode.RDMA_WRITE_WITH_IMM, sges: [here.sge(0, 8)], ...here.at() });
    a.send({ opcode: Opcode.RDMA_READ, sges: [here.sge(0, 8)], ...here.at() });
    const counters = bed.engine.counters.read(bed.hca.header, 1);
    expect(counters).to.include({ rdma_sends: 1, rdma_recvs: 2, retransmitted_pkts: 0 });
    expect(counters.sent_pkts).to.equal(counters.rcvd_pkts);
    expect(counters.sent_pkts).to.be.within(2 + 1 + 1 + 3, 2 + 1 + 1 + 4);
  });
});
