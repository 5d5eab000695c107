import { expect } from 'chai';
import type { Page } from '@openverbs/hypervisor';
import { BulkArea } from '../src/channel/bulk-area.ts';
import { SharedPage } from '../src/channel/shared-page.ts';
import { BULK_PAGES } from '../src/protocol/limits.ts';

const PAGE_WORDS = 1024;
/** What stands where nothing is to be written: in the pages, and where a message is read to. */
const BEYOND = -1;
const UNREAD = -2;

describe('the bulk area', () => {
  it('carries messages of any length over pages that lie anywhere, and touches nothing beyond them', () => {
    for (const length of [0, 1, PAGE_WORDS - 1, PAGE_WORDS, PAGE_WORDS + 1, 2 * PAGE_WORDS + 5]) {
      const i32 = new Int32Array(BULK_PAGES * PAGE_WORDS).fill(BEYOND);
      // 7 has no divisor in common with the number of pages: each is elsewhere than the one before it, and no two are in one place.
      const place = (n: number): number => ((7 * n) % BULK_PAGES) * PAGE_WORDS;
      const area = new BulkArea({ page: (index) => ({ i32, word: place(index - SharedPage.BULK) }) as Page });
      const message = Int32Array.from({ length: 3 * PAGE_WORDS }, (_, n) => n + 1);
      area.write(message, length);
      expect(i32.filter((word) => word !== BEYOND)).to.have.length(length);
      const into = new Int32Array(3 * PAGE_WORDS).fill(UNREAD);
      area.read(into, length);
      expect(into.subarray(0, length)).to.deep.equal(message.subarray(0, length));
      expect(into.subarray(length).every((word) => word === UNREAD)).to.equal(true);
    }
  });
});
