/**
 * P_Keys: two QPs hear each other if their P_Keys are of one partition, and one of the two is a full member (IBTA 10.9.3). Every pair
 * of entries of the two devices' tables is tried, whatever they are.
 */
import { expect } from 'chai';
import { QpState, QpType, WcStatus } from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { IMPATIENT, initAttr, rtrAttr, rtsAttr } from '../bench/connect.ts';
import { ahTo, datagram, datagramSide } from '../bench/datagrams.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

/** Each pair of indices of the two tables. */
function indexPairs(a: Side, b: Side): [indexOfA: number, indexOfB: number, match: boolean][] {
  const tableOf = ({ context }: Side): number[] =>
    Array.from({ length: context.queryPort(1).pkeyTblLen }, (_, index) => context.queryPkey(1, index));
  const theirs = tableOf(b);
  return tableOf(a).flatMap((p, i) => theirs.map((q, j): [number, number, boolean] => [i, j, matches(p, q)]));
}

function matches(a: number, b: number): boolean {
  return (a & 0x7fff) !== 0 && (a & 0x7fff) === (b & 0x7fff) && ((a | b) & 0x8000) !== 0;
}

function dropped({ context }: Side): number {
  return context.queryPort(1).badPkeyCntr;
}

/** Connects two QPs with a P_Key index each. */
function connectWith(a: Side, b: Side, pkeys: readonly [number, number]): void {
  const sides = [a, b];
  sides.forEach(({ qp }, n) => {
    qp.modify({ qpState: QpState.RESET });
    qp.modify({ ...initAttr(), pkeyIndex: pkeys[n] });
  });
  sides.forEach(({ qp }, n) => {
    qp.modify(rtrAttr(qp, sides[1 - n].qp, IMPATIENT));
    qp.modify(rtsAttr(qp, IMPATIENT));
  });
}

function pairOf(bench: Bench, qpType: QpType): { a: Side; b: Side } {
  return bench.pair({ qpType, connected: false });
}

export const pkeySuite = defineSuite('pkey', [], (suite) => {
  suite.works('the table of a port has the default partition, or another, at index 0', (bench) => {
    const context = bench.open();
    const { pkeyTblLen } = context.queryPort(1);
    expect(context.queryDevice().maxPkeys, 'maxPkeys').to.be.at.least(pkeyTblLen);
    for (let index = 0; index < pkeyTblLen; index++) {
      const pkey = context.queryPkey(1, index);
      expect(pkey).to.be.within(0, 0xffff);
      const first = context.getPkeyIndex(1, pkey);
      expect(first, 'the first index').to.be.at.most(index);
      expect(context.queryPkey(1, first)).to.equal(pkey);
    }
    for (const pkey of [-1, 0x10000, 0.5, 0x5a5a]) expectError('EINVAL', () => context.getPkeyIndex(1, pkey));
    expectError('EINVAL', () => context.getPkeyIndex(0, context.queryPkey(1, 0)));
  });

  suite.provokes('an index beyond the table is refused, in every state that takes one', ['rc'], (bench) => {
    const { a, b } = bench.pair({ connected: false });
    const { pkeyTblLen } = a.context.queryPort(1);
    for (const pkeyIndex of [pkeyTblLen, 0xffff, -1, 0.5]) {
      expectError('EINVAL', () => {
        a.qp.modify({ ...initAttr(), pkeyIndex });
      });
    }
    expect(a.qp.query().attr.qpState).to.equal(QpState.RESET);
    a.qp.modify(initAttr());
    for (const attr of [{}, rtrAttr(a.qp, b.qp)]) {
      expectError('EINVAL', () => {
        a.qp.modify({ ...attr, pkeyIndex: pkeyTblLen });
      });
    }
    expect(a.qp.query().attr).to.include({ qpState: QpState.INIT, pkeyIndex: 0 });
  });

  suite.provokes('datagrams', ['ud'], async (bench) => {
    const probe = { a: datagramSide(bench), b: datagramSide(bench, { device: bench.peerDevice }) };
    for (const [i, j, match] of indexPairs(probe.a, probe.b)) {
      const a = datagramSide(bench, {}, { pkeyIndex: i });
      const b = datagramSide(bench, { device: bench.peerDevice }, { pkeyIndex: j });
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
      const before = dropped(b);
      a.qp.postSend(datagram(2, [], ahTo(a, b), b.qp));
      await expectCompletions(a.sendCq, { wrId: 2 });
      if (match) {
        const [wc] = await expectCompletions(b.recvCq, { wrId: 1 });
        expect(wc.pkeyIndex, 'index of the receiver').to.equal(j);
      } else expectNoCompletion(b.recvCq);
      expect(dropped(b) - before, `dropped, ${i} to ${j}`).to.equal(match ? 0 : 1);
    }
  });

  suite.provokes('unreliable connections', ['uc'], async (bench) => {
    const { a, b } = pairOf(bench, QpType.UC);
    for (const [i, j, match] of indexPairs(a, b)) {
      connectWith(a, b, [i, j]);
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
      const before = dropped(b);
      a.qp.postSend(send(2, [a.sge(0, 8)]));
      await expectCompletions(a.sendCq, { wrId: 2 });
      if (match) await expectCompletions(b.recvCq, { wrId: 1 });
      else expectNoCompletion(b.recvCq);
      expect(dropped(b) - before, `dropped, ${i} to ${j}`).to.equal(match ? 0 : 1);
    }
  });

  suite.provokes('reliable connections, which get no answer', ['rc'], async (bench) => {
    const { a, b } = pairOf(bench, QpType.RC);
    for (const [i, j, match] of indexPairs(a, b)) {
      connectWith(a, b, [i, j]);
      b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
      const before = dropped(b);
      a.qp.postSend(send(2, [a.sge(0, 8)]));
      const status = match ? WcStatus.SUCCESS : WcStatus.RETRY_EXC_ERR;
      const [wc] = await expectCompletions(a.sendCq, { wrId: 2, status });
      if (match) await expectCompletions(b.recvCq, { wrId: 1 });
      else {
        expectNoCompletion(b.recvCq);
        expect(wc.explain()).to.be.a('string').that.is.not.empty;
      }
      // The request, and each repetition of it.
      expect(dropped(b) - before > 0, `dropped, ${i} to ${j}`).to.equal(!match);
    }
  });

  suite.provokes('a QP that talks to itself', ['rc'], async (bench) => {
    const side = bench.side();
    const table = side.context.queryPort(1).pkeyTblLen;
    for (let pkeyIndex = 0; pkeyIndex < table; pkeyIndex++) {
      const pkey = side.context.queryPkey(1, pkeyIndex);
      side.qp.modify({ qpState: QpState.RESET });
      side.qp.modify({ ...initAttr(), pkeyIndex });
      side.qp.modify(rtrAttr(side.qp, side.qp, IMPATIENT));
      side.qp.modify(rtsAttr(side.qp, IMPATIENT));
      side.qp.postRecv({ wrId: 1 });
      side.qp.postSend(send(2, []));
      const status = matches(pkey, pkey) ? WcStatus.SUCCESS : WcStatus.RETRY_EXC_ERR;
      await expectCompletions(side.sendCq, { wrId: 2, status });
    }
  });

  suite.works('the index changes in SQD', ['rc', 'sqDrain'], async (bench) => {
    const { a, b } = pairOf(bench, QpType.RC);
    const other = indexPairs(a, b).find(([i, j, match]) => i !== 0 && j === 0 && match)?.[0] ?? 0;
    connectWith(a, b, [0, 0]);
    a.qp.modify({ qpState: QpState.SQD });
    a.qp.modify({ qpState: QpState.SQD, pkeyIndex: other });
    expect(a.qp.query().attr.pkeyIndex).to.equal(other);
    a.qp.modify({ qpState: QpState.RTS });
    b.qp.postRecv({ wrId: 1 });
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2 });
  });
});
