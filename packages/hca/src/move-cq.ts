/** Moves a CQ to another ring, with what is unread. */
import { CQ_DOORBELL_RECORD_BYTES, CqDoorbellRecord, cqeGeneration, CQE_WORDS, CqeWords } from '@openverbs/verbs/rings';
import { DeviceError } from './device-error.ts';
import { Cqc, Mpt } from './layout.ts';

/** Where a ring lies: its region, the machine address of its doorbell record, and how large it is. */
export interface CqRing {
  readonly entry: number;
  readonly base: number;
  readonly log2Count: number;
}

/**
 * Moves the CQ at `c` to a ring that is zeroed; its indices go on. The old region is unpinned, the new one pinned.
 *
 * @throws DeviceError `EINVAL` when what is unread does not fit
 */
export function moveCq(i32: Int32Array, c: number, to: CqRing): void {
  const record = i32[c + Cqc.RECORD];
  const consumer = Atomics.load(i32, record + CqDoorbellRecord.CONSUMER);
  const unread = (i32[c + Cqc.PRODUCER] - consumer) >>> 0;
  if (unread > 1 << to.log2Count) {
    const message = `the CQ holds ${unread} completions that nobody polled, more than the new size`;
    throw new DeviceError('EINVAL', message, 'poll first');
  }
  const ring = (to.base + CQ_DOORBELL_RECORD_BYTES) >>> 2;
  for (let n = 0; n < unread; n++) moveCqe(i32, c, (consumer + n) | 0, ring, to.log2Count);
  const newRecord = to.base >>> 2;
  i32[newRecord + CqDoorbellRecord.CONSUMER] = consumer;
  i32[newRecord + CqDoorbellRecord.ARM] = Atomics.load(i32, record + CqDoorbellRecord.ARM);
  // From here on stores only: a thread that dies does so before or after them.
  i32[i32[c + Cqc.BUFFER_MPT] + Mpt.PINS]--;
  i32[to.entry + Mpt.PINS]++;
  i32[c + Cqc.BUFFER_MPT] = to.entry;
  i32[c + Cqc.RECORD] = newRecord;
  i32[c + Cqc.BASE] = ring;
  i32[c + Cqc.LOG2_COUNT] = to.log2Count;
}

/** The same index may fall on another slot of the new ring, and in another lap. */
function moveCqe(i32: Int32Array, c: number, index: number, ring: number, log2Count: number): void {
  const from = i32[c + Cqc.BASE] + (index & (2 ** i32[c + Cqc.LOG2_COUNT] - 1)) * CQE_WORDS;
  const to = ring + (index & (2 ** log2Count - 1)) * CQE_WORDS;
  i32.copyWithin(to, from, from + CQE_WORDS);
  i32[to + CqeWords.VALID] = cqeGeneration(index, log2Count);
}
