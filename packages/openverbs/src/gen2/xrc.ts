/** Extended reliable connections, by their C names. */
import { type QpType, VerbsError } from '@openverbs/verbs';
import type {
  Context,
  ProtectionDomain,
  QpInitAttr,
  QpOpenAttr,
  QueuePair,
  SharedReceiveQueue,
  SrqInitAttr,
  XrcDomain,
  XrcdInitAttr,
} from '@openverbs/verbs';

import { aContext, aProtectionDomain, anSrq, anXrcd, attributes } from './first-argument.ts';

/** `struct ibv_srq_init_attr_ex`; what is given counts, so there is no `comp_mask`. */
export interface SrqInitAttrEx extends SrqInitAttr {
  /** The protection domain. */
  readonly pd: ProtectionDomain;
}

/** `struct ibv_qp_init_attr_ex`; what is given counts, so there is no `comp_mask`. */
export type QpInitAttrEx =
  | (QpInitAttr & {
      /** The protection domain. */
      readonly pd: ProtectionDomain;
    })
  | {
      /** The receiving end of XRC. */
      readonly qpType: typeof QpType.XRC_RECV;
      /** The domain whose shared receive queues it reaches. */
      readonly xrcd: XrcDomain;
      /** The application's own; comes back as `qp.qpContext`. */
      readonly qpContext?: unknown;
    };

/** `struct ibv_qp_open_attr`; what is given counts, so there is no `comp_mask`. */
export interface QpOpenAttrEx extends QpOpenAttr {
  /** The domain that the queue pair was made in. */
  readonly xrcd: XrcDomain;
}

/** Opens an XRC domain. */
export function ibv_open_xrcd(context: Context, xrcd_init_attr: XrcdInitAttr): XrcDomain {
  return aContext('ibv_open_xrcd', context).openXrcd(xrcd_init_attr);
}

/**
 * Closes an XRC domain.
 *
 * @throws VerbsError EBUSY while queue pairs and shared receive queues are in it
 */
export function ibv_close_xrcd(xrcd: XrcDomain): void {
  anXrcd('ibv_close_xrcd', xrcd).close();
}

/** Creates a shared receive queue, basic or for XRC. */
export function ibv_create_srq_ex(context: Context, srq_init_attr_ex: SrqInitAttrEx): SharedReceiveQueue {
  const verb = 'ibv_create_srq_ex';
  aContext(verb, context);
  const { pd, ...init } = attributes(verb, 'srq_init_attr_ex', srq_init_attr_ex);
  checkOwner(verb, context, aProtectionDomain(verb, pd, 'pd'));
  return pd.createSrq(init);
}

/** The number by which XRC messages name a shared receive queue. */
export function ibv_get_srq_num(srq: SharedReceiveQueue): number {
  return anSrq('ibv_get_srq_num', srq).srqNum;
}

/** Creates a queue pair of any type; XRC_RECV in an XRC domain, all others in a protection domain. */
export function ibv_create_qp_ex(context: Context, qp_init_attr_ex: QpInitAttrEx): QueuePair {
  const verb = 'ibv_create_qp_ex';
  aContext(verb, context);
  attributes(verb, 'qp_init_attr_ex', qp_init_attr_ex);
  if ('xrcd' in qp_init_attr_ex) {
    checkOwner(verb, context, anXrcd(verb, qp_init_attr_ex.xrcd, 'xrcd'));
    return qp_init_attr_ex.xrcd.createQp({ qpContext: qp_init_attr_ex.qpContext });
  }
  const { pd, ...init } = qp_init_attr_ex;
  checkOwner(verb, context, aProtectionDomain(verb, pd, 'pd'));
  return pd.createQp(init);
}

/** Opens an XRC_RECV queue pair that somebody made in the XRC domain; destroyed as any other. */
export function ibv_open_qp(context: Context, qp_open_attr: QpOpenAttrEx): QueuePair {
  const verb = 'ibv_open_qp';
  aContext(verb, context);
  const { xrcd, ...attr } = attributes(verb, 'qp_open_attr', qp_open_attr);
  checkOwner(verb, context, anXrcd(verb, xrcd, 'xrcd'));
  return xrcd.openQp(attr);
}

function checkOwner(
  verb: string,
  context: Context,
  owner: { readonly context: Context; readonly label: string },
): void {
  if (owner.context === context) return;
  throw new VerbsError({ code: 'EINVAL', verb, message: `${owner.label} is of another context` });
}
