import { expect } from 'chai';
import { Qpc, QpcState } from '../../src/layout.ts';
import { Opcode } from '../../src/opcode.ts';
import { Testbed } from '../support/testbed.ts';

const TIMEOUT = 4;
const TIMEOUT_NS = 4096 * 2 ** TIMEOUT;
/** Code 12. */
const RNR_NS = 640_000;
const WORDS = new Map<number, number>([[Qpc.TIMEOUT, TIMEOUT]]);

describe('the retries of a reliable connection', () => {
  it('are there again after each answer', () => {
    const bed = Testbed.withPackets();
    const [a] = bed.pair({ sqLog2Count: 6 }, WORDS);
    const region = bed.region(4096);
    for (let n = 0; n < 10; n++) {
      bed.engine.faults!.set({ drop: 1 });
      a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at(8) });
      bed.advance(3.5 * TIMEOUT_NS);
      bed.engine.faults!.set({ drop: 0 });
      bed.advance(2 * TIMEOUT_NS);
      expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0]);
    }
  });

  it('are used up when no answer comes', () => {
    const bed = Testbed.withPackets({ drop: 1 });
    const [a] = bed.pair({ sqLog2Count: 6 }, WORDS);
    const region = bed.region(4096);
    a.send({ opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at(8) });
    bed.advance(7.5 * TIMEOUT_NS);
    expect(a.state).to.equal(QpcState.RTS);
    bed.advance(TIMEOUT_NS);
    expect(a.state).to.equal(QpcState.ERR);
  });

  it('are there again after each RNR NAK, which is an answer', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair({ sqLog2Count: 6 }, WORDS);
    const region = bed.region(4096);
    a.send({ opcode: Opcode.SEND, sges: [region.sge(0, 8)] });
    for (let n = 0; n < 10; n++) {
      bed.engine.faults!.set({ drop: 1 });
      bed.advance(RNR_NS + 3 * TIMEOUT_NS);
      bed.engine.faults!.set({ drop: 0 });
      bed.advance(2 * TIMEOUT_NS);
    }
    b.recv([region.sge(64, 8)]);
    bed.advance(1e6);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0]);
  });

  it('are not needed when a later packet tells of the loss, each time', () => {
    const bed = Testbed.withPackets();
    const [a] = bed.pair({ sqLog2Count: 6 }, WORDS);
    const region = bed.region(4096);
    const write = { opcode: Opcode.RDMA_WRITE, sges: [region.sge(0, 8)], ...region.at(8) };
    for (let n = 0; n < 3; n++) {
      bed.engine.faults!.set({ drop: 1 });
      a.send(write);
      bed.engine.faults!.set({ drop: 0 });
      a.send(write);
      bed.advance(TIMEOUT_NS / 2);
      expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
    }
  });
});
