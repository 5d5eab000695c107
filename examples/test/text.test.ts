import { expect } from 'chai';
import { formatBytes, formatRate } from '../src/text.ts';

describe('text', () => {
  it('formats bytes with three digits and a decimal unit', () => {
    expect([0, 999, 1000, 98_932_688, 1e9, 12.3e12].map(formatBytes)).to.deep.equal([
      '0 B',
      '999 B',
      '1.00 kB',
      '98.9 MB',
      '1.00 GB',
      '12.3 TB',
    ]);
    expect(formatBytes(999_900)).to.equal('1.00 MB');
  });

  it('formats rates', () => {
    expect(formatRate(98_932_688, 0.21)).to.equal('471 MB/s');
  });
});
