import { expect } from 'chai';
import fc from 'fast-check';
import { addPsn, comparePsn, packetCount, PSN_MASK, psnDistance } from '../src/psn.ts';

const HALF = 0x800000;
const psns = fc.integer({ min: 0, max: PSN_MASK });

describe('comparePsn', () => {
  it('tells newer from older by the shorter way around', () => {
    fc.assert(
      fc.property(psns, fc.integer({ min: -HALF + 1, max: HALF - 1 }), (psn, step) => {
        expect(Math.sign(comparePsn((psn + step) & PSN_MASK, psn))).to.equal(Math.sign(step));
      }),
    );
  });

  it('takes the PSN that is half the space away as older, from both sides', () => {
    fc.assert(
      fc.property(psns, (psn) => {
        expect(comparePsn((psn + HALF) & PSN_MASK, psn)).to.be.below(0);
        expect(comparePsn(psn, (psn + HALF) & PSN_MASK)).to.be.below(0);
      }),
    );
  });
});

describe('packetCount', () => {
  it('divides by the path MTU and rounds up; an empty message takes one packet', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 1, max: 5 }), (length, mtu) => {
        const bytes = 128n << BigInt(mtu);
        const packets = (BigInt(length) + bytes - 1n) / bytes;
        expect(packetCount(length, mtu)).to.equal(Number(packets === 0n ? 1n : packets));
      }),
    );
  });

  it('is right at the borders', () => {
    const table = [1, 2, 3, 4, 5].map((mtu) => {
      const bytes = 128 << mtu;
      return [0, 1, bytes, bytes + 1, 2 * bytes, 2 * bytes + 1, 2 ** 31].map((length) => packetCount(length, mtu));
    });
    expect(table).to.deep.equal([
      [1, 1, 1, 2, 2, 3, 8388608],
      [1, 1, 1, 2, 2, 3, 4194304],
      [1, 1, 1, 2, 2, 3, 2097152],
      [1, 1, 1, 2, 2, 3, 1048576],
      [1, 1, 1, 2, 2, 3, 524288],
    ]);
  });
});

describe('addPsn and psnDistance', () => {
  it('go around the space', () => {
    expect([addPsn(PSN_MASK, 1), addPsn(0, -1), addPsn(5, 0)]).to.deep.equal([0, PSN_MASK, 5]);
    fc.assert(
      fc.property(psns, psns, (from, to) => {
        expect(addPsn(from, psnDistance(from, to))).to.equal(to);
        expect(addPsn(to, -psnDistance(from, to))).to.equal(from);
      }),
    );
  });
});
