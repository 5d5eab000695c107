/** Queue pairs. */
import { QpDataInOrderFlags, QpState } from '@openverbs/verbs';
import type { CompletionQueue, QpAttrInit, QpInitAttr, QueuePair, WrOpcode } from '@openverbs/verbs';
import { createQpOn, createXrcRecvQpOn } from '@openverbs/verbs/driver';
import type { RequestOf } from '../../protocol/command.ts';
import type { Commands } from '../../protocol/commands.ts';
import { QP_MODIFIES_MASK } from '../../protocol/events.ts';
import { Account } from '../accounting.ts';
import type { GuestContext, GuestQp } from '../guest-context.ts';
import { qpBytes } from '../queue-bytes.ts';
import { payloadOf } from '../request-queue.ts';
import { toRecvWrs, toSendWrs } from '../work-requests.ts';
import type { Handlers } from './handlers.ts';
import { DONE } from './handlers.ts';
import { postRefusal } from './post-refusal.ts';

type CreateQp = RequestOf<(typeof Commands)['CREATE_QP']>;

/** An XRC QP that receives posts nothing, and receives into an SRQ. */
const NO_QUEUES = { maxSendWr: 0, maxRecvWr: 0, maxSendSge: 0, maxRecvSge: 0, maxInlineData: 0 };

export const queuePairHandlers: Handlers<
  | 'CREATE_QP'
  | 'OPEN_QP'
  | 'MODIFY_QP'
  | 'QUERY_QP'
  | 'DESTROY_QP'
  | 'QUERY_QP_DATA_IN_ORDER'
  | 'POST_SEND'
  | 'POST_RECV'
> = {
  CREATE_QP(guest, request) {
    const owner = guest.context(request.context);
    const { cookie } = request;
    const { qp } = owner.qps.add(() => guestQp(createQp(owner, request), cookie));
    owner.cookies.set(qp, cookie);
    return { qp: qp.handle, cap: qp.cap };
  },

  OPEN_QP(guest, { context, xrcd, qpNum, cookie }) {
    const owner = guest.context(context);
    const { qp } = owner.qps.add(() => guestQp(owner.xrcds.get(xrcd).openQp({ qpNum }), cookie));
    owner.cookies.set(qp, cookie);
    return { qp: qp.handle, cap: qp.cap };
  },

  MODIFY_QP(guest, { context, qp, attr }) {
    const owned = guest.context(context).qps.get(qp);
    const object = owned.qp;
    const resets = attr.qpState === QpState.RESET;
    if (resets) guest.directPosts.look(object);
    // What waits was posted in SQE, too, as the guest sees it: it is flushed there, and not sent when this leads out.
    if (object.state === QpState.SQE) guest.requests.flush(object);
    object.modify(attr as QpAttrInit);
    owned.modifies = (owned.modifies + 1) & QP_MODIFIES_MASK;
    // Only now: a modify that is refused changes nothing. Else what waits goes on waiting for its turn and its tokens. A QP in SQD would not begin
    // it anyway.
    if (attr.qpState === QpState.ERR) guest.requests.flush(object);
    if (resets) {
      guest.requests.drop(object);
      guest.directPosts.forget(object);
    }
    return DONE;
  },

  QUERY_QP(guest, { context, qp }) {
    const { attr, init } = guest.context(context).qps.get(qp).qp.query();
    return { attr, cap: init.cap };
  },

  DESTROY_QP(guest, { context, qp }) {
    const owner = guest.context(context);
    owner.qps.remove(qp, ({ qp: object, groups }) => {
      // The guest's own verbs has refused it where its program must detach before; a dying owner need not.
      for (const { gid, lid } of groups.values()) object.detachMcast(gid, lid);
      guest.quota.give('attachments', groups.size);
      groups.clear();
      guest.requests.drop(object);
      guest.directPosts.look(object);
      object.destroy();
      guest.directPosts.forget(object);
      owner.queueBytes.end(object);
      owner.cookies.delete(object);
    });
    return DONE;
  },

  QUERY_QP_DATA_IN_ORDER(guest, { context, qp, opcode, deviceOnly }) {
    const { RETURN_CAPS, DEVICE_ONLY } = QpDataInOrderFlags;
    const flags = deviceOnly ? RETURN_CAPS | DEVICE_ONLY : RETURN_CAPS;
    return {
      caps: guest
        .context(context)
        .qps.get(qp)
        .qp.queryDataInOrder(opcode as WrOpcode, flags),
    };
  },

  POST_SEND(guest, { context, qp, consumed, wrs }) {
    const owner = guest.context(context);
    const object = owner.qps.get(qp).qp;
    consume(owner, object.sendCq, consumed);
    guest.counts[Account.POSTS] += wrs.length;
    const { wrs: good, fault } = toSendWrs(owner, wrs);
    for (const wr of good) guest.counts[Account.BYTES] += payloadOf(wr);
    const refused = postRefusal(() => {
      if (good.length > 0) guest.requests.post(object, good, owner.maxMsgSz);
    });
    return refused.errno === 0 && fault !== null ? { errno: fault.errno, badWrIndex: good.length } : refused;
  },

  POST_RECV(guest, { context, qp, consumed, wrs }) {
    const owner = guest.context(context);
    const object = owner.qps.get(qp).qp;
    consume(owner, object.recvCq, consumed);
    guest.counts[Account.POSTS] += wrs.length;
    return postRefusal(() => {
      object.postRecv(toRecvWrs(wrs));
    });
  },
};

/** A QP as it was just made or opened. */
function guestQp(qp: QueuePair, cookie: number): GuestQp {
  return { qp, cookie, groups: new Map(), modifies: 0 };
}

/** What the guest has polled of the CQ where the work completes gives its room back before that begins. */
function consume({ cqs }: GuestContext, cq: CompletionQueue | null, consumed: number): void {
  if (cq !== null) cqs.get(cq.handle).consume(consumed);
}

/** On memory of the back-end's own, or on the guest's. */
function createQp(owner: GuestContext, request: CreateQp): QueuePair {
  const { xrcd, key } = request;
  if (xrcd !== 0) {
    const domain = owner.xrcds.get(xrcd);
    if (key === 0)
      return owner.queueBytes.within(qpBytes(owner.lower.queryDevice(), NO_QUEUES, false), () => domain.createQp());
    return createXrcRecvQpOn(owner.queueBuffer(key), domain);
  }
  const pd = owner.pds.get(request.pd);
  const init = qpInit(owner, request);
  if (key !== 0) return createQpOn(owner.queueBuffer(key), pd, init);
  return owner.queueBytes.within(qpBytes(owner.lower.queryDevice(), request.cap, request.srq === 0), () =>
    pd.createQp(init),
  );
}

function qpInit({ cqs, srqs }: GuestContext, request: CreateQp): QpInitAttr {
  const { sendCq, recvCq, srq, qpType, sqSigAll, cap } = request;
  return {
    qpType: qpType as QpInitAttr['qpType'],
    sqSigAll,
    cap,
    sendCq: cqs.get(sendCq).cq,
    ...(recvCq === 0 ? {} : { recvCq: cqs.get(recvCq).cq }),
    ...(srq === 0 ? {} : { srq: srqs.get(srq).srq }),
  };
}
