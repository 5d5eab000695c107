/** Posts receive WQEs to an SRQ in the OpenVerbs layout. Hot: nothing here allocates. */
import type { RecvPath } from '../data-path.ts';
import { Errno } from '../errors.ts';
import type { RecvWr } from '../recv-wr.ts';
import { SrqDoorbellRecord } from './layout.ts';
import { writeRecvWqe } from './recv-wqe.ts';
import type { SrqRings } from './rings.ts';
import type { SrqSlots } from './work-queue-slots.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { PRODUCER } = SrqDoorbellRecord;
const { EINVAL, ENOMEM } = Errno;

/**
 * The host's half of a shared receive queue. Completions come from many QPs and in any order, so the free slots are a stack; a
 * slot is taken by the post and given back when the application polls its completion.
 */
export class RingSharedReceiveQueue implements RecvPath, SrqSlots {
  /** After a refused post: which work request of the chain it was. */
  badWrIndex: number;
  private maxSge: number;
  private i32: Int32Array;
  /** Word indices. */
  private producer: number;
  private ring: number;
  private wqes: number;
  private strideShift: number;
  private mask: number;
  /** `wrId` of each slot. */
  private wrIds: Float64Array;
  /** 1 for each slot that is posted or not polled. */
  private taken: Uint8Array;
  /** Slots that are free: the first {@link RingSharedReceiveQueue.freeCount} of them. */
  private free: Int32Array;
  private freeCount: number;
  /** How many have to stay free: the ring can be larger than what was asked for. */
  private reserve: number;
  /** Free-running count of WQEs posted, an int32. */
  private head: number;
  private ready: boolean;

  constructor(rings: SrqRings) {
    this.badWrIndex = 0;
    this.maxSge = rings.maxSge;
    this.i32 = rings.i32;
    this.producer = (rings.doorbellRecordAddr >>> 2) + PRODUCER;
    this.ring = rings.ringAddr >>> 2;
    this.wqes = rings.wqeAddr >>> 2;
    this.strideShift = rings.wqeLog2Bytes - 2;
    this.mask = 2 ** rings.log2Count - 1;
    this.wrIds = new Float64Array(this.mask + 1);
    this.taken = new Uint8Array(this.mask + 1);
    this.free = new Int32Array(this.mask + 1);
    this.freeCount = 0;
    this.reserve = this.mask + 1 - rings.maxWr;
    this.head = 0;
    this.ready = true;
    this.freeFrom(0);
  }

  /** Goes on with other rings, after a resize. The provider has moved what is posted; slots and indices stay. */
  rebind(rings: SrqRings): void {
    const before = this.mask + 1;
    this.maxSge = rings.maxSge;
    this.i32 = rings.i32;
    this.producer = (rings.doorbellRecordAddr >>> 2) + PRODUCER;
    this.ring = rings.ringAddr >>> 2;
    this.wqes = rings.wqeAddr >>> 2;
    this.strideShift = rings.wqeLog2Bytes - 2;
    this.mask = 2 ** rings.log2Count - 1;
    this.reserve = this.mask + 1 - rings.maxWr;
    if (this.mask + 1 <= before) return;
    const { wrIds, taken, free } = this;
    (this.wrIds = new Float64Array(this.mask + 1)).set(wrIds);
    (this.taken = new Uint8Array(this.mask + 1)).set(taken);
    (this.free = new Int32Array(this.mask + 1)).set(free);
    this.freeFrom(before);
  }

  /** Posts a chain. Returns 0 or an error number; the work requests before `badWrIndex` are posted then. */
  post(first: RecvWr): number {
    let wr: RecvWr | null = first;
    let count = 0;
    let errno = 0;
    try {
      while (wr !== null) {
        errno = this.write(wr);
        if (errno !== 0) break;
        count++;
        wr = wr.next;
      }
    } catch {
      errno = EINVAL; // no list of SGEs, a bigint in an SGE …; what comes before it is posted all the same
    }
    this.badWrIndex = count;
    // No doorbell: the device looks at the producer when a message comes.
    if (count !== 0) Atomics.store(this.i32, this.producer, this.head);
    return errno;
  }

  /** Allows posts, or refuses them: after the end. */
  setReady(ready: boolean): void {
    this.ready = ready;
  }

  /** An SRQ has no reset. */
  reset(): void {}

  /** The `wrId` of the WQE in a slot; frees the slot. 0 for what is no slot in use: the index comes from memory. */
  complete(wqeIndex: number): number {
    const slot = wqeIndex & this.mask;
    if (slot !== wqeIndex || this.taken[slot] === 0) return 0;
    this.taken[slot] = 0;
    this.free[this.freeCount++] = slot;
    return this.wrIds[slot];
  }

  private write(wr: RecvWr): number {
    if (!this.ready) return EINVAL;
    const { freeCount } = this;
    if (freeCount <= this.reserve) return ENOMEM;
    const sgList = wr.sgList;
    if (!(sgList.length <= this.maxSge) || !(wr.wrId >= 0)) return EINVAL; // also what has no length, or is no number
    const slot = this.free[freeCount - 1];
    writeRecvWqe(this.i32, this.wqes + (slot << this.strideShift), sgList);
    this.wrIds[slot] = wr.wrId;
    this.taken[slot] = 1;
    this.i32[this.ring + (this.head & this.mask)] = slot;
    this.freeCount = freeCount - 1;
    this.head = (this.head + 1) | 0;
    return 0;
  }

  /** The slots from `first` on are free; the lowest is taken first. */
  private freeFrom(first: number): void {
    for (let slot = this.mask; slot >= first; slot--) this.free[this.freeCount++] = slot;
  }
}
