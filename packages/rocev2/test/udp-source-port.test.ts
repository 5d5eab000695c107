import { expect } from 'chai';
import fc from 'fast-check';
import { udpSourcePort } from '../src/udp-source-port.ts';

const qpns = fc.integer({ min: 0, max: 0xffffff });

describe('udpSourcePort', () => {
  it('folds the flow label', () => {
    expect(udpSourcePort(1, 2, 3)).to.equal(0xc001);
    expect(udpSourcePort(0xfffff, 0, 0)).to.equal(0xffc0);
    expect(udpSourcePort(0x4000, 0, 0)).to.equal(0xc001);
    expect(udpSourcePort(0x12345, 7, 8)).to.equal(0xc000 | (0x2345 ^ 4));
  });

  it('makes a flow label of both QPNs, the same from both sides', () => {
    fc.assert(
      fc.property(qpns, qpns, (local, remote) => {
        let v = BigInt(local) * BigInt(remote);
        v ^= v >> 20n;
        v ^= v >> 40n;
        const label = Number(v & 0xfffffn);
        expect(udpSourcePort(0, local, remote)).to.equal(0xc000 | ((label & 0x3fff) ^ (label >>> 14)));
        expect(udpSourcePort(0, remote, local)).to.equal(udpSourcePort(0, local, remote));
      }),
      { examples: [[0xffffff, 0xffffff]] },
    );
  });
});
