/** Shared receive queues, by their C names. */
import { SrqAttrMask, VerbsError } from '@openverbs/verbs';
import type { ProtectionDomain, RecvWr, RecvWrInit, SharedReceiveQueue, SrqAttr, SrqInitAttr } from '@openverbs/verbs';

import { aProtectionDomain, anSrq, attributes } from './first-argument.ts';
import { refused } from './bad-wr.ts';
import type { BadWr } from './bad-wr.ts';
import { filled } from './out-parameter.ts';
import type { Out } from './out-parameter.ts';

/** Creates a shared receive queue. */
export function ibv_create_srq(pd: ProtectionDomain, srq_init_attr: SrqInitAttr): SharedReceiveQueue {
  return aProtectionDomain('ibv_create_srq', pd).createSrq(srq_init_attr);
}

/** Sets the attributes that `srq_attr_mask` names: the capacity, or the limit that raises `IBV_EVENT_SRQ_LIMIT_REACHED`. */
export function ibv_modify_srq(srq: SharedReceiveQueue, srq_attr: Partial<SrqAttr>, srq_attr_mask: number): void {
  const queue = anSrq('ibv_modify_srq', srq);
  const { maxWr, srqLimit } = attributes('ibv_modify_srq', 'srq_attr', srq_attr);
  queue.modify({
    ...((srq_attr_mask & SrqAttrMask.MAX_WR) !== 0 && { maxWr: given('maxWr', maxWr) }),
    ...((srq_attr_mask & SrqAttrMask.LIMIT) !== 0 && { srqLimit: given('srqLimit', srqLimit) }),
  });
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
  try {
    anSrq('ibv_post_srq_recv', srq).postRecv(recv_wr);
  } catch (error) {
    throw refused(error, recv_wr, bad_recv_wr);
  }
}

function given(key: string, value: number | undefined): number {
  if (value !== undefined) return value;
  const message = `the mask names ${key}, which the attributes lack`;
  throw new VerbsError({ code: 'EINVAL', verb: 'ibv_modify_srq', message, details: { missing: [key] } });
}
