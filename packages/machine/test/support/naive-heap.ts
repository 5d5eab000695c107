/** What a page heap means, without any cleverness: the model that the buddy heap is compared with. */
import type { BuddyHeap, HeapCensus } from '../../src/buddy-heap.ts';

export interface AllocStep {
  readonly count: number;
  readonly alignOrder: number;
  readonly owner: number;
  readonly above: number;
}

export type Step = AllocStep | { readonly free: number };

export class NaiveHeap {
  private readonly firstPage: number;
  private readonly pages: number;
  private readonly buffers = new Map<number, number>();

  constructor(firstPage: number, pages: number) {
    this.firstPage = firstPage;
    this.pages = pages;
  }

  /** A model of the present state of a heap, by its records. */
  static of(heap: BuddyHeap, firstPage: number, pages: number): NaiveHeap {
    const model = new NaiveHeap(firstPage, pages);
    for (let page = firstPage; page < pages; page++) {
      if (heap.ownerAt(page) !== 0) model.buffers.set(page, heap.sizeAt(page));
    }
    return model;
  }

  /** First page of one of the buffers, or 0. */
  nth(n: number): number {
    const firsts = [...this.buffers.keys()].sort((a, b) => a - b);
    return firsts.length === 0 ? 0 : firsts[n % firsts.length];
  }

  /** Whether an aligned free block holds the request: buddies are aligned to their size. */
  fits({ count, alignOrder, above }: AllocStep): boolean {
    const size = Math.max(1 << alignOrder, 2 ** Math.ceil(Math.log2(count)));
    for (let page = size; page + size <= this.pages; page += size) {
      if (page >= above && this.isFree(page, size)) return true;
    }
    return false;
  }

  take(page: number, { count }: AllocStep): boolean {
    if (!this.isFree(page, count)) return false;
    this.buffers.set(page, count);
    return true;
  }

  free(page: number): number {
    const count = this.buffers.get(page) ?? 0;
    this.buffers.delete(page);
    return count;
  }

  find(page: number): number {
    for (const [first, count] of this.buffers) if (page >= first && page < first + count) return first;
    return 0;
  }

  freePages(): number[] {
    const free: number[] = [];
    for (let page = this.firstPage; page < this.pages; page++) if (this.find(page) === 0) free.push(page);
    return free;
  }

  census(): HeapCensus {
    const freePages = this.freePages().length;
    let largestFreePages = 0;
    for (let size = 1; size < this.pages; size *= 2) {
      for (let page = size; page + size <= this.pages; page += size)
        if (this.isFree(page, size)) largestFreePages = size;
    }
    const usedPages = this.pages - this.firstPage - freePages;
    return { usedPages, freePages, buffers: this.buffers.size, largestFreePages };
  }

  private isFree(page: number, count: number): boolean {
    if (page < this.firstPage || page + count > this.pages) return false;
    for (let p = page; p < page + count; p++) if (this.find(p) !== 0) return false;
    return true;
  }
}
