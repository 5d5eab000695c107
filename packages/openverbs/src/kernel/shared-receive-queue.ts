/** Shared receive queues, by their C names of kernel level. */
import { SrqAttrMask, VerbsError } from '@openverbs/verbs';
import type { ProtectionDomain, RecvWr, RecvWrInit, SharedReceiveQueue, SrqAttr, SrqInitAttr } from '@openverbs/verbs';

import { refused } from '../gen2/bad-wr.ts';
import type { BadWr } from '../gen2/bad-wr.ts';
import { anSrq, aProtectionDomain, attributes } from '../gen2/first-argument.ts';
import { filled } from '../gen2/out-parameter.ts';
import type { Out } from '../gen2/out-parameter.ts';
import { checkHandler, forgetHandlers, kernelDeviceOf } from './kernel-device.ts';
import type { EventHandler } from './kernel-device.ts';

/** C's `struct ib_srq_init_attr`. */
export interface IbSrqInitAttr extends SrqInitAttr {
  /** Called for asynchronous events of the queue, with its `srqContext`. */
  readonly eventHandler?: EventHandler | null;
}

/** Creates a shared receive queue. */
export function ib_create_srq(pd: ProtectionDomain, srq_init_attr: IbSrqInitAttr): SharedReceiveQueue {
  const verb = 'ib_create_srq';
  const owner = aProtectionDomain(verb, pd);
  const { eventHandler = null, ...init } = attributes(verb, 'srq_init_attr', srq_init_attr);
  checkHandler(verb, 'srq_init_attr.eventHandler', eventHandler);
  const kernel = eventHandler === null ? null : kernelDeviceOf(verb, owner.context);
  const srq = owner.createSrq(init);
  if (eventHandler !== null) kernel?.setEventHandler(srq, eventHandler, srq.srqContext);
  return srq;
}

/** Sets the attributes that `srq_attr_mask` names: the capacity, or the limit that raises `IB_EVENT_SRQ_LIMIT_REACHED`. */
export function ib_modify_srq(srq: SharedReceiveQueue, srq_attr: Partial<SrqAttr>, srq_attr_mask: number): void {
  const queue = anSrq('ib_modify_srq', srq);
  const { maxWr, srqLimit } = attributes('ib_modify_srq', 'srq_attr', srq_attr);
  queue.modify({
    ...((srq_attr_mask & SrqAttrMask.MAX_WR) !== 0 && { maxWr: given('maxWr', maxWr) }),
    ...((srq_attr_mask & SrqAttrMask.LIMIT) !== 0 && { srqLimit: given('srqLimit', srqLimit) }),
  });
}

/** What a shared receive queue holds and when it warns. */
export function ib_query_srq(srq: SharedReceiveQueue, srq_attr: Out<SrqAttr> = {}): SrqAttr {
  return filled(srq_attr, anSrq('ib_query_srq', srq).query());
}

/**
 * Destroys a shared receive queue. Its handler is not called any more.
 *
 * @throws VerbsError EBUSY while a queue pair uses it.
 */
export function ib_destroy_srq(srq: SharedReceiveQueue): void {
  anSrq('ib_destroy_srq', srq).destroy();
  forgetHandlers(srq.context);
}

/** Posts a chain of receives to a shared receive queue. */
export function ib_post_srq_recv(
  srq: SharedReceiveQueue,
  recv_wr: RecvWr | RecvWrInit,
  bad_recv_wr?: BadWr<RecvWr | RecvWrInit>,
): void {
  try {
    anSrq('ib_post_srq_recv', srq).postRecv(recv_wr);
  } catch (error) {
    throw refused(error, recv_wr, bad_recv_wr);
  }
}

function given(key: string, value: number | undefined): number {
  if (value !== undefined) return value;
  const message = `the mask names ${key}, which the attributes lack`;
  throw new VerbsError({ code: 'EINVAL', verb: 'ib_modify_srq', message, details: { missing: [key] } });
}
