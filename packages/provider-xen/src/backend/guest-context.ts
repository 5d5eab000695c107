/** What a guest has made in one of its contexts: objects of the lower device, by their handles. */
import { MemoryRegion, VerbsError } from '@openverbs/verbs';
import type {
  AddressHandle,
  CompletionChannel,
  Context,
  Gid,
  MemoryWindow,
  ProtectionDomain,
  QueuePair,
  SharedReceiveQueue,
  XrcDomain,
} from '@openverbs/verbs';
import { QueueBuffer } from '@openverbs/verbs/driver';
import type { GrantedUserHalf } from '../protocol/commands.ts';
import type { GuestCq } from './guest-cq.ts';
import { HandleTable } from './handle-table.ts';
import type { Pins } from './pending-region.ts';
import { QueueBytes } from './queue-bytes.ts';
import type { Quota } from './quota.ts';

/** Registered memory, or memory of a queue, with the pages that it pins. */
export interface GuestRegion {
  readonly object: MemoryRegion | QueueBuffer;
  pins: readonly Pins[];
}

/** A QP, and what the front-end knows it by. */
export interface GuestQp {
  readonly qp: QueuePair;
  readonly cookie: number;
  /** The multicast groups that it is attached to. */
  readonly groups: Map<string, { readonly gid: Gid; readonly lid: number }>;
  /** How often it was modified, within QP_MODIFIES_MASK. */
  modifies: number;
}

/** An SRQ, likewise. */
export interface GuestSrq {
  readonly srq: SharedReceiveQueue;
  readonly cookie: number;
}

export class GuestContext {
  readonly handle: number;
  /** A context of the lower device for this one alone: what is made here is reached from here only. */
  readonly lower: Context;
  /** Where its CQs tell of their completions. */
  readonly channel: CompletionChannel;
  readonly pds: HandleTable<ProtectionDomain>;
  readonly xrcds: HandleTable<XrcDomain>;
  readonly mrs: HandleTable<GuestRegion>;
  readonly mws: HandleTable<MemoryWindow>;
  readonly ahs: HandleTable<AddressHandle>;
  readonly cqs: HandleTable<GuestCq>;
  readonly qps: HandleTable<GuestQp>;
  readonly srqs: HandleTable<GuestSrq>;
  /** What CQs, QPs and SRQs take of the device domain's memory. */
  readonly queueBytes: QueueBytes;
  /** Cookies by the lower object, for its events. */
  readonly cookies = new Map<object, number>();
  /** Bytes of the longest message that any port of the device sends. */
  readonly maxMsgSz: number;
  /** What the front-end makes its own half of the lower driver of; null in basic, where it gets no direct access. */
  readonly userHalf: GrantedUserHalf | null;

  constructor(handle: number, lower: Context, quota: Quota, userHalf: GrantedUserHalf | null) {
    this.userHalf = userHalf;
    this.handle = handle;
    this.lower = lower;
    this.maxMsgSz = maxMsgSzOf(lower);
    this.channel = lower.createCompChannel();
    const own = <T extends { readonly handle: number }>(object: T): number => object.handle;
    this.pds = new HandleTable('PD', 'pds', quota, own);
    this.xrcds = new HandleTable('XRC domain', 'xrcds', quota, own);
    this.mrs = new HandleTable('memory region', 'mrs', quota, regionHandleOf);
    this.mws = new HandleTable('memory window', 'mws', quota, own);
    this.ahs = new HandleTable('AH', 'ahs', quota, own);
    this.cqs = new HandleTable('CQ', 'cqs', quota, ({ cq }) => cq.handle);
    this.qps = new HandleTable('QP', 'qps', quota, ({ qp }) => qp.handle);
    this.srqs = new HandleTable('SRQ', 'srqs', quota, ({ srq }) => srq.handle);
    this.queueBytes = new QueueBytes(quota);
  }

  /**
   * To be asked before anything of the direct path is done. A front-end may ask for it in any mode, and what a guest writes into queues in its own
   * memory the back-end neither checks nor counts.
   *
   * @throws VerbsError EOPNOTSUPP in basic
   */
  requireBypass(): void {
    if (this.userHalf !== null) return;
    const message = 'a guest in basic has no queues in its own memory';
    throw new VerbsError({ code: 'EOPNOTSUPP', message, hint: 'leave the key 0, or give this guest the mode bypass' });
  }

  /** @throws VerbsError EOPNOTSUPP in basic; EINVAL when the key is not that of memory for a queue */
  queueBuffer(key: number): QueueBuffer {
    this.requireBypass();
    const { object } = this.mrs.get(key);
    if (object instanceof QueueBuffer) return object;
    throw new VerbsError({ code: 'EINVAL', message: `memory region ${key} is not for queues` });
  }

  /** The pages that its regions pin. */
  get pins(): Pins[] {
    return this.mrs.values().flatMap(({ pins }) => pins);
  }

  /**
   * Ends everything but the lower context, which has the UAR. The youngest go first, queue pairs before what they stand on, so that nothing
   * moves any more when the pages are let go.
   */
  close(): void {
    for (const object of this.lower.children.toReversed()) object[Symbol.dispose]();
    for (const table of [this.qps, this.srqs, this.cqs, this.mws, this.ahs, this.mrs, this.xrcds, this.pds]) {
      (table as HandleTable<unknown>).clear();
    }
    this.queueBytes.clear();
    this.cookies.clear();
  }
}

/** What a region is known by; memory of a queue by its key. */
function regionHandleOf({ object }: GuestRegion): number {
  return object instanceof MemoryRegion ? object.handle : object.key;
}

/** @throws VerbsError EINVAL when the handle is not that of a memory region */
export function memoryOf({ mrs }: GuestContext, mr: number): GuestRegion & { readonly object: MemoryRegion } {
  const region = mrs.get(mr);
  if (region.object instanceof MemoryRegion) return region as GuestRegion & { readonly object: MemoryRegion };
  throw new VerbsError({ code: 'EINVAL', message: `region ${mr} holds rings` });
}

function maxMsgSzOf(lower: Context): number {
  const ports = Array.from({ length: lower.queryDevice().physPortCnt }, (_, n) => lower.queryPort(n + 1));
  return Math.max(...ports.map(({ maxMsgSz }) => maxMsgSz));
}
