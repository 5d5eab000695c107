/** The granted pages through which long arguments and answers go. One message at a time: whose turn it is, the ring says. */
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import type { Page } from '@openverbs/hypervisor';
import { BULK_PAGES } from '../protocol/limits.ts';
import { SharedPage } from './shared-page.ts';

const PAGE_WORDS = XEN_PAGE_BYTES / 4;

export class BulkArea {
  readonly #pages: readonly Page[];

  /** @param shared - the pages that front-end and back-end share, as either has them */
  constructor(shared: { page(index: number): Page }) {
    this.#pages = Array.from({ length: BULK_PAGES }, (_, n) => shared.page(SharedPage.BULK + n));
  }

  /** Copies a message out, once: what the other side changes afterwards does not count. */
  read(into: Int32Array, length: number): void {
    for (let at = 0, n = 0; at < length; at += PAGE_WORDS, n++) {
      const { i32, word } = this.#pages[n];
      const end = Math.min(length - at, PAGE_WORDS);
      for (let i = 0; i < end; i++) into[at + i] = i32[word + i];
    }
  }

  write(from: Int32Array, length: number): void {
    for (let at = 0, n = 0; at < length; at += PAGE_WORDS, n++) {
      const { i32, word } = this.#pages[n];
      const end = Math.min(length - at, PAGE_WORDS);
      for (let i = 0; i < end; i++) i32[word + i] = from[at + i];
    }
  }
}
