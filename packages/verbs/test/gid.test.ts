import { expect } from 'chai';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { Gid } from '../src/gid.ts';
import { errorOf } from './support/fake-provider.ts';

describe('Gid', () => {
  it('prints eight groups of four digits', () => {
    expect(String(Gid.parse('fe80::202:c9ff:fe00:1'))).to.equal('fe80:0000:0000:0000:0202:c9ff:fe00:0001');
    expect(String(new Gid())).to.equal('0000:0000:0000:0000:0000:0000:0000:0000');
    expect(inspect(Gid.parse('::1'))).to.equal('Gid 0000:0000:0000:0000:0000:0000:0000:0001');
  });

  it('reads IPv4 notation as a mapped address', () => {
    const text = '0000:0000:0000:0000:0000:ffff:c000:0201';
    expect(String(Gid.parse('192.0.2.1'))).to.equal(text);
    expect(String(Gid.parse('::ffff:192.0.2.1'))).to.equal(text);
    expect(Gid.parse('192.0.2.1').isIpv4Mapped).to.equal(true);
    expect(Gid.parse('::192.0.2.1').isIpv4Mapped).to.equal(false);
  });

  it('refuses what is no address', () => {
    const wrong = [
      '',
      'x',
      ':',
      '1:2:3',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      '12345::',
      '5',
      '1.2.3',
      '.',
      '1.2.3.256',
      '1:2:3:4:5:6:7::8',
    ];
    for (const text of wrong)
      expect(
        errorOf(() => Gid.parse(text)),
        text,
      ).to.include({ code: 'EINVAL', verb: 'Gid.parse' });
    expect(errorOf(() => new Gid([1, 2, 3])).code).to.equal('EINVAL');
  });

  it('survives text and its two halves', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const gid = new Gid(bytes);
        expect(Gid.parse(String(gid)).equals(gid)).to.equal(true);
        expect(Gid.from(gid.subnetPrefix, gid.interfaceId).equals(gid)).to.equal(true);
        expect(Gid.parse(JSON.parse(JSON.stringify(gid)) as string).equals(gid)).to.equal(true);
      }),
    );
  });

  it('reads what Node compresses', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const url = new URL(`http://[${text}]/`).hostname.slice(1, -1);
        expect(Gid.parse(text).equals(Gid.parse(url))).to.equal(true);
      }),
    );
  });

  it('knows special addresses', () => {
    expect(new Gid().isZero).to.equal(true);
    expect(Gid.parse('ff12::1').isMulticast).to.equal(true);
    expect(Gid.parse('224.0.0.1').isMulticast).to.equal(true);
    expect(Gid.parse('10.0.0.1').isMulticast).to.equal(false);
    expect(Gid.parse('::1').isZero).to.equal(false);
  });
});
