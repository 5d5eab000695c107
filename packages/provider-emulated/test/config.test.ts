import { inspect } from 'node:util';
import { expect } from 'chai';
import { VerbsError } from '@openverbs/verbs';
import { parseConfig } from '../src/config.ts';

const GiB = 2 ** 30;

/** Every key with values that it does not take; the error names the key, the value and what would be right. */
const refused: [value: unknown, text: RegExp][] = [
  [1, /emulated is 1.*an object/],
  ['emulated', /emulated is 'emulated'.*an object/],
  [[], /emulated is \[\].*an object/],
  [{ device: 1 }, /emulated has no key 'device'.*devices, placement, memoryBytes/],
  [{ devices: 1, Placement: 'inline' }, /no key 'Placement'/],
  [{ placement: 'worker' }, /emulated.placement is 'worker'.*'inline' or 'thread'/],
  [{ placement: null }, /emulated.placement is null/],
  [{ placement: ['inline'] }, /emulated.placement/],
  ...[0, -1, 17, 1.5, NaN, Infinity].map((devices): [unknown, RegExp] => [
    { devices },
    /emulated.devices is .*1 to 16/,
  ]),
  ...['2', true, {}, null, 2n].map((devices): [unknown, RegExp] => [
    { devices },
    /emulated.devices is .*number or a list/,
  ]),
  [{ devices: [] }, /emulated.devices is \[\].*list of 1 to 16/],
  [{ devices: new Array(17).fill({}) }, /emulated.devices.*list of 1 to 16/],
  [{ devices: [{}, 7] }, /emulated.devices\[1\] is 7.*an object/],
  [{ devices: [{ port: 1 }] }, /emulated.devices\[0\] has no key 'port'.*name, ports/],
  [{ devices: [{ gids: 'fe80::1' }] }, /emulated.devices\[0\].gids is 'fe80::1'.*list/],
  ...['nonsense', '::', 'ff02::1', '224.0.0.1', 7, null].map((gid): [unknown, RegExp] => [
    { devices: [{ gids: [{ gid }] }] },
    /emulated.devices\[0\].gids\[0\].gid is .*address/,
  ]),
  [{ devices: [{ gids: [{ gid: 'fe80::1', port: 2 }] }] }, /gids\[0\].port is 2.*1 to 1/],
  [{ devices: [{ gids: [{ gid: 'fe80::1', type: 2 }] }] }, /gids\[0\] has no key 'type'/],
  ...['', '0200', '0200:0000:0000:010g', '0000:0000:0000:0000', '0200:0000:0000:0100:', 7, null].map(
    (guid): [unknown, RegExp] => [{ devices: [{ guid }] }, /emulated.devices\[0\].guid is .*four groups/],
  ),
  [{ devices: [{ name: '' }] }, /emulated.devices\[0\].name is ''.*letters/],
  [{ devices: [{ name: 'a b' }] }, /name is 'a b'/],
  [{ devices: [{ name: 'ü' }] }, /name is 'ü'/],
  [{ devices: [{ name: 'n'.repeat(64) }] }, /1 to 63/],
  [{ devices: [{ name: 5 }] }, /name is 5/],
  [{ devices: [{}, { name: 'emulated0' }] }, /emulated.devices is 'emulated0'.*no other has/],
  ...[0, 17, -1, 1.5, '1', null].map((ports): [unknown, RegExp] => [
    { devices: [{ ports }] },
    /emulated.devices\[0\].ports is .*1 to 16/,
  ]),
  ...[0, 134217727, 4 * GiB + 1, 1e9 + 0.5, '4 GiB', NaN, null, 1n].map((memoryBytes): [unknown, RegExp] => [
    { memoryBytes },
    /emulated.memoryBytes is .*134217728 to 4294967296/,
  ]),
  [{ packets: 1 }, /emulated.packets is 1.*true or false/],
  [{ packets: false, faults: {} }, /emulated.packets is false.*emulated.faults/],
  [{ faults: 0.1 }, /emulated.faults is 0.1.*an object/],
  [{ faults: { loss: 0.1 } }, /emulated.faults has no key 'loss'.*drop/],
  ...['drop', 'duplicate', 'reorder', 'corrupt'].flatMap((key) =>
    [-0.1, 1.1, NaN, '0.5', null].map((value): [unknown, RegExp] => [
      { faults: { [key]: value } },
      new RegExp(`emulated.faults.${key} is .*from 0 to 1`),
    ]),
  ),
  [{ faults: { delay: -1 } }, /emulated.faults.delay is -1.*from 0 to 10000000/],
  [{ faults: { seed: 0.5 } }, /emulated.faults.seed is 0.5.*safe integer/],
  ...[5, ['emulated0'], [['emulated1']], [['emulated0'], ['emulated0']]].map((partition): [unknown, RegExp] => [
    { faults: { partition } },
    /emulated.faults.partition is .*devices are emulated0/,
  ]),
];

describe('the configuration of the emulated provider', () => {
  it('has a default for everything', () => {
    const defaults = {
      devices: [{ name: 'emulated0', ports: 1, gids: [], pkeys: [0xffff] }],
      placement: 'inline',
      memoryBytes: 4 * GiB,
      packets: undefined,
      faults: undefined,
    };
    for (const value of [undefined, null, {}]) expect(parseConfig(value)).to.deep.equal(defaults);
  });

  it('takes a number of devices, or a list', () => {
    expect(parseConfig({ devices: 3 }).devices.map(({ name }) => name)).to.deep.equal([
      'emulated0',
      'emulated1',
      'emulated2',
    ]);
    expect(parseConfig({ devices: [{ ports: 16 }, { name: 'mlx5_0' }, { pkeys: [7, 0x8007] }] }).devices).to.deep.equal(
      [
        { name: 'emulated0', ports: 16, gids: [], pkeys: [0xffff] },
        { name: 'mlx5_0', ports: 1, gids: [], pkeys: [0xffff] },
        { name: 'emulated2', ports: 1, gids: [], pkeys: [7, 0x8007] },
      ],
    );
    expect(parseConfig({ devices: 16 }).devices).to.have.length(16);
  });

  it('takes addresses, of port 1 unless said', () => {
    const gids = ['10.0.0.1', { port: 2, gid: '2001:db8::1' }];
    const [device] = parseConfig({ devices: [{ ports: 2, gids }] }).devices;
    expect(device.gids.map(({ port, gid }) => `${port} ${gid.toString()}`)).to.deep.equal([
      '1 0000:0000:0000:0000:0000:ffff:0a00:0001',
      '2 2001:0db8:0000:0000:0000:0000:0000:0001',
    ]);
  });

  it('takes both placements, and memory from 128 MiB to 4 GiB', () => {
    for (const placement of ['inline', 'thread']) expect(parseConfig({ placement }).placement).to.equal(placement);
    for (const memoryBytes of [134217728, 4 * GiB])
      expect(parseConfig({ memoryBytes }).memoryBytes).to.equal(memoryBytes);
  });

  for (const [value, text] of refused) {
    it(`refuses ${inspect(value, { breakLength: Infinity, maxArrayLength: 2, maxStringLength: 12 })}`, () => {
      let caught: unknown;
      try {
        parseConfig(value);
      } catch (error) {
        caught = error;
      }
      expect(VerbsError.is(caught)).to.equal(true);
      const { code, message, hint } = caught as VerbsError;
      expect(code).to.equal('EINVAL');
      expect(`${message} ${hint}`).to.match(text);
    });
  }

  it('refuses a value that refers to itself', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => parseConfig({ placement: circle })).to.throw(/emulated.placement is/);
  });
});
