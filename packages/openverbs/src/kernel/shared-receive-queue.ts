/** Shared receive queues, by their C names of kernel level. */
import type { ProtectionDomain, RecvWr, RecvWrInit, SharedReceiveQueue, SrqAttr, SrqInitAttr } from '@openverbs/verbs';

import type { BadWr } from '../gen2/bad-wr.ts';
import { anSrq, aProtectionDomain, attributes } from '../gen2/first-argument.ts';
import { filled } from '../gen2/out-parameter.ts';
import type { Out } from '../gen2/out-parameter.ts';
import { inTerms } from '../gen2/terms.ts';
import { postSrqRecv } from '../gen2/posts.ts';
import { srqChanges } from '../gen2/srq-changes.ts';
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
  const srq = inTerms(verb, () => owner.createSrq(init));
  if (eventHandler !== null) kernel?.setEventHandler(srq, eventHandler, srq.srqContext);
  return srq;
}

/** Sets the attributes that `srq_attr_mask` names: the capacity, or the limit that raises `IB_EVENT_SRQ_LIMIT_REACHED`. */
export function ib_modify_srq(srq: SharedReceiveQueue, srq_attr: Partial<SrqAttr>, srq_attr_mask: number): void {
  inTerms('ib_modify_srq', (verb) => anSrq(verb, srq).modify(srqChanges(verb, srq_attr, srq_attr_mask)));
}

/** What a shared receive queue holds and when it warns. */
export function ib_query_srq(srq: SharedReceiveQueue, srq_attr: Out<SrqAttr> = {}): SrqAttr {
  return inTerms('ib_query_srq', (verb) => filled(srq_attr, anSrq(verb, srq).query()));
}

/**
 * Destroys a shared receive queue. Its handler is not called any more.
 *
 * @throws VerbsError EBUSY while a queue pair uses it.
 */
export function ib_destroy_srq(srq: SharedReceiveQueue): void {
  inTerms('ib_destroy_srq', (verb) => anSrq(verb, srq).destroy());
  forgetHandlers(srq.context);
}

/** Posts a chain of receives to a shared receive queue. */
export function ib_post_srq_recv(
  srq: SharedReceiveQueue,
  recv_wr: RecvWr | RecvWrInit,
  bad_recv_wr?: BadWr<RecvWr | RecvWrInit>,
): void {
  postSrqRecv('ib_post_srq_recv', srq, recv_wr, bad_recv_wr);
}
