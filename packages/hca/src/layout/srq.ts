/** Shared receive queues. The introduction is in `../layout.ts`. */

/** SRQ context. */
export const Srqc = {
  /** Full number with generation; 0 when the entry is free. Stored last at create. */
  SRQN: 0,
  /** One of {@link SrqcState}. */
  STATE: 1,
  /** Word index of the doorbell record. */
  RECORD: 2,
  /** Word index of the ring, each word of which names a WQE by its slot. */
  RING: 3,
  /** Entries of the ring, and WQEs. */
  LOG2_COUNT: 4,
  /** Word index of the WQEs. */
  WQES: 5,
  WQE_LOG2_WORDS: 6,
  /** Free-running count of WQEs taken. */
  CONSUMER: 7,
  PD: 8,
  MAX_SGE: 9,
  /** The event is raised when fewer WQEs than this are left; 0 when it is not armed. */
  LIMIT: 10,
  MAX_WR: 11,
  UAR: 12,
  EQ: 13,
  HCA: 14,
  /** MPT entry of the buffer, pinned while the SRQ lives. */
  BUFFER_MPT: 15,
  /** QPs that receive from it. */
  REFERENCES: 16,
  /** Counts the SRQs that had this entry; outlives them. */
  GENERATION: 17,
  /** XRC: word index of the context of the CQ that receives complete to; 0 of a basic SRQ. */
  CQ: 18,
  /** XRC: number of the domain. */
  XRCD: 19,
  WORDS: 32,
} as const;

/** States of an SRQ. */
export const SrqcState = { FREE: 0, VALID: 1, ERR: 2 } as const;
