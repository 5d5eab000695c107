/**
 * The buddy system over pages, as words in memory.
 *
 * Free-list links are kept in a table of page descriptors, not in the free pages: linking a page must not touch it (an untouched
 * page costs no memory and is known to be zero), and a stray store into a freed buffer must not reach the lists.
 *
 * Crash safety: of all words only OWNER and SIZE of a buffer's first page are records, and OWNER is stored last on allocation,
 * first on release. {@link BuddyHeap.rebuild} derives the rest from them, so an operation may be cut off at any store.
 *
 * All methods want the machine lock. Pages are numbers from 0; buddies of order n are blocks of 2^n pages.
 *
 * @packageDocumentation
 */
import { ORDERS, PAGE_WORDS_SHIFT, PageWords } from './header.ts';

const { OWNER, SIZE, NEXT, PREV } = PageWords;

/** One past the highest page that ever belonged to a buffer. */
const TOP = 0;
/** Counts rebuilds. */
const EPOCH = 1;
/** First pages of the free lists, by order. */
export const HEADS = 2;
/** Words that the state takes. */
export const HEAP_WORDS = HEADS + ORDERS;
/** Tags hold the epoch above 5 bits of order and below the sign. */
const EPOCH_MASK = 0x3ffffff;

/** Pages by count, as {@link BuddyHeap.census} found them. */
export interface HeapCensus {
  usedPages: number;
  freePages: number;
  buffers: number;
  largestFreePages: number;
}

/** Allocates runs of pages. */
export class BuddyHeap {
  protected readonly i32: Int32Array;
  private readonly state: number;
  private readonly table: number;
  private readonly firstPage: number;
  private readonly pages: number;

  /**
   * @param i32 - the memory
   * @param state - word index of {@link HEAP_WORDS} words
   * @param table - word index of the page descriptors, of which there are `pages`
   * @param firstPage - first page to hand out, not 0
   */
  constructor(i32: Int32Array, state: number, table: number, firstPage: number, pages: number) {
    this.i32 = i32;
    this.state = state;
    this.table = table;
    this.firstPage = firstPage;
    this.pages = pages;
  }

  /** Makes all pages free. The words must be zero; costs O(log n), whatever the size of the memory. */
  format(): void {
    this.put(this.state + TOP, this.firstPage);
    this.giveBack(this.firstPage, this.pages);
  }

  /**
   * Allocates `count` pages at a multiple of 2^`alignOrder` pages, and no page below `above`.
   *
   * @returns the first page, or 0 when there is no such run
   */
  alloc(count: number, alignOrder: number, owner: number, above: number): number {
    const order = Math.max(orderOf(count), alignOrder);
    if (order >= ORDERS) return 0;
    const page = above === 0 ? this.take(order) : this.takeAbove(order, above);
    if (page === 0) return 0;
    this.giveBack(page + count, page + (1 << order));
    if (page + count > this.i32[this.state + TOP]) this.put(this.state + TOP, page + count);
    const record = this.descriptor(page);
    this.put(record + SIZE, count);
    this.commit(record + OWNER, owner);
    return page;
  }

  /**
   * Frees the buffer that begins at a page.
   *
   * @returns its pages, or 0 when none begins there
   */
  free(page: number): number {
    if (this.ownerAt(page) === 0) return 0;
    const record = this.descriptor(page);
    const count = this.i32[record + SIZE];
    this.commit(record + OWNER, 0);
    this.giveBack(page, page + count);
    return count;
  }

  /** Stores another owner of the buffer that begins at a page; false when none does. */
  give(page: number, owner: number): boolean {
    if (this.ownerAt(page) === 0) return false;
    this.commit(this.descriptor(page) + OWNER, owner);
    return true;
  }

  /** First page of the buffer that contains a page, or 0. Looks at one page for each order. */
  find(page: number): number {
    if (!(page >= this.firstPage && page < this.pages)) return 0;
    for (let order = 0; order < ORDERS; order++) {
      // A buffer begins at a multiple of its size, rounded up to a power of two.
      const first = page & -(1 << order);
      if (this.ownerAt(first) !== 0) return this.sizeAt(first) > page - first ? first : 0;
    }
    return 0;
  }

  /** Owner of the buffer that begins at a page, or 0. */
  ownerAt(page: number): number {
    return page >= this.firstPage && page < this.pages ? Atomics.load(this.i32, this.descriptor(page) + OWNER) : 0;
  }

  /** Whether all pages from `from` to `to`, exclusive, are in buffers of an owner; looks at each buffer once. */
  isOwned(owner: number, from: number, to: number): boolean {
    for (let page = from; page < to;) {
      const first = this.find(page);
      if (first === 0 || this.ownerAt(first) !== owner) return false;
      page = first + this.sizeAt(first);
    }
    return true;
  }

  /** Pages of the buffer that begins at a page; one must. */
  sizeAt(page: number): number {
    return this.i32[this.descriptor(page) + SIZE];
  }

  /** First page of the first buffer of an owner at or after a page where a block begins, or 0. Walks the blocks in between. */
  nextOwned(owner: number, from: number): number {
    const top = this.i32[this.state + TOP];
    for (let page = Math.max(from, this.firstPage); page < top; page += this.blockPages(page)) {
      if (this.ownerAt(page) === owner) return page;
    }
    return 0;
  }

  /** Counts pages and buffers; walks all blocks. */
  census(): HeapCensus {
    const census: HeapCensus = { usedPages: 0, freePages: 0, buffers: 0, largestFreePages: 0 };
    for (let page = this.firstPage; page < this.pages; page += this.blockPages(page)) {
      const count = this.blockPages(page);
      if (this.ownerAt(page) !== 0) {
        census.usedPages += count;
        census.buffers++;
      } else {
        census.freePages += count;
        census.largestFreePages = Math.max(census.largestFreePages, count);
      }
    }
    return census;
  }

  /** Derives the free lists from the records, after an operation was cut off. Looks at all pages below the highest ever used. */
  rebuild(): void {
    // Tags of another epoch are void: no need to find and erase them, which would touch the descriptors of the whole memory.
    this.put(this.state + EPOCH, (this.i32[this.state + EPOCH] + 1) & EPOCH_MASK);
    for (let order = 0; order < ORDERS; order++) this.put(this.state + HEADS + order, 0);
    const top = this.i32[this.state + TOP];
    let hole = this.firstPage;
    for (let page = this.firstPage; page < top;) {
      if (this.ownerAt(page) === 0) {
        page++;
        continue;
      }
      this.giveBack(hole, page);
      page += this.blockPages(page);
      hole = page;
    }
    this.giveBack(hole, this.pages);
  }

  /** Takes a block from the shortest list that has one, and splits it down. */
  private take(order: number): number {
    for (let from = order; from < ORDERS; from++) {
      const page = this.i32[this.state + HEADS + from];
      if (page === 0) continue;
      this.unlink(page, from);
      for (let half = from - 1; half >= order; half--) this.push(page + (1 << half), half);
      return page;
    }
    return 0;
  }

  /** As `take`, but not below a page. Walks the lists: for tests that place buffers, not for daily use. */
  private takeAbove(order: number, above: number): number {
    const size = 1 << order;
    for (let from = order; from < ORDERS; from++) {
      for (let page = this.i32[this.state + HEADS + from]; page !== 0; page = this.i32[this.descriptor(page) + NEXT]) {
        const wanted = Math.max(page, Math.ceil(above / size) * size);
        if (wanted + size > page + (1 << from)) continue;
        this.unlink(page, from);
        this.giveBack(page, wanted);
        this.giveBack(wanted + size, page + (1 << from));
        return wanted;
      }
    }
    return 0;
  }

  /** Frees the pages from `from` to `to`, exclusive, as the largest aligned blocks that they consist of. */
  private giveBack(from: number, to: number): void {
    let page = from;
    while (page < to) {
      const alignment = 31 - Math.clz32(page & -page);
      const order = Math.min(alignment, 31 - Math.clz32(to - page), ORDERS - 1);
      this.merge(page, order);
      page += 1 << order;
    }
  }

  /** Frees one block, joined with its buddy as often as that is free. */
  private merge(page: number, order: number): void {
    while (order < ORDERS - 1) {
      const buddy = page ^ (1 << order);
      if (buddy >= this.pages || this.i32[this.descriptor(buddy) + SIZE] !== this.tag(order)) break;
      this.unlink(buddy, order);
      page &= buddy;
      order++;
    }
    this.push(page, order);
  }

  private push(page: number, order: number): void {
    const head = this.state + HEADS + order;
    const next = this.i32[head];
    const record = this.descriptor(page);
    this.put(record + NEXT, next);
    this.put(record + PREV, 0);
    if (next !== 0) this.put(this.descriptor(next) + PREV, page);
    this.put(head, page);
    this.put(record + SIZE, this.tag(order));
  }

  private unlink(page: number, order: number): void {
    const record = this.descriptor(page);
    const next = this.i32[record + NEXT];
    const prev = this.i32[record + PREV];
    this.put(prev === 0 ? this.state + HEADS + order : this.descriptor(prev) + NEXT, next);
    if (next !== 0) this.put(this.descriptor(next) + PREV, prev);
    this.put(record + SIZE, 0);
  }

  /** Pages of the block, used or free, that begins at a page. At least 1 even if the words are torn, so that walks end. */
  private blockPages(page: number): number {
    const size = this.i32[this.descriptor(page) + SIZE];
    if (size < 0) return 1 << ((-size & 31) - 1);
    return Math.max(size, 1);
  }

  /** What marks the first page of a free block of an order, in this epoch. */
  private tag(order: number): number {
    return -((this.i32[this.state + EPOCH] << 5) | (order + 1));
  }

  private descriptor(page: number): number {
    return this.table + (page << PAGE_WORDS_SHIFT);
  }

  /** Each store goes through here, so that a test can cut an operation off at any of them. */
  protected put(index: number, value: number): void {
    this.i32[index] = value;
  }

  /** A store that makes an allocation or a release take effect; the stores before it become visible first. */
  protected commit(index: number, value: number): void {
    Atomics.store(this.i32, index, value);
  }
}

/** Order of the smallest block that holds so many pages. */
export function orderOf(pages: number): number {
  return 32 - Math.clz32(pages - 1);
}
