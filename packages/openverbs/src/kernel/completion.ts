/** Completion queues, by their C names of kernel level. */
import { VerbsError } from '@openverbs/verbs';
import type { CompletionQueue, Device, WorkCompletion } from '@openverbs/verbs';

import { aCq, aDevice } from '../gen2/first-argument.ts';
import { inTerms, inTermsOf } from '../gen2/terms.ts';
import { IB_CQ_NEXT_COMP, IB_CQ_REPORT_MISSED_EVENTS, IB_CQ_SOLICITED, IB_CQ_SOLICITED_MASK } from './constants.ts';
import { checkHandler, forgetHandlers, kernelDevice } from './kernel-device.ts';
import type { CompHandler, EventHandler } from './kernel-device.ts';

/**
 * Creates a completion queue of at least `cqe` entries. `comp_handler(cq, cq_context)` is called when it was armed and has completions,
 * `event_handler(event, cq_context)` for its asynchronous events; either may be null. Handlers are called one by one, in order, and never from
 * within a verb; what they throw is an uncaught exception. They keep the process alive until the queue is destroyed.
 */
export function ib_create_cq(
  device: Device,
  comp_handler: CompHandler | null,
  event_handler: EventHandler | null,
  cq_context: unknown,
  cqe: number,
  comp_vector: number,
): CompletionQueue {
  return inTerms('ib_create_cq', (verb) => {
    const kernel = kernelDevice(aDevice(verb, device));
    checkHandler(verb, 'comp_handler', comp_handler);
    checkHandler(verb, 'event_handler', event_handler);
    const channel = comp_handler == null ? null : kernel.channel();
    const cq = kernel.context.createCq({ cqe, channel, cqContext: cq_context, compVector: comp_vector });
    if (comp_handler != null) kernel.setCompHandler(cq, comp_handler);
    if (event_handler != null) kernel.setEventHandler(cq, event_handler, cq_context);
    return cq;
  });
}

/**
 * Destroys a completion queue. Its handlers are not called any more.
 *
 * @throws VerbsError EBUSY while a queue pair uses it.
 */
export function ib_destroy_cq(cq: CompletionQueue): void {
  inTerms('ib_destroy_cq', (verb) => aCq(verb, cq).destroy());
  forgetHandlers(cq.context);
}

/** Changes the capacity of a completion queue to at least `cqe` entries. */
export function ib_resize_cq(cq: CompletionQueue, cqe: number): void {
  inTerms('ib_resize_cq', (verb) => aCq(verb, cq).resize(cqe));
}

/** Takes at most `num_entries` completions into the first elements of `wc`, which are filled, and returns their number. */
export function ib_poll_cq(cq: CompletionQueue, num_entries: number, wc: WorkCompletion[]): number {
  try {
    return aCq('ib_poll_cq', cq).poll(wc, num_entries);
  } catch (error) {
    throw inTermsOf('ib_poll_cq', error);
  }
}

/**
 * Asks for a call of the completion handler: at the next completion (`IB_CQ_NEXT_COMP`), or at the next solicited or failed one
 * (`IB_CQ_SOLICITED`). With `IB_CQ_REPORT_MISSED_EVENTS` it returns 1 when completions are in the queue for which no event may come, so that
 * the caller has to poll; else 0.
 */
export function ib_req_notify_cq(cq: CompletionQueue, flags: number): number {
  const verb = 'ib_req_notify_cq';
  const queue = aCq(verb, cq);
  const which = flags & IB_CQ_SOLICITED_MASK;
  const unknown = flags & ~(IB_CQ_SOLICITED_MASK | IB_CQ_REPORT_MISSED_EVENTS);
  if (unknown !== 0 || (which !== IB_CQ_SOLICITED && which !== IB_CQ_NEXT_COMP)) {
    const hint = 'give IB_CQ_NEXT_COMP or IB_CQ_SOLICITED, and IB_CQ_REPORT_MISSED_EVENTS beside it';
    throw new VerbsError({ code: 'EINVAL', verb, message: `flags are ${String(flags)}`, hint });
  }
  const solicitedOnly = which === IB_CQ_SOLICITED;
  try {
    if ((flags & IB_CQ_REPORT_MISSED_EVENTS) !== 0) return queue.reqNotifyReportMissed(solicitedOnly) ? 1 : 0;
    queue.reqNotify(solicitedOnly);
    return 0;
  } catch (error) {
    throw inTermsOf(verb, error);
  }
}
