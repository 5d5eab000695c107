/** Posts receive WQEs to a ring in the OpenVerbs layout. Hot: nothing here allocates. */
import type { RecvPath } from '../data-path.ts';
import { QpState } from '../enums/qp.ts';
import { Errno } from '../errors.ts';
import type { RecvWr } from '../recv-wr.ts';
import { QpDoorbellRecord } from './layout.ts';
import { writeRecvWqe } from './recv-wqe.ts';
import type { Doorbell, QpRings } from './rings.ts';
import { WorkQueueSlots } from './work-queue-slots.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { RQ_PRODUCER, STATE } = QpDoorbellRecord;
const STATE_ERR = QpState.ERR;
const { EINVAL, ENOMEM } = Errno;

/** The receive queue of a QP. */
export class RingRecvQueue implements RecvPath {
  /** Shared with the completion queue, which frees them. */
  readonly slots: WorkQueueSlots;
  /** After a refused post: which work request of the chain it was. */
  badWrIndex: number;
  /** How many SGEs a work request may have. */
  readonly maxSge: number;
  /** How many work requests may be outstanding. */
  readonly maxWr: number;
  private readonly i32: Int32Array;
  private readonly doorbell: Doorbell;
  private readonly qpNum: number;
  /** Word indices. */
  private readonly base: number;
  private readonly producer: number;
  private readonly state: number;
  private readonly strideShift: number;
  private readonly mask: number;
  /** Free-running count of WQEs posted, an int32. */
  private head: number;
  /** {@link RingRecvQueue.maxWr}, or 0 while nothing may be posted, so that one comparison sees both. */
  private limit: number;

  constructor(rings: QpRings) {
    this.slots = new WorkQueueSlots(rings.rqLog2Count);
    this.badWrIndex = 0;
    this.maxSge = rings.maxRecvSge;
    this.maxWr = rings.maxRecvWr;
    this.i32 = rings.i32;
    this.doorbell = rings.doorbell;
    this.qpNum = rings.qpNum;
    this.base = rings.rqAddr >>> 2;
    this.producer = (rings.doorbellRecordAddr >>> 2) + RQ_PRODUCER;
    this.state = (rings.doorbellRecordAddr >>> 2) + STATE;
    this.strideShift = rings.rqLog2Bytes - 2;
    this.mask = this.slots.mask;
    this.head = 0;
    this.limit = 0;
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
    if (count !== 0) {
      Atomics.store(this.i32, this.producer, this.head);
      // A QP in error takes nothing from its receive queue, so the flush of these has to be asked for; above that is QP_STATE_STARVED.
      if (this.i32[this.state] >= STATE_ERR) this.doorbell.ringRq(this.qpNum);
    }
    return errno;
  }

  /** Allows posts, or refuses them: in the state RESET and after the end. */
  setReady(ready: boolean): void {
    this.limit = ready ? this.maxWr : 0;
  }

  /** Empties the queue, after the device has reset the QP. */
  reset(): void {
    this.head = this.slots.tail = 0;
    Atomics.store(this.i32, this.producer, 0);
  }

  private write(wr: RecvWr): number {
    const { head, slots } = this;
    if (((head - slots.tail) | 0) >= this.limit) return this.limit === 0 ? EINVAL : ENOMEM;
    const sgList = wr.sgList;
    if (!(sgList.length <= this.maxSge) || !(wr.wrId >= 0)) return EINVAL; // also what has no length, or is no number
    const slot = head & this.mask;
    writeRecvWqe(this.i32, this.base + (slot << this.strideShift), sgList);
    slots.wrIds[slot] = wr.wrId;
    this.head = (head + 1) | 0;
    return 0;
  }
}
