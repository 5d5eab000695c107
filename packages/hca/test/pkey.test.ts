import { expect } from 'chai';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { Port, Qpc, QpcState, QpcType } from '../src/layout.ts';
import { PKEYS_MAX } from '../src/limits.ts';
import { isSameService, pkeysMatch, servicePkey } from '../src/pkey.ts';
import { ackTimeoutNs } from '../src/retry-timer.ts';
import { expectDeviceError, PKEYS, Testbed } from './support/testbed.ts';

const { RC, UC, UD } = QpcType;

describe('a P_Key', () => {
  it('matches one of its partition when one of the two is a full member', () => {
    const keys = [0xffff, 0x7fff, 0x8001, 0x0001, 0x8000, 0];
    const matching = keys.flatMap((a) => keys.filter((b) => pkeysMatch(a, b)).map((b) => [a, b]));
    expect(matching).to.deep.equal([
      [0xffff, 0xffff],
      [0xffff, 0x7fff],
      [0x7fff, 0xffff],
      [0x8001, 0x8001],
      [0x8001, 0x0001],
      [0x0001, 0x8001],
    ]);
  });

  it('lies in one word with the service, so that full members of one partition are equal and negative', () => {
    for (const type of [RC, UC, UD]) {
      expect(servicePkey(type, 0xffff)).to.be.below(0);
      expect(servicePkey(type, 0x7fff)).to.be.above(0);
      expect(servicePkey(type, 0xffff) & 0xffff).to.equal(0xffff);
      for (const other of [RC, UC, UD]) {
        expect(isSameService(servicePkey(type, 1), servicePkey(other, 0x8002))).to.equal(type === other);
      }
    }
  });

  it('of another partition is counted at the receiving port, at each repetition', () => {
    const bed = new Testbed();
    const words = new Map([[Qpc.RETRY_CNT, 2]]);
    const [a, b] = bed.pair({}, words, new Map([[Qpc.PKEY_INDEX, 2]]));
    b.recv();
    a.send({});
    bed.advance(3 * ackTimeoutNs(14));
    const [cqe] = a.sendCq.poll();
    expect([cqe.syndrome, cqe.vendorErr]).to.deep.equal([CqeSyndrome.RETRY_EXC_ERR, VendorErr.PKEY_MISMATCH]);
    expect(bed.hca.portWord(1, Port.BAD_PKEY_CNTR)).to.equal(3);
    expect(bed.hca.portWord(2, Port.BAD_PKEY_CNTR)).to.equal(0);
    expect(b.state).to.equal(QpcState.RTS);
  });

  it('of a limited member does not reach another limited member of the same partition', () => {
    const bed = new Testbed();
    const limited = PKEYS.findIndex((pkey) => pkey === 0x7fff);
    const words = new Map([
      [Qpc.RETRY_CNT, 0],
      [Qpc.PKEY_INDEX, limited],
    ]);
    const [a, b] = bed.pair({}, words, words);
    expect(a.word('SERVICE_PKEY')).to.equal(b.word('SERVICE_PKEY'));
    b.recv();
    a.send({});
    bed.advance(ackTimeoutNs(14));
    expect(a.sendCq.poll()[0]).to.include({ vendorErr: VendorErr.PKEY_MISMATCH });
    expect(b.recvCq.poll()).to.deep.equal([]);
  });

  it('is not counted where the service is another one: that is no message for this QP at all', () => {
    const bed = new Testbed();
    const [a, b] = [bed.qp({ type: UC }), bed.qp()];
    bed.connect(a, b);
    b.recv();
    a.send({});
    b.send({});
    expect(bed.hca.portWord(1, Port.BAD_PKEY_CNTR)).to.equal(0);
    expect(a.sendCq.poll()).to.have.length(1);
    expect(b.sendCq.poll()).to.deep.equal([]);
  });

  it('is chosen from the table of the port', () => {
    const bed = new Testbed();
    const qp = bed.qp();
    for (const index of [-1, PKEYS.length, 1.5]) {
      expectDeviceError(() => bed.toInit(qp, new Map([[Qpc.PKEY_INDEX, index]])), 'EINVAL', /beyond the table of 7/);
    }
    for (const port of [0, 3])
      expectDeviceError(() => bed.toInit(qp, new Map([[Qpc.PORT, port]])), 'EINVAL', /ports 1 to 2/);
    expect(qp.state).to.equal(QpcState.RESET);
    bed.toInit(qp, new Map([[Qpc.PKEY_INDEX, 3]]));
    expect(qp.word('SERVICE_PKEY') & 0xffff).to.equal(PKEYS[3]);
  });

  it('tables have a limit', () => {
    const bed = new Testbed();
    const init = { name: 'x', guidHi: 1, guidLo: 0x1000, ports: 1 };
    for (const pkeys of [[], new Array<number>(PKEYS_MAX + 1).fill(1), [0x10000], [-1]]) {
      expectDeviceError(() => bed.engine.createHca({ ...init, pkeys }), 'EINVAL', /1 to 128 P_Keys/);
    }
  });
});
