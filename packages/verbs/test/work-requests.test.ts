import { expect } from 'chai';
import fc from 'fast-check';
import { RecvWr } from '../src/recv-wr.ts';
import { SendWr, type SendWrInit } from '../src/send-wr.ts';
import { Sge } from '../src/sge.ts';
import { errorOf } from './support/fake-provider.ts';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('SendWr', () => {
  it('starts with zeros', () => {
    const wr = new SendWr();
    expect(wr).to.include({ wrId: 0, opcode: 2, sendFlags: 0, immData: 0, rkey: 0, remoteAddr: 0, remoteQkey: 0 });
    expect(wr.next).to.equal(null);
    expect(wr.ah).to.equal(null);
    expect(wr.sgList).to.deep.equal([]);
  });

  it('keeps all 64 bits of a remote address', () => {
    fc.assert(
      fc.property(u64, (addr) => {
        const wr = new SendWr({ remoteAddr: addr });
        expect(BigInt(wr.remoteAddr)).to.equal(addr);
        expect(typeof wr.remoteAddr).to.equal(addr <= BigInt(Number.MAX_SAFE_INTEGER) ? 'number' : 'bigint');
        expect(wr.remoteAddrLo).to.equal(Number(BigInt.asIntN(32, addr)));
        expect(wr.remoteAddrHi).to.equal(Number(BigInt.asIntN(32, addr >> 32n)));
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), (addr) => {
        const wr = new SendWr();
        wr.remoteAddr = addr;
        expect(wr.remoteAddr).to.equal(addr);
      }),
    );
  });

  it('keeps all 64 bits of the operands', () => {
    fc.assert(
      fc.property(u64, u64, (compareAdd, swap) => {
        expect(new SendWr({ compareAdd, swap })).to.include({ compareAdd, swap });
      }),
    );
  });

  it('makes a chain of literals', () => {
    const wr = new SendWr({ wrId: 1, next: { wrId: 2, next: new SendWr({ wrId: 3 }) } });
    expect([wr.wrId, wr.next?.wrId, wr.next?.next?.wrId, wr.next?.next?.next]).to.deep.equal([1, 2, 3, null]);
  });

  it('copies SGEs', () => {
    const sge = { addr: 2 ** 40, length: 8, lkey: 0xffffffff };
    const wr = new SendWr({ sgList: [sge] });
    expect(wr.sgList[0]).to.be.instanceOf(Sge);
    expect(wr.sgList[0]).to.include(sge);
  });

  it('refuses what does not fit, by name', () => {
    const wrong: Record<string, SendWrInit> = {
      wrId: { wrId: 2 ** 53 },
      opcode: { opcode: 1.5 },
      sendFlags: { sendFlags: -1 },
      immData: { immData: 2 ** 32 },
      invalidateRkey: { invalidateRkey: -1 },
      rkey: { rkey: NaN },
      remoteAddr: { remoteAddr: -1 },
      compareAdd: { compareAdd: 2n ** 64n },
      swap: { swap: -1n },
      remoteQpn: { remoteQpn: '7' as never },
      'addr of an SGE': { sgList: [new Sge(-1)] },
      'length of an SGE': { sgList: [new Sge(0, 2 ** 32)] },
      'lkey of an SGE': { sgList: [new Sge(0, 0, 0.5)] },
    };
    for (const [what, init] of Object.entries(wrong)) {
      const error = errorOf(() => new SendWr(init));
      expect(error.code, what).to.equal('EINVAL');
      expect(error.details?.['what'], what).to.equal(what);
    }
    expect(errorOf(() => new SendWr({ remoteAddr: 2n ** 64n })).message).to.contain('18446744073709551616n');
  });
});

describe('RecvWr', () => {
  it('is made of a literal', () => {
    const wr = new RecvWr({ wrId: 2 ** 40, sgList: [{ addr: 1, length: 2, lkey: 3 }], next: { wrId: 5 } });
    expect(wr.wrId).to.equal(2 ** 40);
    expect(wr.sgList).to.deep.equal([new Sge(1, 2, 3)]);
    expect(wr.next?.wrId).to.equal(5);
    expect(errorOf(() => new RecvWr({ wrId: -1 })).details?.['what']).to.equal('wrId');
  });
});
