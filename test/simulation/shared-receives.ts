/** A shared receive queue while a program runs: filled up as its receives are taken. */
import { RecvWr, SrqType } from 'openverbs';
import type { CompletionQueue, ProtectionDomain, SharedReceiveQueue, XrcDomain } from 'openverbs';
import type { Place } from './placement.ts';
import type { SrqPlan } from './program.ts';
import { Deviation } from './record.ts';
import type { ReceiveRecord } from './record.ts';
import { sgesOf } from './work-request.ts';
import type { Region } from './world.ts';

/** Work request IDs of shared receives: the queue, then the receive, count on from here. */
export const SHARED_ID = 2 ** 45;
const RECEIVES_MAX = 2 ** 20;

/** What an XRC SRQ has. */
export interface XrcParts {
  readonly xrcd: XrcDomain;
  readonly cq: CompletionQueue;
}

export class SharedReceives {
  readonly srq: SharedReceiveQueue;
  readonly device: number;
  readonly #plan: SrqPlan;
  readonly index: number;
  readonly #region: Region;
  readonly #places: readonly (readonly Place[])[];
  readonly #records: ReceiveRecord[] = [];
  #taken = 0;
  #isArmed = false;
  /** From this receive on they were taken while it was armed: of those before it a message may have taken some before that. */
  #armedFrom = 0;
  #wasReached = false;
  /** Whether the limit was passed while it was armed. */
  #isEventDue = false;

  constructor(
    pd: ProtectionDomain,
    plan: SrqPlan,
    index: number,
    region: Region,
    places: readonly (readonly Place[])[],
    xrc?: XrcParts,
  ) {
    const { maxWr, maxSge, device } = plan;
    this.device = device;
    this.srq = pd.createSrq({ attr: { maxWr, maxSge }, ...(xrc && { srqType: SrqType.XRC, ...xrc }) });
    this.#plan = plan;
    this.index = index;
    this.#region = region;
    this.#places = places;
  }

  /** Posts what there is room for; true when that was something. */
  fill(): boolean {
    const before = this.#records.length;
    while (this.#records.length < this.#places.length && this.#records.length - this.#taken < this.#plan.maxWr) {
      const step = this.#records.length;
      const places = this.#places[step];
      this.#records.push({ step, operation: null, srq: this.index, places, completion: null });
      const wrId = SHARED_ID + this.index * RECEIVES_MAX + step;
      this.srq.postRecv(new RecvWr({ wrId, sgList: sgesOf(this.#region, places, this.#region.mr.lkey) }));
    }
    this.#arm();
    return this.#records.length > before;
  }

  /** Arms the limit when there is enough again. */
  #arm(): void {
    const { limit } = this.#plan;
    if (limit === undefined || this.#isArmed || this.#records.length - this.#taken < limit) return;
    this.#isArmed = true;
    // The first time it is armed before there are messages; later those in progress may have taken all that were posted.
    this.#armedFrom = this.#wasReached ? this.#records.length : 0;
    this.srq.modify({ srqLimit: limit });
  }

  /** The event that few are left: it comes once, and only when it was asked for. */
  limitReached(): void {
    if (!this.#isArmed) throw new Deviation('limit', `SRQ ${this.srq.handle} reached a limit that it does not have`);
    this.#isArmed = false;
    this.#wasReached = true;
    this.#isEventDue = false;
  }

  /** Once everything is over: no event is missing. */
  check(): void {
    if (this.#isEventDue) throw new Deviation('limit', `no event of SRQ ${this.srq.handle}, which reached its limit`);
  }

  /** Takes note that a receive is complete. */
  take({ step }: ReceiveRecord): void {
    this.#taken++;
    const { limit = 0 } = this.#plan;
    const isArmed = this.#isArmed && step >= this.#armedFrom;
    if (isArmed && this.#records.length - this.#taken < limit) this.#isEventDue = true;
  }

  /** The queue of a work request ID, and the receive. */
  static find(
    shared: readonly SharedReceives[],
    wrId: number,
  ): [SharedReceives | undefined, ReceiveRecord | undefined] {
    const number = wrId - SHARED_ID;
    const queue: SharedReceives | undefined = shared[Math.floor(number / RECEIVES_MAX)];
    return [queue, queue === undefined ? undefined : queue.#records[number % RECEIVES_MAX]];
  }
}
