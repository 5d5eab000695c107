import { expect } from 'chai';
import { CqeSyndrome } from '@openverbs/verbs/rings';
import { QpcState } from '../../src/layout.ts';
import { Opcode, SendFlag, WC_WITH_INV } from '../../src/opcode.ts';
import { audit } from '../support/audit.ts';
import { bind, BINDABLE } from '../support/bind.ts';
import { cutOff } from '../support/cut.ts';
import { Testbed } from '../support/testbed.ts';

const { LOCAL_INV, SEND_WITH_INV, RDMA_WRITE, RDMA_READ } = Opcode;
const LENGTH = 3 * 4096;
const CALLS_MAX = 1000;

describe('a memory window over packets', () => {
  it('is bound in its turn, used, and invalidated by either side', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair();
    const region = bed.pagedRegion(LENGTH, 100, BINDABLE);
    const own = bed.region(LENGTH);
    const window = bed.commands.createWindow({ uar: bed.uar, pd: bed.pd, type2: true });
    const bytes = own.fill(4);
    for (let round = 0; round < 20; round++) {
      const rkey = (window & ~0xff) | round;
      a.recv([]);
      b.recv([own.sge(0, 5000)]);
      b.writeSend({ opcode: RDMA_READ, sges: [own.sge(8000, 4000)], ...region.at(5000) });
      b.writeSend(bind(window, rkey, region, 7, 6000));
      b.writeSend({ flags: SendFlag.FENCE | SendFlag.SIGNALED });
      b.ring();
      expect(a.recvCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0]);
      expect(b.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0, 0]);
      const remote = region.start + 7n;
      a.writeSend({ opcode: RDMA_WRITE, sges: [own.sge(0, 6000)], remote, rkey });
      if (round % 2 === 0) a.writeSend({ opcode: SEND_WITH_INV, imm: rkey, sges: [own.sge(0, 5000)] });
      else a.writeSend({ sges: [own.sge(0, 5000)] });
      a.ring();
      expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
      const received = b.recvCq.poll().find(({ opcode }) => opcode === 128);
      const invalidated = { imm: rkey, flags: WC_WITH_INV };
      expect(received).to.include({ syndrome: 0, byteLen: 5000, ...(round % 2 === 0 ? invalidated : { flags: 0 }) });
      expect(region.read(7, 6000)).to.deep.equal(bytes.subarray(0, 6000));
      if (round % 2 === 1) expect(b.sendAndPoll({ opcode: LOCAL_INV, imm: rkey })[0].syndrome).to.equal(0);
      audit(bed);
    }
    bed.commands.destroyMpt(region.key);
  });

  it('is told of exactly once, wherever the thread dies', () => {
    let wasCut = true;
    let calls = 0;
    for (; wasCut && calls < CALLS_MAX; calls++) {
      const bed = Testbed.withPackets();
      const [a, b] = bed.pair();
      const region = bed.region(4096, { access: BINDABLE });
      const window = bed.commands.createWindow({ uar: bed.uar, pd: bed.pd, type2: true });
      a.recv([]);
      b.writeSend(bind(window, window, region));
      b.writeSend({});
      b.writeSend({ opcode: LOCAL_INV, imm: window });
      b.writeSend(bind(window, window + 1, region));
      wasCut = cutOff(bed, calls, () => {
        b.ring();
      });
      b.ring();
      bed.advance(1e9);
      const sent = b.sendCq.poll().filter(({ opcode }) => opcode < 128);
      expect(
        sent.map(({ syndrome }) => syndrome),
        `call ${calls}`,
      ).to.deep.equal([0, 0, 0, 0]);
      audit(bed);
    }
    expect(calls).to.be.greaterThan(20).and.below(CALLS_MAX);
  });

  it('that may not be invalidated is an error at both ends', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair();
    b.recv([]);
    expect(a.sendAndPoll({ opcode: SEND_WITH_INV, imm: 0x7701 })[0].syndrome).to.equal(CqeSyndrome.REMOTE_ACCESS_ERR);
    expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
  });
});
