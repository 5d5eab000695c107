/** Moves an SRQ to another ring, with what is posted. */
import { SrqDoorbellRecord } from '@openverbs/verbs/rings';
import { Mpt, Srqc } from './layout.ts';

/** Where a ring lies: its region, and the word indices of doorbell record, ring and WQEs. */
export interface SrqRing {
  readonly entry: number;
  readonly record: number;
  readonly ring: number;
  readonly wqes: number;
  readonly log2Count: number;
}

/** WQEs that are posted and that no message has taken. */
export function postedToSrq(i32: Int32Array, s: number): number {
  return (Atomics.load(i32, i32[s + Srqc.RECORD] + SrqDoorbellRecord.PRODUCER) - i32[s + Srqc.CONSUMER]) >>> 0;
}

/**
 * Moves the SRQ at `s` to a ring of at least as many entries. What is posted was read once, since its owner may change the count
 * meanwhile, and is known to fit. WQEs keep their slots, by
 * which completions name them, and indices run on. The old region is unpinned, the new one pinned.
 */
export function moveSrq(i32: Int32Array, s: number, to: SrqRing, posted: number): void {
  const consumer = i32[s + Srqc.CONSUMER];
  const mask = 2 ** i32[s + Srqc.LOG2_COUNT] - 1;
  const words = i32[s + Srqc.WQE_LOG2_WORDS];
  // All WQEs, because a message in progress may hold one that the ring does not name any more.
  i32.copyWithin(to.wqes, i32[s + Srqc.WQES], i32[s + Srqc.WQES] + ((mask + 1) << words));
  for (let n = 0; n < posted; n++) {
    const index = (consumer + n) | 0;
    i32[to.ring + (index & (2 ** to.log2Count - 1))] = i32[i32[s + Srqc.RING] + (index & mask)];
  }
  i32[to.record + SrqDoorbellRecord.PRODUCER] = (consumer + posted) | 0;
  // From here on stores only: a thread that dies does so before or after them.
  i32[i32[s + Srqc.BUFFER_MPT] + Mpt.PINS]--;
  i32[to.entry + Mpt.PINS]++;
  i32[s + Srqc.BUFFER_MPT] = to.entry;
  i32[s + Srqc.RECORD] = to.record;
  i32[s + Srqc.RING] = to.ring;
  i32[s + Srqc.WQES] = to.wqes;
  i32[s + Srqc.LOG2_COUNT] = to.log2Count;
}
