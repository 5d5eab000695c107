import { expect } from 'chai';
import { Machine, MachineError } from '@openverbs/machine';
import { deviceOf, LINK_GIDS_MAX, MemoryLink, portId, portOf } from '../src/index.ts';

const MEMORY_BYTES = 4 * 2 ** 20;

function createLink(): { machine: Machine; link: MemoryLink } {
  const machine = Machine.create({ memoryBytes: MEMORY_BYTES });
  return { machine, link: new MemoryLink(machine) };
}

const gid = (n: number): number[] => [0x80fe, 0, n, ~n];

describe('MemoryLink', () => {
  it('finds a port by all 128 bits of its GID', () => {
    const { link } = createLink();
    link.attach(gid(1), portId(0, 1));
    link.attach(gid(2), portId(3, 16));
    expect(link.lookup(gid(1))).to.equal(portId(0, 1));
    for (const words of [Int32Array.from(gid(2)), Uint32Array.from(gid(2))]) {
      expect(link.lookup(words)).to.equal(portId(3, 16));
    }
    for (let word = 0; word < 4; word++) {
      for (const bit of [1, 1 << 31]) {
        const other = gid(1);
        other[word] ^= bit;
        expect(link.lookup(other)).to.equal(-1);
      }
    }
  });

  it('is one for all threads of a machine, and one a machine', () => {
    const { machine, link } = createLink();
    link.attach(gid(1), portId(0, 1));
    const other = Machine.attach(machine.handle);
    const again = new MemoryLink(other);
    expect(again.lookup(gid(1))).to.equal(portId(0, 1));
    again.attach(gid(2), portId(1, 1));
    expect(link.lookup(gid(2))).to.equal(portId(1, 1));
    expect(createLink().link.lookup(gid(1))).to.equal(-1);
    other.detach();
  });

  it('forgets all GIDs of a port that is detached, and no others', () => {
    const { link } = createLink();
    link.attach(gid(1), portId(0, 1));
    link.attach(gid(2), portId(0, 2));
    link.attach(gid(3), portId(0, 1));
    link.detach(portId(0, 1));
    expect([1, 2, 3].map((n) => link.lookup(gid(n)))).to.deep.equal([-1, portId(0, 2), -1]);
    link.detach(portId(0, 1));
    link.attach(gid(1), portId(5, 1));
    expect([1, 2, 3].map((n) => link.lookup(gid(n)))).to.deep.equal([portId(5, 1), portId(0, 2), -1]);
  });

  it('refuses a GID that another port has', () => {
    const { link } = createLink();
    link.attach(gid(1), portId(0, 1));
    expect(() => {
      link.attach(gid(1), portId(1, 1));
    }).to.throw(RangeError, /port 1 of device 0/);
    link.attach(gid(1), portId(0, 1));
    link.detach(portId(0, 1));
    link.attach(gid(1), portId(1, 1));
    expect(link.lookup(gid(1))).to.equal(portId(1, 1));
  });

  it(`takes ${LINK_GIDS_MAX} addresses, and their places again when they are gone`, () => {
    const { link } = createLink();
    expect(link.available).to.equal(LINK_GIDS_MAX);
    for (let n = 0; n < LINK_GIDS_MAX; n++) link.attach(gid(n), portId(n >> 4, (n & 15) + 1));
    expect(link.available).to.equal(0);
    expect(() => {
      link.attach(gid(9999), portId(99, 1));
    }).to.throw(RangeError, /1024/);
    for (let n = 0; n < LINK_GIDS_MAX; n++) expect(link.lookup(gid(n))).to.equal(portId(n >> 4, (n & 15) + 1));
    link.detach(portId(7, 3));
    expect(link.available).to.equal(1);
    link.attach(gid(9999), portId(99, 1));
    expect(link.lookup(gid(9999))).to.equal(portId(99, 1));
  });

  it('knows the addresses of a port apart, and each goes alone', () => {
    const { link } = createLink();
    for (let index = 0; index < 3; index++) link.attach(gid(index), portId(2, 5), index);
    link.attach(gid(7), portId(0, 0xff), 15);
    for (const identity of [portId(2, 5), portId(2, 5, 15)]) {
      expect([deviceOf(identity), portOf(identity)]).to.deep.equal([2, 5]);
    }
    expect([0, 1, 2].map((index) => link.lookup(gid(index)))).to.deep.equal([0x205, 0x205, 0x205]);
    expect([0, 1, 2, 7, 8].map((n) => link.lookupAddress(gid(n)))).to.deep.equal([
      0x205, 0x10205, 0x20205, 0xf00ff, -1,
    ]);
    link.detachAddress(portId(2, 5, 1));
    expect([0, 1, 2].map((index) => link.lookup(gid(index)))).to.deep.equal([0x205, -1, 0x205]);
    link.detach(portId(2, 5));
    expect([0, 2, 7].map((n) => link.lookup(gid(n)))).to.deep.equal([-1, -1, 0xff]);
  });

  it('needs a page of machine memory', () => {
    const machine = Machine.create({ memoryBytes: MEMORY_BYTES });
    while (machine.pages.alloc(4096, 4096, 1) !== 0);
    expect(() => new MemoryLink(machine)).to.throw(MachineError, /forwarding table/);
  });
});
