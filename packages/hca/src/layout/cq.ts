/** Completion queues. The introduction is in `../layout.ts`. */
import type { Qpc } from './qp.ts';

/** CQ context. */
export const Cqc = {
  /** Full number with generation; 0 when the entry is free. Stored last at create. */
  CQN: 0,
  /** One of {@link CqcState}. */
  STATE: 1,
  /** Word index of the ring. */
  BASE: 2,
  LOG2_COUNT: 3,
  PRODUCER: 4,
  /** Word index of the doorbell record. */
  RECORD: 5,
  UAR: 6,
  EQ: 7,
  /** 1 while a completion event lies in the event queue. */
  EVENT_QUEUED: 8,
  /** Queues that complete here. */
  REFERENCES: 9,
  BUFFER_MPT: 10,
  HCA: 11,
  /** Counts the CQs that had this entry; outlives them. */
  GENERATION: 12,
  // Moderation, in the second cache line.
  /** Completions that an event waits for; 0 when each of them makes one. */
  MODERATION_COUNT: 16,
  /** How long after the first of them the event comes anyway, unsigned. */
  MODERATION_PERIOD_US: 17,
  /** Completions that wait for their event; while there are any, the timer runs. */
  MODERATION_PENDING: 18,
  /** As in {@link Timed}. */
  DEADLINE: 24,
  TIMER_SLOT: 27,
  WORDS: 32,
} as const;

/** What has a timer, a QP or a CQ, has these words in the same place of its context. */
export const Timed = {
  /** When the timer runs out, a double in nanoseconds. */
  DEADLINE: 24,
  /** Position in the timer queue plus one; 0 when no timer runs. */
  TIMER_SLOT: 27,
} as const satisfies Pick<typeof Qpc, 'DEADLINE' | 'TIMER_SLOT'> & Pick<typeof Cqc, 'DEADLINE' | 'TIMER_SLOT'>;

/** States of a CQ. What was asked for at create is added to VALID as {@link CqcFlag} bits. */
export const CqcState = { FREE: 0, VALID: 1, ERR: 2 } as const;

/** What a CQ was made for; beside VALID in its state, so that a CQ without any costs no more than one look at the state. */
export const CqcFlag = {
  /** CQEs hold the time. */
  TIMESTAMP: 4,
  /** A full ring is no error: the next CQE takes the place of the oldest. */
  IGNORE_OVERRUN: 8,
} as const;
