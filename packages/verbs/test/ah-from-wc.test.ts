import { expect } from 'chai';
import { WcFlags } from '../src/enums/wc.ts';
import { Gid } from '../src/gid.ts';
import { WorkCompletion } from '../src/work-completion.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

/** Version 6, traffic class 0xab, flow label 0xcdef1, 48 bytes, UDP, hop limit 7; from fe80::9 to fe80::1. */
const IPV6 = '6abcdef1' + '00301107' + 'fe800000000000000000000000000009' + 'fe800000000000000000000000000001';
/** Behind 20 bytes that mean nothing: TOS 0x28, TTL 9, UDP; from 192.0.2.1 to 10.0.0.1. */
const IPV4 = '00'.repeat(20) + '45280044' + '00004000' + '09110000' + 'c0000201' + '0a000001';

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** With the checksum of the IPv4 header. */
function withChecksum(bytes: Uint8Array): Uint8Array {
  let sum = 0;
  for (let at = 20; at < 40; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.set([(~sum >>> 8) & 0xff, ~sum & 0xff], 30);
  return bytes;
}

function completion(fields: Partial<WorkCompletion> = {}): WorkCompletion {
  return Object.assign(new WorkCompletion(), { wcFlags: WcFlags.GRH, sl: 3, ...fields });
}

describe('an address handle from a work completion', () => {
  // Port 1 of the fake has fe80::1 for RoCE v1 at index 0, and 10.0.0.1 for RoCE v2 at index 1.
  const { context } = openFake();
  const init = (hex: string | Uint8Array, wc = completion()) =>
    context.initAhFromWc(1, wc, typeof hex === 'string' ? bytesOf(hex) : hex);

  it('reads the IPv6 header', () => {
    const roceV1 = init(IPV6.replace('00301107', '00301b07'));
    expect(roceV1).to.deep.equal({
      dlid: 0,
      sl: 3,
      srcPathBits: 0,
      portNum: 1,
      isGlobal: true,
      grh: { dgid: Gid.parse('fe80::9'), sgidIndex: 0, flowLabel: 0xcdef1, hopLimit: 7, trafficClass: 0xab },
    });
  });

  it('reads the IPv4 header, also when what is in front of it looks like version 6', () => {
    for (const first of [0, 0x60]) {
      const bytes = withChecksum(bytesOf(IPV4));
      bytes[0] = first;
      const grh = { dgid: Gid.parse('192.0.2.1'), sgidIndex: 1, flowLabel: 0, hopLimit: 9, trafficClass: 0x28 };
      expect(init(bytes).grh).to.deep.equal(grh);
    }
  });

  it('takes IPv6 for IPv6 although its addresses look like an IPv4 header', () => {
    const bytes = bytesOf(IPV6.replace('00301107', '00301b07'));
    bytes[20] = 0x45; // within the source address
    expect(init(bytes).grh?.hopLimit).to.equal(7);
  });

  it('needs no header on InfiniBand within a subnet', () => {
    const wc = completion({ wcFlags: 0, slid: 17, dlidPathBits: 2 });
    const attr = { dlid: 17, sl: 3, srcPathBits: 2, portNum: 1, isGlobal: false };
    expect(context.initAhFromWc(1, wc, new Uint8Array())).to.deep.equal(attr);
  });

  it('refuses what is no way back', () => {
    const group = IPV6.replace(/fe800000000000000000000000000001$/, 'ff020000000000000000000000000001');
    for (const [call, text] of [
      [() => init(bytesOf(IPV6).subarray(1)), /39 bytes, not 40/],
      [() => context.initAhFromWc(3, completion(), bytesOf(IPV6)), /portNum is 3/],
      [() => context.initAhFromWc(1, completion(), [] as unknown as Uint8Array), /not a Uint8Array/],
      [() => init('5' + IPV6.slice(1)), /no IP header, but version 5/],
      [() => init(IPV6.replace('00301107', '00300607')), /protocol 6/],
      [() => init(IPV6), /port 1 has no GID fe80/], // the fake has it for RoCE v1 only
      [() => init(group), /the multicast group ff02/],
      [() => init(withChecksum(bytesOf(IPV4.replace('0a000001', 'e0000001')))), /the multicast group/],
      [() => init(withChecksum(bytesOf(IPV4.replace('0a000001', '0a000009')))), /no GID .*0a00:0009/],
    ] as const) {
      const error = errorOf(call);
      expect([error.code, error.verb]).to.deep.equal(['EINVAL', 'ibv_init_ah_from_wc']);
      expect(error.message).to.match(text);
    }
  });

  it('makes an address handle at once', () => {
    const pd = context.allocPd();
    const ah = pd.createAhFromWc(completion(), withChecksum(bytesOf(IPV4)), 1);
    expect(ah.attr.grh?.dgid.toString()).to.match(/ffff:c000:0201$/);
    expect(ah.attr.grh?.sgidIndex).to.equal(1);
    expect(errorOf(() => pd.createAhFromWc(completion(), bytesOf(IPV6), 1)).verb).to.equal('ibv_create_ah_from_wc');
    ah.destroy();
    pd.dealloc();
    expect(errorOf(() => pd.createAhFromWc(completion(), bytesOf(IPV6), 1)).message).to.contain('already destroyed');
  });
});
