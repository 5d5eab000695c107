import { expect } from 'chai';
import { Qpc, QpcState, QpcType, type Srqc } from '../../src/layout.ts';
import { recover } from '../../src/recovery.ts';
import { audit } from '../support/audit.ts';
import type { TestQp } from '../support/test-qp.ts';
import type { TestSrq } from '../support/test-srq.ts';
import { Testbed } from '../support/testbed.ts';
import { SendWqe } from '@openverbs/verbs/rings';

/** More than there are frames, so that a message is sent in two parts. */
const MESSAGE_BYTES = 2000 * 256;
const DELAY_US = 5;

interface World {
  readonly bed: Testbed;
  readonly srq: TestSrq;
  readonly sender: TestQp;
  readonly receiver: TestQp;
}

/** A receiver in the middle of a message: it holds the second of the SRQ's three WQEs, after a whole message took the first. */
function inMidMessage(type: number): World {
  const bed = Testbed.withPackets({ delay: DELAY_US });
  const isXrc = type === QpcType.XRC_SEND;
  const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
  const srq = bed.srq({ log2Count: 2, ...(isXrc ? { xrc: { xrcdn, cqn: bed.cq().number } } : {}) });
  const sender = bed.qp({ type });
  const receiver = isXrc ? bed.qp({ type: QpcType.XRC_RECV, xrcdn }) : bed.qp({ type, srq });
  const words = new Map([[Qpc.PATH_MTU, 1]]);
  bed.connect(sender, receiver, words, words);
  const here = bed.region(MESSAGE_BYTES);
  const there = bed.region(MESSAGE_BYTES);
  for (let n = 0; n < 3; n++) srq.recv([there.sge()]);
  const naming = { words: { [SendWqe.REMOTE_SRQN]: srq.number } };
  sender.send(naming);
  bed.advance(1e6);
  sender.send({ sges: [here.sge()], ...naming });
  bed.advance(DELAY_US * 1000);
  expect(receiver.word('SRQ_WQE'), 'what is held').to.equal(2);
  expect(left(bed, srq)).to.deep.equal([2]);
  return { bed, srq, sender, receiver };
}

/** The slots that the SRQ has, the next one first. */
function left(bed: Testbed, srq: TestSrq): number[] {
  const consumer = srq.word('CONSUMER' satisfies keyof typeof Srqc);
  return Array.from({ length: (srq.posted - consumer) | 0 }, (_, n) => bed.i32[srq.entry(consumer + n)]);
}

describe('a message from an SRQ that does not come to its end', () => {
  for (const [name, type] of [
    ['RC', QpcType.RC],
    ['UC', QpcType.UC],
    ['XRC', QpcType.XRC_SEND],
  ] as const) {
    it(`gives its WQE back when the QP is reset, over ${name}`, () => {
      const { bed, srq, receiver } = inMidMessage(type);
      bed.modify(receiver, QpcState.RESET);
      expect(left(bed, srq)).to.deep.equal([1, 2]);
      bed.advance(1e6);
      expect(receiver.word('SRQ_WQE')).to.equal(0);
      audit(bed);
    });

    it(`gives its WQE back when the QP is destroyed, over ${name}`, () => {
      const { bed, srq, receiver } = inMidMessage(type);
      receiver.destroy();
      expect(left(bed, srq)).to.deep.equal([1, 2]);
      bed.advance(1e6);
      audit(bed);
    });

    it(`keeps its WQE when a thread dies meanwhile, over ${name}`, () => {
      const { bed, srq, receiver } = inMidMessage(type);
      bed.engine.command(() => {
        recover(bed.engine);
      });
      expect([receiver.word('SRQ_WQE'), left(bed, srq)]).to.deep.equal([2, [2]]);
      audit(bed);
    });
  }

  it('comes to its end though there are fewer frames than it has packets', () => {
    const { bed, receiver } = inMidMessage(QpcType.UC);
    bed.advance(1e6);
    expect(receiver.recvCq.poll().map(({ byteLen }) => byteLen)).to.deep.equal([0, MESSAGE_BYTES]);
    expect(bed.engine.faults!.frames.count).to.equal(0);
  });

  it('is flushed when the QP goes to error, and not given back as well', () => {
    const { bed, srq, receiver } = inMidMessage(QpcType.RC);
    bed.modify(receiver, QpcState.ERR);
    expect(receiver.recvCq.poll().map(({ index }) => index)).to.deep.equal([0, 1]);
    receiver.destroy();
    expect(left(bed, srq)).to.deep.equal([2]);
    audit(bed);
  });
});
