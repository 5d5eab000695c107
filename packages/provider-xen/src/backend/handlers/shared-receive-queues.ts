/** Shared receive queues. */
import { SrqType } from '@openverbs/verbs';
import type { SharedReceiveQueue } from '@openverbs/verbs';
import { createSrqOn, resizeSrqOn } from '@openverbs/verbs/driver';
import type { RequestOf } from '../../protocol/command.ts';
import type { Commands } from '../../protocol/commands.ts';
import { Account } from '../accounting.ts';
import type { GuestContext } from '../guest-context.ts';
import { srqBytes } from '../queue-bytes.ts';
import { toRecvWrs } from '../work-requests.ts';
import type { Handlers } from './handlers.ts';
import { DONE } from './handlers.ts';
import { postRefusal } from './post-refusal.ts';

type CreateSrq = RequestOf<(typeof Commands)['CREATE_SRQ']>;

export const sharedReceiveQueueHandlers: Handlers<
  'CREATE_SRQ' | 'MODIFY_SRQ' | 'QUERY_SRQ' | 'DESTROY_SRQ' | 'POST_SRQ_RECV'
> = {
  CREATE_SRQ(guest, request) {
    const owner = guest.context(request.context);
    const { cookie } = request;
    const { srq } = owner.srqs.add(() => ({ srq: createSrq(owner, request), cookie }));
    owner.cookies.set(srq, cookie);
    return { srq: srq.handle, maxWr: srq.maxWr, maxSge: srq.maxSge, srqNum: srq.srqNum };
  },

  MODIFY_SRQ(guest, { context, srq, attr, key }) {
    const owner = guest.context(context);
    const object = owner.srqs.get(srq).srq;
    const modify = (): void => {
      object.modify(attr);
    };
    if (key === 0 && attr.maxWr === undefined) modify();
    else if (key === 0)
      owner.queueBytes.move(object, srqBytes(owner.lower.queryDevice(), attr.maxWr!, object.maxSge), modify);
    else resizeSrqOn(owner.queueBuffer(key), object, { maxWr: 0, ...attr });
    return { maxWr: object.maxWr };
  },

  QUERY_SRQ(guest, { context, srq }) {
    return { attr: guest.context(context).srqs.get(srq).srq.query() };
  },

  DESTROY_SRQ(guest, { context, srq }) {
    const owner = guest.context(context);
    owner.srqs.remove(srq, ({ srq: object }) => {
      guest.directPosts.look(object);
      object.destroy();
      guest.directPosts.forget(object);
      owner.queueBytes.end(object);
      owner.cookies.delete(object);
    });
    return DONE;
  },

  POST_SRQ_RECV(guest, { context, srq, wrs }) {
    const object = guest.context(context).srqs.get(srq).srq;
    guest.counts[Account.POSTS] += wrs.length;
    return postRefusal(() => {
      object.postRecv(toRecvWrs(wrs));
    });
  },
};

function createSrq(owner: GuestContext, request: CreateSrq): SharedReceiveQueue {
  const { pd, attr, xrcd, cq, key } = request;
  const { maxWr = 0, maxSge = 0, srqLimit = 0 } = attr;
  const xrc = xrcd === 0 ? {} : { srqType: SrqType.XRC, xrcd: owner.xrcds.get(xrcd), cq: owner.cqs.get(cq).cq };
  const init = { attr: { maxWr, maxSge, srqLimit }, ...xrc };
  const domain = owner.pds.get(pd);
  if (key !== 0) return createSrqOn(owner.queueBuffer(key), domain, init);
  return owner.queueBytes.within(srqBytes(owner.lower.queryDevice(), maxWr, maxSge), () => domain.createSrq(init));
}
