import { expect } from 'chai';
import { portId } from '@openverbs/netdev';
import { EngineHeader } from '../src/layout.ts';
import { HCAS_MAX } from '../src/limits.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';

describe('Hca', () => {
  it('has a GID a port, the link-local address of the port GUID', () => {
    const bed = new Testbed();
    const hca = bed.engine.createHca({ name: 'x', guidHi: 0x02aabbcc, guidLo: 0xfffffffe, ports: 2 });
    expect(Buffer.from(hca.gid(1)).toString('hex')).to.equal('fe8000000000000002aabbccffffffff');
    expect(hca.guid).to.deep.equal([0x02aabbcc, 0xfffffffe]);
    expect(bed.engine.link.lookup(new Int32Array(hca.gid(2).slice().buffer))).to.equal(portId(1, 2));
  });

  it('keeps the name it was given, as long as it fits', () => {
    const bed = new Testbed();
    const name = 'n'.repeat(80);
    bed.engine.createHca({ name, guidHi: 1, guidLo: 0x1000, ports: 1 });
    expect(bed.engine.hcas.map((hca) => hca.name)).to.deep.equal(['hca0', name.slice(0, 63)]);
  });

  it('is not made with a GUID that another has', () => {
    const bed = new Testbed();
    for (const guidLo of [0xff, 0x100, 0x101]) {
      const twin = { name: 'twin', guidHi: 0x02000000, guidLo, ports: 2 };
      expectDeviceError(() => bed.engine.createHca(twin), 'EINVAL', /GUID/);
    }
    bed.engine.createHca({ name: 'next', guidHi: 0x02000000, guidLo: 0x102, ports: 1 });
    expect(bed.engine.hcas).to.have.length(2);
  });

  it(`is one of at most ${HCAS_MAX} of a machine`, () => {
    const bed = new Testbed(2 ** 31);
    for (let n = 1; n < HCAS_MAX; n++) {
      bed.engine.createHca({ name: `hca${n}`, guidHi: 1, guidLo: n * 256, ports: 16 });
    }
    const one = { name: 'more', guidHi: 1, guidLo: 0x100000, ports: 1 };
    expectDeviceError(() => bed.engine.createHca(one), 'ENOSPC', /16/);
    expect(bed.i32[bed.engine.header + EngineHeader.HCA_COUNT]).to.equal(HCAS_MAX);
  });

  it('that finds no memory is not made', () => {
    const bed = new Testbed(96 * 2 ** 20);
    const one = { name: 'second', guidHi: 1, guidLo: 0x100000, ports: 1 };
    expectDeviceError(() => bed.engine.createHca(one), 'ENOMEM', /memoryBytes/);
    expect(bed.engine.hcas).to.have.length(1);
  });
});
