/** The translation and protection table: memory regions and memory windows. The introduction is in `../layout.ts`. */

/** Entry of the memory protection table (TPT). */
export const Mpt = {
  /** The whole key; 0 when the entry is free. Stored last at create. */
  KEY: 0,
  /** Of anything but {@link MptKind.REGION}: with {@link MPT_PD_SPECIAL}, so that it is the PD of no QP. */
  PD: 1,
  /** `ibv_access_flags`. */
  ACCESS: 2,
  /** Verbs address of the first byte. */
  START_LO: 3,
  START_HI: 4,
  /** Bytes, unsigned. */
  LENGTH: 5,
  /** Machine address of the first byte when the pages are one run, else 0 and the page list counts. */
  BASE: 6,
  /** Word index of the page list: the machine address of each page. */
  MTT: 7,
  /** Of {@link MptKind.OWNED}: who owns, in the page allocator, the pages that its keys reach. */
  OWNER: 8,
  /** Offset of the first byte in its page. */
  FIRST_OFFSET: 9,
  /** Rings that live in this region, or memory windows that are bound to it; it can't be deregistered before they are gone. */
  PINS: 10,
  UAR: 11,
  /** Low 8 bits of the next key of this entry, so that a stale key fails. */
  VARIANT: 12,
  /** One of {@link MptKind}. */
  KIND: 13,
  /** Of a memory window: word index of the entry of the region that it is bound to, and whose pages it borrows; 0 for none. */
  REGION: 14,
  /** Of a memory window of type 2 that is bound: the QP that did it, the only one that it works on. */
  QPN: 15,
  WORDS: 16,
} as const;

/**
 * What an entry of the TPT is. Windows last. OWNED is all memory by machine addresses, of which its keys reach what belongs to one owner at
 * the time of the access.
 */
export const MptKind = { REGION: 0, NULL: 1, OWNED: 2, WINDOW_TYPE_1: 3, WINDOW_TYPE_2: 4 } as const;

/**
 * Set in the PD of entries that are no regions of chosen pages. Then the comparison of PDs, which every access makes, tells them apart,
 * and a region pays nothing for what else a key may be.
 */
export const MPT_PD_SPECIAL = 0x40000000;
