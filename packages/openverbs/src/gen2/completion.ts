/** Completion channels and completion queues, by their C names. */
import { CqAttrMask, VerbsError } from '@openverbs/verbs';
import type { CompletionChannel, CompletionQueue, Context, CqModerate, WorkCompletion } from '@openverbs/verbs';

import { aChannel, aContext, aCq, attributes } from './first-argument.ts';

/** Creates a completion channel. */
export function ibv_create_comp_channel(context: Context): CompletionChannel {
  return aContext('ibv_create_comp_channel', context).createCompChannel();
}

/**
 * Destroys a completion channel.
 *
 * @throws VerbsError EBUSY while a completion queue reports to it.
 */
export function ibv_destroy_comp_channel(channel: CompletionChannel): void {
  aChannel('ibv_destroy_comp_channel', channel).destroy();
}

/**
 * Creates a completion queue of at least `cqe` entries. `cq_context` comes back as `cq.cqContext`; `channel` is null for a
 * queue that is only polled.
 */
export function ibv_create_cq(
  context: Context,
  cqe: number,
  cq_context: unknown,
  channel: CompletionChannel | null,
  comp_vector: number,
): CompletionQueue {
  return aContext('ibv_create_cq', context).createCq({ cqe, cqContext: cq_context, channel, compVector: comp_vector });
}

/** Changes the capacity of a completion queue to at least `cqe` entries. */
export function ibv_resize_cq(cq: CompletionQueue, cqe: number): void {
  aCq('ibv_resize_cq', cq).resize(cqe);
}

/** C's `struct ibv_modify_cq_attr`; the mask is an `IBV_CQ_ATTR_*` one. */
export interface ModifyCqAttr {
  /** What to change. */
  readonly attr_mask: number;
  /** How many completions make an event. */
  readonly moderate: CqModerate;
}

/** Changes what `cq_attr.attr_mask` names: how many completions, or how long after the first of them, make an event. */
export function ibv_modify_cq(cq: CompletionQueue, cq_attr: ModifyCqAttr): void {
  const queue = aCq('ibv_modify_cq', cq);
  const { attr_mask, moderate } = attributes('ibv_modify_cq', 'cq_attr', cq_attr);
  if (attr_mask !== CqAttrMask.MODERATE) {
    const message = `attr_mask is ${attr_mask}; IBV_CQ_ATTR_MODERATE is the one that there is`;
    throw new VerbsError({ code: 'EINVAL', verb: 'ibv_modify_cq', message });
  }
  queue.modify({ moderate });
}

/**
 * Destroys a completion queue.
 *
 * @throws VerbsError EBUSY while a queue pair uses it, and while events of it are not acknowledged, for which C waits.
 */
export function ibv_destroy_cq(cq: CompletionQueue): void {
  aCq('ibv_destroy_cq', cq).destroy();
}

/**
 * Waits for the next event of a channel and returns the queue that it is about; its `cqContext` takes the place of the second
 * out-parameter. Every event has to be acknowledged.
 */
export function ibv_get_cq_event(
  channel: CompletionChannel,
  options: { readonly signal?: AbortSignal } = {},
): Promise<CompletionQueue> {
  return aChannel('ibv_get_cq_event', channel).getCqEvent(options);
}

/** Acknowledges `nevents` events of a completion queue. */
export function ibv_ack_cq_events(cq: CompletionQueue, nevents: number): void {
  aCq('ibv_ack_cq_events', cq).ackEvents(nevents);
}

/**
 * Takes at most `num_entries` completions out of a completion queue into the first elements of `wc`, and returns their number.
 * Elements are filled, not replaced: `WorkCompletion.array(n)` makes them.
 */
export function ibv_poll_cq(cq: CompletionQueue, num_entries: number, wc: WorkCompletion[]): number {
  return aCq('ibv_poll_cq', cq).poll(wc, num_entries);
}

/** Asks for an event at the next completion, or at the next solicited or failed one. */
export function ibv_req_notify_cq(cq: CompletionQueue, solicited_only: boolean | number): void {
  aCq('ibv_req_notify_cq', cq).reqNotify(Boolean(solicited_only));
}
