import { expect } from 'chai';
import { AethSyndrome, CREDIT_CODE_UNLIMITED, creditCode, creditCount, formatSyndrome } from '../src/aeth.ts';

describe('credits', () => {
  it('are those of the specification', () => {
    const counts = Array.from({ length: 32 }, (_, code) => creditCount(code));
    expect(counts).to.deep.equal([
      0,
      1,
      2,
      3,
      4,
      6,
      8,
      12,
      16,
      24,
      32,
      48,
      64,
      96,
      128,
      192,
      256,
      384,
      512,
      768,
      1024,
      1536,
      2048,
      3072,
      4096,
      6144,
      8192,
      12288,
      16384,
      24576,
      32768,
      Infinity,
    ]);
  });

  it('are rounded down to a code', () => {
    for (let code = 0; code < CREDIT_CODE_UNLIMITED; code++) {
      expect(creditCode(creditCount(code))).to.equal(code);
      expect(creditCode(creditCount(code + 1) - 1)).to.equal(code);
    }
    expect(creditCode(1e9)).to.equal(30);
  });
});

describe('syndromes', () => {
  it('are said in words', () => {
    const words = [0x00, 0x05, 0x1f, 0x20, 0x2c, 0x3f, 0x40, 0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x80, 0xff];
    expect(words.map(formatSyndrome)).to.deep.equal([
      'ACK, credits 0',
      'ACK, credits 6',
      'ACK',
      'RNR NAK, wait 655.36 ms',
      'RNR NAK, wait 0.64 ms',
      'RNR NAK, wait 491.52 ms',
      'reserved syndrome 0x40',
      'NAK PSN sequence error',
      'NAK invalid request',
      'NAK remote access error',
      'NAK remote operational error',
      'NAK invalid RD request',
      'NAK of code 5',
      'reserved syndrome 0x80',
      'reserved syndrome 0xff',
    ]);
    expect(formatSyndrome(AethSyndrome.RNR_NAK | 1)).to.equal('RNR NAK, wait 0.01 ms');
  });
});
