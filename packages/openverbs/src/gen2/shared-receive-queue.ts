/** Shared receive queues, by their C names. */
import type { ProtectionDomain, RecvWr, RecvWrInit, SharedReceiveQueue, SrqAttr, SrqInitAttr } from '@openverbs/verbs';

import { aProtectionDomain, anSrq } from './first-argument.ts';
import type { BadWr } from './bad-wr.ts';
import { filled } from './out-parameter.ts';
import type { Out } from './out-parameter.ts';
import { postSrqRecv } from './posts.ts';
import { srqChanges } from './srq-changes.ts';

/** Creates a shared receive queue. */
export function ibv_create_srq(pd: ProtectionDomain, srq_init_attr: SrqInitAttr): SharedReceiveQueue {
  return aProtectionDomain('ibv_create_srq', pd).createSrq(srq_init_attr);
}

/** Sets the attributes that `srq_attr_mask` names: the capacity, or the limit that raises `IBV_EVENT_SRQ_LIMIT_REACHED`. */
export function ibv_modify_srq(srq: SharedReceiveQueue, srq_attr: Partial<SrqAttr>, srq_attr_mask: number): void {
  anSrq('ibv_modify_srq', srq).modify(srqChanges('ibv_modify_srq', srq_attr, srq_attr_mask));
}

/** What a shared receive queue holds and when it warns. */
export function ibv_query_srq(srq: SharedReceiveQueue, srq_attr: Out<SrqAttr> = {}): SrqAttr {
  return filled(srq_attr, anSrq('ibv_query_srq', srq).query());
}

/**
 * Destroys a shared receive queue.
 *
 * @throws VerbsError EBUSY while a queue pair uses it, and while events of it are not acknowledged, for which C waits.
 */
export function ibv_destroy_srq(srq: SharedReceiveQueue): void {
  anSrq('ibv_destroy_srq', srq).destroy();
}

/** Posts a chain of receives to a shared receive queue. */
export function ibv_post_srq_recv(
  srq: SharedReceiveQueue,
  recv_wr: RecvWr | RecvWrInit,
  bad_recv_wr?: BadWr<RecvWr | RecvWrInit>,
): void {
  postSrqRecv('ibv_post_srq_recv', srq, recv_wr, bad_recv_wr);
}
