/** Queue pairs, by their C names. */
import { VerbsError } from '@openverbs/verbs';
import type {
  ProtectionDomain,
  QpAttr,
  QpAttrInit,
  QpInitAttr,
  QpQuery,
  QueuePair,
  RecvWr,
  RecvWrInit,
  SendWr,
  SendWrInit,
  WrOpcode,
} from '@openverbs/verbs';

import { aProtectionDomain, aQp } from './first-argument.ts';
import type { BadWr } from './bad-wr.ts';
import { filled } from './out-parameter.ts';
import type { Out } from './out-parameter.ts';
import { postRecv, postSend } from './posts.ts';

/** The out-parameters of {@link ibv_query_qp}. */
export interface QueriedQp {
  /** All attributes. */
  readonly attr: Required<QpAttr>;
  /** How the queue pair was made, with its actual capacities. */
  readonly init_attr: QpQuery['init'];
}

/** Creates a queue pair. Its actual capacities are in `qp.cap`; C writes them back into `qp_init_attr`. */
export function ibv_create_qp(pd: ProtectionDomain, qp_init_attr: QpInitAttr): QueuePair {
  return aProtectionDomain('ibv_create_qp', pd).createQp(qp_init_attr);
}

/**
 * Sets the attributes that `attr_mask` names, and no others, whatever else `attr` holds.
 *
 * @throws VerbsError EINVAL if the transition does not allow them or needs others; nothing is changed then.
 */
export function ibv_modify_qp(qp: QueuePair, attr: QpAttrInit, attr_mask: number): void {
  const queuePair = aQp('ibv_modify_qp', qp);
  if (typeof attr_mask !== 'number') {
    const message = `attr_mask is ${String(attr_mask)}, not a number of bits`;
    throw new VerbsError({ code: 'EINVAL', verb: 'ibv_modify_qp', message, hint: 'give bits of IBV_QP_…' });
  }
  queuePair.modify(attr, attr_mask);
}

/**
 * The attributes of a queue pair, and how it was made. The mask says what the caller wants to know; as in C, the rest may be
 * filled too.
 */
export function ibv_query_qp(
  qp: QueuePair,
  attr: Out<Required<QpAttr>> = {},
  _attr_mask = 0,
  init_attr: Out<QpQuery['init']> = {},
): QueriedQp {
  const queried = aQp('ibv_query_qp', qp).query();
  return { attr: filled(attr, queried.attr), init_attr: filled(init_attr, queried.init) };
}

/** Whether the data of messages is written in order: 1 or 0, or with `IBV_QUERY_QP_DATA_IN_ORDER_RETURN_CAPS` what is. */
export function ibv_query_qp_data_in_order(qp: QueuePair, op: WrOpcode, flags: number): number {
  return aQp('ibv_query_qp_data_in_order', qp).queryDataInOrder(op, flags);
}

/**
 * Destroys a queue pair. Its completions that were not polled are gone.
 *
 * @throws VerbsError EBUSY while events of it are not acknowledged, for which C waits.
 */
export function ibv_destroy_qp(qp: QueuePair): void {
  aQp('ibv_destroy_qp', qp).destroy();
}

/**
 * Posts a chain of work requests to the send queue.
 *
 * @throws VerbsError for the first one that is refused, which `bad_wr` then names; those before it are posted.
 */
export function ibv_post_send(qp: QueuePair, wr: SendWr | SendWrInit, bad_wr?: BadWr<SendWr | SendWrInit>): void {
  postSend('ibv_post_send', qp, wr, bad_wr);
}

/**
 * Posts a chain of work requests to the receive queue.
 *
 * @throws VerbsError for the first one that is refused, which `bad_wr` then names; those before it are posted.
 */
export function ibv_post_recv(qp: QueuePair, wr: RecvWr | RecvWrInit, bad_wr?: BadWr<RecvWr | RecvWrInit>): void {
  postRecv('ibv_post_recv', qp, wr, bad_wr);
}
