import { expect } from 'chai';
import fc from 'fast-check';
import { BuddyHeap, HEAP_WORDS, orderOf } from '../src/buddy-heap.ts';
import { NaiveHeap } from './support/naive-heap.ts';
import type { Step } from './support/naive-heap.ts';

const PAGES = 96;
const FIRST_PAGE = 5;
const TABLE = HEAP_WORDS;
const WORDS = TABLE + 4 * PAGES;

class CutOff extends Error {}

/** A heap that dies after a number of stores, and counts them. */
class MortalHeap extends BuddyHeap {
  storesLeft = Infinity;
  stores = 0;

  protected override put(index: number, value: number): void {
    this.live();
    super.put(index, value);
  }

  protected override commit(index: number, value: number): void {
    this.live();
    super.commit(index, value);
  }

  private live(): void {
    if (this.storesLeft-- <= 0) throw new CutOff();
    this.stores++;
  }
}

function heapOver(i32: Int32Array, pages = PAGES): MortalHeap {
  return new MortalHeap(i32, 0, TABLE, FIRST_PAGE, pages);
}

function freshHeap(): { i32: Int32Array; heap: MortalHeap } {
  const i32 = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const heap = heapOver(i32);
  heap.format();
  return { i32, heap };
}

function copyOf(i32: Int32Array): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(i32.byteLength));
  copy.set(i32);
  return copy;
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      count: fc.integer({ min: 1, max: 20 }),
      alignOrder: fc.integer({ min: 0, max: 4 }),
      owner: fc.integer({ min: 1, max: 3 }),
      above: fc.constantFrom(0, 0, 0, 40),
    }),
  },
  { weight: 2, arbitrary: fc.record({ free: fc.nat(30) }) },
);

/** Runs a step on the heap as on the model, with the model's choice of buffer. */
function run(heap: BuddyHeap, model: NaiveHeap, step: Step): void {
  if ('free' in step) {
    const page = model.nth(step.free);
    if (page !== 0) heap.free(page);
  } else {
    heap.alloc(step.count, step.alignOrder, step.owner, step.above);
  }
}

/** All pages one by one: proves that the free lists hold each free page, once, and nothing else. */
function drain(heap: BuddyHeap): number[] {
  const pages: number[] = [];
  for (let page = heap.alloc(1, 0, 9, 0); page !== 0 && pages.length <= PAGES; page = heap.alloc(1, 0, 9, 0)) {
    pages.push(page);
  }
  return pages.sort((a, b) => a - b);
}

/** Compares all that can be seen of a heap, and what becomes of it when everything is freed. */
function expectMatches(i32: Int32Array, model: NaiveHeap, what: string): void {
  const heap = heapOver(copyOf(i32));
  expect(heap.census(), what).to.deep.equal(model.census());
  for (let page = 0; page < PAGES; page++) expect(heap.find(page), `${what}: page ${page}`).to.equal(model.find(page));
  expect(drain(heap), what).to.deep.equal(model.freePages());
  // Freeing joins blocks, which a tag left over from before a rebuild would mislead.
  const emptied = heapOver(copyOf(i32));
  for (let page = 0; page < PAGES; page++) if (model.find(page) === page && page !== 0) emptied.free(page);
  const empty = new NaiveHeap(FIRST_PAGE, PAGES);
  expect(emptied.census(), what).to.deep.equal(empty.census());
  expect(drain(emptied), what).to.deep.equal(empty.freePages());
}

describe('BuddyHeap', () => {
  it('rounds page counts to orders', () => {
    expect([1, 2, 3, 4, 5, 8, 9, 4096, 4097].map(orderOf)).to.deep.equal([0, 1, 2, 2, 3, 3, 4, 12, 13]);
  });

  it('does what a naive heap does', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const { i32, heap } = freshHeap();
        const model = new NaiveHeap(FIRST_PAGE, PAGES);
        for (const step of steps) {
          if ('free' in step) {
            const page = model.nth(step.free);
            expect(heap.free(page)).to.equal(model.free(page));
            expect(heap.free(page), 'a second time').to.equal(0);
          } else {
            const page = heap.alloc(step.count, step.alignOrder, step.owner, step.above);
            expect(page !== 0).to.equal(model.fits(step));
            if (page === 0) continue;
            expect(page % (1 << step.alignOrder)).to.equal(0);
            expect(page).to.be.at.least(step.above);
            expect(heap.ownerAt(page)).to.equal(step.owner);
            expect(heap.sizeAt(page)).to.equal(step.count);
            expect(model.take(page, step), 'the pages were free').to.equal(true);
          }
        }
        expectMatches(i32, model, 'at the end');
      }),
      { numRuns: 120 },
    );
  });

  it('can be rebuilt after a cut at any store', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 14 }), anyStep, (steps, last) => {
        const { i32, heap } = freshHeap();
        for (const step of steps) run(heap, NaiveHeap.of(heap, FIRST_PAGE, PAGES), step);
        const before = NaiveHeap.of(heap, FIRST_PAGE, PAGES);
        const uncut = heapOver(copyOf(i32));
        run(uncut, before, last);
        const after = NaiveHeap.of(uncut, FIRST_PAGE, PAGES);
        for (let cut = 0; cut < uncut.stores; cut++) {
          const memory = copyOf(i32);
          const mortal = heapOver(memory);
          mortal.storesLeft = cut;
          expect(() => {
            run(mortal, before, last);
          }).to.throw(CutOff);
          const survivor = heapOver(memory);
          survivor.rebuild();
          // The step took effect or it did not; there is nothing in between.
          const committed = survivor.census().buffers === after.census().buffers;
          expectMatches(memory, committed ? after : before, `cut at store ${cut}`);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('can be rebuilt after a cut in a rebuild', () => {
    const { i32, heap } = freshHeap();
    for (const count of [3, 1, 7, 2, 5]) heap.alloc(count, 0, 1, 0);
    heap.free(NaiveHeap.of(heap, FIRST_PAGE, PAGES).nth(2));
    const model = NaiveHeap.of(heap, FIRST_PAGE, PAGES);
    const uncut = heapOver(copyOf(i32));
    uncut.rebuild();
    for (let cut = 0; cut < uncut.stores; cut++) {
      const memory = copyOf(i32);
      const mortal = heapOver(memory);
      mortal.storesLeft = cut;
      expect(() => {
        mortal.rebuild();
      }).to.throw(CutOff);
      heapOver(memory).rebuild();
      expectMatches(memory, model, `cut at store ${cut}`);
    }
  });

  it('is not misled by tags from before a rebuild', () => {
    const { i32, heap } = freshHeap();
    drain(heap);
    // Pages 8 and 9 are a free block, 10 is another; freeing 11 would join them all, but is cut off after its commit.
    for (const page of [8, 9, 10]) heap.free(page);
    heap.storesLeft = 1;
    expect(() => heap.free(11)).to.throw(CutOff);
    const survivor = heapOver(i32);
    survivor.rebuild();
    expect(survivor.census().largestFreePages).to.equal(4);
    // Page 10, within the buffer now, still bears the tag of a free page; 11 goes back as its buddy.
    expect(survivor.alloc(3, 0, 1, 0)).to.equal(8);
    expect(survivor.census()).to.include({ freePages: 1, largestFreePages: 1 });
    expect(drain(survivor)).to.deep.equal([11]);
  });

  it('joins what was split', () => {
    const { heap } = freshHeap();
    const before = heap.census();
    const pages = Array.from({ length: PAGES - FIRST_PAGE }, () => heap.alloc(1, 0, 1, 0));
    expect(heap.census().freePages).to.equal(0);
    for (const page of pages.sort((a, b) => (a % 7) - (b % 7))) heap.free(page);
    expect(heap.census()).to.deep.equal(before);
  });

  it('does as many stores with 100,000 buffers as with 100', () => {
    const pages = 131072;
    const heap = heapOver(new Int32Array(new SharedArrayBuffer((TABLE + 4 * pages) * 4)), pages);
    heap.format();
    const storesOf = (action: () => void): number => {
      heap.stores = 0;
      action();
      return heap.stores;
    };
    const worst = (): number => {
      let most = 0;
      for (let i = 0; i < 64; i++) {
        let page = 0;
        most = Math.max(
          most,
          storesOf(() => {
            page = heap.alloc(1, 0, 1, 0);
          }),
        );
        if (i % 2 === 0)
          most = Math.max(
            most,
            storesOf(() => heap.free(page)),
          );
      }
      return most;
    };
    for (let i = 0; i < 100; i++) heap.alloc(1, 0, 1, 0);
    const few = worst();
    for (let i = 0; i < 100000; i++) heap.alloc(1, 0, 1, 0);
    expect(worst()).to.be.at.most(few + 5 * 17);
    expect(few).to.be.at.most(10 * 17);
  });
});
