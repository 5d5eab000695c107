/** The pages that a front-end grants for its two channels, in their order. */
import { BULK_PAGES } from '../protocol/limits.ts';

/** Which page is what. */
export const SharedPage = {
  /** The ring of the device channel. */
  RING: 0,
  /** The event channel's; behind its entries stands what the guest tells of itself. */
  EVENTS: 1,
  /** First of the bulk area. */
  BULK: 2,
} as const;

/** All of them. */
export const SHARED_PAGES = SharedPage.BULK + BULK_PAGES;
