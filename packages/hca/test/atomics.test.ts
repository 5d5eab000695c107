import { expect } from 'chai';
import fc from 'fast-check';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { Qpc } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { Testbed } from './support/testbed.ts';

const { ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD } = Opcode;
/** All of 64 bits, and what carries from the low word to the high one. */
const operand = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 0xffffffffn, 0x100000000n, 0x7fffffffn, 0x80000000n, 2n ** 63n, 2n ** 64n - 1n),
);

describe('an atomic operation', () => {
  const bed = new Testbed();
  const [a, b] = bed.pair();
  const result = bed.region(64);
  const target = bed.region(64);

  it('adds 64 bits and tells the old value', () => {
    fc.assert(
      fc.property(operand, operand, (before, added) => {
        target.write64(before, 8);
        const wqe = { opcode: ATOMIC_FETCH_AND_ADD, sges: [result.sge(16, 8)], compareAdd: added, ...target.at(8) };
        expect(a.sendAndPoll(wqe)[0]).to.include({ opcode: 4, syndrome: 0, byteLen: 8 });
        expect(result.read64(16)).to.equal(before);
        expect(target.read64(8)).to.equal(BigInt.asUintN(64, before + added));
      }),
      // The low words make 2^32, no more.
      { numRuns: 500, examples: [[0xffffffffn, 1n]] },
    );
  });

  it('swaps when all 64 bits are equal, and tells the old value', () => {
    const nearly = fc.oneof(fc.constant(0n), fc.constantFrom(1n, 2n ** 32n, 2n ** 63n), operand);
    fc.assert(
      fc.property(operand, nearly, operand, (before, difference, swap) => {
        const compareAdd = before ^ difference;
        target.write64(before, 8);
        const wqe = { opcode: ATOMIC_CMP_AND_SWP, sges: [result.sge(16, 8)], compareAdd, swap, ...target.at(8) };
        expect(a.sendAndPoll(wqe)[0]).to.include({ opcode: 3, syndrome: 0, byteLen: 8 });
        expect(result.read64(16)).to.equal(before);
        expect(target.read64(8)).to.equal(difference === 0n ? swap : before);
      }),
      // The low words alone are equal.
      { numRuns: 500, examples: [[5n, 2n ** 32n, 7n]] },
    );
  });

  it('touches its 8 bytes and no others', () => {
    target.fill(1);
    result.fill(2);
    const before = [...target.read(), ...result.read()];
    a.send({ opcode: ATOMIC_FETCH_AND_ADD, sges: [result.sge(5, 8)], compareAdd: 1n, ...target.at(24) });
    const after = [...target.read(), ...result.read()];
    const changed = after.flatMap((byte, n) => (byte === before[n] ? [] : [n]));
    expect(changed.every((n) => (n >= 24 && n < 32) || (n >= 64 + 5 && n < 64 + 13))).to.equal(true);
    expect(after.slice(64 + 5, 64 + 13)).to.deep.equal(before.slice(24, 32));
    a.sendCq.poll();
  });

  it('whose result lands on its own target leaves the new value', () => {
    target.write64(41n, 0);
    const wqe = { opcode: ATOMIC_FETCH_AND_ADD, sges: [target.sge(0, 8)], compareAdd: 1n, ...target.at(0) };
    expect(a.sendAndPoll(wqe)[0].syndrome).to.equal(0);
    expect(target.read64(0)).to.equal(42n);
  });

  it('needs a remote address that is a multiple of 8', () => {
    for (const skew of [1, 2, 4, 7]) {
      const [c, d] = bed.pair();
      const wqe = { opcode: ATOMIC_FETCH_AND_ADD, sges: [result.sge(0, 8)], compareAdd: 1n, ...target.at(skew) };
      expect(c.sendAndPoll(wqe)[0]).to.include({
        syndrome: CqeSyndrome.REMOTE_INVAL_REQ_ERR,
        vendorErr: VendorErr.ATOMIC_MISALIGNED,
        faultKey: target.key,
        faultAddr: target.start + BigInt(skew),
      });
      expect(d.state).to.equal(6);
    }
  });

  it('is executed whether it makes a completion or not', () => {
    target.write64(0n, 0);
    for (let n = 0; n < 5; n++) {
      a.send({ opcode: ATOMIC_FETCH_AND_ADD, flags: 0, sges: [result.sge(0, 8)], compareAdd: 1n, ...target.at(0) });
    }
    expect(a.sendCq.poll()).to.be.empty;
    expect([target.read64(0), result.read64(0)]).to.deep.equal([5n, 4n]);
  });

  it('is not executed when it was refused', () => {
    target.write64(7n, 0);
    const wqe = { opcode: ATOMIC_FETCH_AND_ADD, sges: [result.sge(0, 8)], compareAdd: 1n, ...target.at(0) };
    const refusals: [name: string, words: [number, number][], peerWords: [number, number][]][] = [
      ['the QP may have none outstanding', [[Qpc.MAX_RD_ATOMIC, 0]], []],
      ['the peer serves none', [], [[Qpc.MAX_DEST_RD_ATOMIC, 0]]],
      ['the peer allows none', [], [[Qpc.ACCESS_FLAGS, 7]]],
    ];
    for (const [name, words, peerWords] of refusals) {
      const [c] = bed.pair({}, new Map(words), new Map(peerWords));
      expect(c.sendAndPoll(wqe)[0].syndrome, name).to.not.equal(0);
      expect(target.read64(0), name).to.equal(7n);
    }
    expect(b.state).to.equal(3);
  });
});
