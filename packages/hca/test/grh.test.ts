import { expect } from 'chai';
import { completeGrh, GRH_BYTES, GRH_WORDS, makeGrh } from '../src/grh.ts';

function gid(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** The header that a receiver finds, in hexadecimal. */
function headerOf(template: Uint8Array, length: number, withImm: boolean): string {
  const i32 = new Int32Array(2 * GRH_WORDS);
  new Uint8Array(i32.buffer).set(template);
  completeGrh(i32, 0, GRH_WORDS, length, withImm);
  return Buffer.from(i32.buffer, GRH_BYTES).toString('hex');
}

const route = { flowLabel: 0xabcde, hopLimit: 64, trafficClass: 0x5a };

describe('the header in front of a datagram', () => {
  it('is that of IPv6', () => {
    const [sgid, dgid] = ['fe800000000000000200000004f56001', 'fe800000000000000200000004f56102'];
    const template = makeGrh({ ...route, sgid: gid(sgid), dgid: gid(dgid) });
    expect(headerOf(template, 0, false)).to.equal(`65aabcde00201140${sgid}${dgid}`);
    expect(headerOf(template, 5, false)).to.equal(`65aabcde00281140${sgid}${dgid}`);
    expect(headerOf(template, 4096, true)).to.equal(`65aabcde10241140${sgid}${dgid}`);
  });

  it('is that of IPv4, in the last 20 bytes, with its checksum', () => {
    const mapped = (address: string): Uint8Array => gid(`00000000000000000000ffff${address}`);
    const template = makeGrh({ ...route, sgid: mapped('c0000201'), dgid: mapped('0a000001') });
    // 20 + 8 + 12 + 8 + 8 + 4 bytes.
    const expected = '455a003c' + '00004000' + '4011----' + 'c0000201' + '0a000001';
    const words = expected.replace('----', '0000').match(/.{4}/g)!;
    let sum = words.reduce((total, word) => total + parseInt(word, 16), 0);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    const checksum = (~sum & 0xffff).toString(16).padStart(4, '0');
    expect(headerOf(template, 6, false)).to.equal('00'.repeat(20) + expected.replace('----', checksum));
  });
});
