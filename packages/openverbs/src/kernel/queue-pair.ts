/** Queue pairs, by their C names of kernel level. */
import { qpModifyFault, VerbsError } from '@openverbs/verbs';
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
} from '@openverbs/verbs';

import type { BadWr } from '../gen2/bad-wr.ts';
import { aProtectionDomain, aQp, attributes } from '../gen2/first-argument.ts';
import { filled } from '../gen2/out-parameter.ts';
import type { Out } from '../gen2/out-parameter.ts';
import { inTerms } from '../gen2/terms.ts';
import { postRecv, postSend } from '../gen2/posts.ts';
import { IB_SIGNAL_ALL_WR, IB_SIGNAL_REQ_WR } from './constants.ts';
import { checkHandler, forgetHandlers, kernelDeviceOf } from './kernel-device.ts';
import type { EventHandler } from './kernel-device.ts';

/** C's `struct ib_qp_init_attr`. */
export interface IbQpInitAttr extends Omit<QpInitAttr, 'sqSigAll'> {
  /** Called for asynchronous events of the queue pair, with its `qpContext`. */
  readonly eventHandler?: EventHandler | null;
  /** `IB_SIGNAL_ALL_WR`, or `IB_SIGNAL_REQ_WR`, which it is unless said. */
  readonly sqSigType?: number;
}

/** The out-parameters of {@link ib_query_qp}. */
export interface IbQueriedQp {
  /** All attributes. */
  readonly qp_attr: Required<QpAttr>;
  /** How the queue pair was made, with its actual capacities. */
  readonly qp_init_attr: QpQuery['init'] & Pick<Required<IbQpInitAttr>, 'sqSigType'>;
}

/**
 * Creates a queue pair. Its actual capacities are in `qp.cap`; C writes them back into `qp_init_attr`. `qp_init_attr.eventHandler(event,
 * qpContext)` is called as the handlers of {@link ib_create_cq} are.
 */
export function ib_create_qp(pd: ProtectionDomain, qp_init_attr: IbQpInitAttr): QueuePair {
  const verb = 'ib_create_qp';
  const owner = aProtectionDomain(verb, pd);
  const { eventHandler = null, sqSigType = IB_SIGNAL_REQ_WR, ...init } = attributes(verb, 'qp_init_attr', qp_init_attr);
  checkHandler(verb, 'qp_init_attr.eventHandler', eventHandler);
  if (sqSigType !== IB_SIGNAL_ALL_WR && sqSigType !== IB_SIGNAL_REQ_WR)
    throw new VerbsError({ code: 'EINVAL', verb, message: `qp_init_attr.sqSigType is ${String(sqSigType)}` });
  const kernel = eventHandler === null ? null : kernelDeviceOf(verb, owner.context);
  const qp = inTerms(verb, () => owner.createQp({ ...init, sqSigAll: sqSigType === IB_SIGNAL_ALL_WR }));
  if (eventHandler !== null) kernel?.setEventHandler(qp, eventHandler, qp.qpContext);
  return qp;
}

/** Sets the attributes that `qp_attr_mask` names, and no others. */
export function ib_modify_qp(qp: QueuePair, qp_attr: QpAttrInit, qp_attr_mask: number): void {
  inTerms('ib_modify_qp', (verb) => aQp(verb, qp).modify(qp_attr, qp_attr_mask));
}

/** Whether a transition has what it needs, and nothing else: 1 or 0. */
export function ib_modify_qp_is_ok(cur_state: number, next_state: number, type: number, mask: number): number {
  return qpModifyFault(type, cur_state, next_state, mask) === undefined ? 1 : 0;
}

/** The attributes of a queue pair, and how it was made; as in C, more than the mask names may be filled. */
export function ib_query_qp(
  qp: QueuePair,
  qp_attr: Out<Required<QpAttr>> = {},
  _qp_attr_mask = 0,
  qp_init_attr: Out<IbQueriedQp['qp_init_attr']> = {},
): IbQueriedQp {
  const { attr, init } = inTerms('ib_query_qp', (verb) => aQp(verb, qp).query());
  const sqSigType = init.sqSigAll ? IB_SIGNAL_ALL_WR : IB_SIGNAL_REQ_WR;
  return { qp_attr: filled(qp_attr, attr), qp_init_attr: filled(qp_init_attr, { ...init, sqSigType }) };
}

/**
 * Destroys a queue pair. Its completions that were not polled are gone, and its handler is not called any more.
 *
 * @throws VerbsError EBUSY while it is attached to a multicast group.
 */
export function ib_destroy_qp(qp: QueuePair): void {
  inTerms('ib_destroy_qp', (verb) => aQp(verb, qp).destroy());
  forgetHandlers(qp.context);
}

/**
 * Posts a chain of work requests to the send queue.
 *
 * @throws VerbsError for the first one that is refused, which `bad_send_wr` then names; those before it are posted.
 */
export function ib_post_send(
  qp: QueuePair,
  send_wr: SendWr | SendWrInit,
  bad_send_wr?: BadWr<SendWr | SendWrInit>,
): void {
  postSend('ib_post_send', qp, send_wr, bad_send_wr);
}

/**
 * Posts a chain of work requests to the receive queue.
 *
 * @throws VerbsError for the first one that is refused, which `bad_recv_wr` then names; those before it are posted.
 */
export function ib_post_recv(
  qp: QueuePair,
  recv_wr: RecvWr | RecvWrInit,
  bad_recv_wr?: BadWr<RecvWr | RecvWrInit>,
): void {
  postRecv('ib_post_recv', qp, recv_wr, bad_recv_wr);
}
