import { expect } from 'chai';
import fc from 'fast-check';
import { IndexAllocator, Machine } from '../src/index.ts';
import { expectError } from './support/errors.ts';

class CutOff extends Error {}

/** An allocator that dies after a number of stores. */
class MortalIndexAllocator extends IndexAllocator {
  storesLeft = Infinity;

  protected override put(word: number, value: number): void {
    if (this.storesLeft-- <= 0) throw new CutOff();
    super.put(word, value);
  }
}

const machine = Machine.create({ memoryBytes: 1048576 });

function withAllocator(capacity: number, use: (addr: number) => void): void {
  const addr = machine.pages.alloc(IndexAllocator.bytes(capacity), 4096, 1);
  try {
    use(addr);
  } finally {
    if (machine.lock.isHeld) machine.lock.release();
    machine.pages.free(addr);
  }
}

describe('IndexAllocator', () => {
  it('hands out fresh indices in order, freed ones last in first out', () => {
    withAllocator(4, (addr) => {
      const indices = new IndexAllocator(machine, addr, 4);
      expect([indices.alloc(), indices.alloc(), indices.alloc()]).to.deep.equal([0, 1, 2]);
      indices.free(0);
      indices.free(2);
      expect(indices.inUse).to.equal(1);
      expect([indices.alloc(), indices.alloc(), indices.alloc(), indices.alloc()]).to.deep.equal([2, 0, 3, -1]);
      expect(indices.inUse).to.equal(4);
      indices.free(3);
      expect(indices.highWater, 'indices below it were handed out once').to.equal(4);
    });
  });

  it('needs no initialisation and is shared by whoever knows its address', () => {
    withAllocator(1000, (addr) => {
      expect(IndexAllocator.bytes(1000)).to.be.within(4000, 4096);
      const here = new IndexAllocator(machine, addr, 1000);
      const there = new IndexAllocator(Machine.attach(machine.handle), addr, 1000);
      expect([here.alloc(), there.alloc(), here.inUse]).to.deep.equal([0, 1, 2]);
      there.free(0);
      expect([here.isUsed(0), here.isUsed(1), here.isUsed(2), here.isUsed(-1), here.isUsed(1000)]).to.deep.equal([
        false,
        true,
        false,
        false,
        false,
      ]);
    });
  });

  it('refuses an index that is not in use, and a place that cannot be', () => {
    withAllocator(4, (addr) => {
      const indices = new IndexAllocator(machine, addr, 4);
      indices.free(indices.alloc());
      for (const index of [0, 1, 4, -1, 0.5, NaN])
        expectError(
          () => {
            indices.free(index);
          },
          'EINVAL',
          /not in use/,
        );
      expect(machine.lock.ownerIndex).to.equal(0);
      expectError(() => new IndexAllocator(machine, addr + 1, 4), 'EINVAL');
      expectError(() => new IndexAllocator(machine, addr, 0), 'EINVAL');
      expectError(() => new IndexAllocator(machine, 0, 4), 'EINVAL');
    });
  });

  it('does what a set does, and survives a cut at any store', () => {
    const step = fc.integer({ min: -8, max: 8 }); // negative: free the n-th
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(5), (steps, cut) => {
        withAllocator(8, (addr) => {
          const used = new Set<number>();
          const indices = new MortalIndexAllocator(machine, addr, 8);
          for (const n of steps) {
            // Each second operation is cut off; then the table of objects, here the set, says what exists.
            indices.storesLeft = n % 2 === 0 ? cut : Infinity;
            try {
              if (n >= 0) {
                const index = indices.alloc();
                expect(index >= 0).to.equal(used.size < 8);
                if (index < 0) continue;
                expect(used.has(index)).to.equal(false);
                used.add(index);
              } else if (used.size > 0) {
                const index = [...used][-n % used.size];
                used.delete(index);
                indices.free(index);
              }
            } catch (error) {
              if (!(error instanceof CutOff)) throw error;
              indices.storesLeft = Infinity;
              indices.rebuild((index) => used.has(index));
              machine.lock.release();
            }
            expect(indices.inUse).to.equal(used.size);
            for (let index = 0; index < 8; index++) expect(indices.isUsed(index)).to.equal(used.has(index));
          }
        });
      }),
      { numRuns: 300 },
    );
  });
});
