/** Protection domains, XRC domains, address handles and groups. */
import type { XrcDomain } from '@openverbs/verbs';
import type { Handlers } from './handlers.ts';
import { DONE } from './handlers.ts';

export const domainHandlers: Handlers<
  'ALLOC_PD' | 'DEALLOC_PD' | 'OPEN_XRCD' | 'CLOSE_XRCD' | 'CREATE_AH' | 'DESTROY_AH' | 'ATTACH_MCAST' | 'DETACH_MCAST'
> = {
  ALLOC_PD(guest, { context }) {
    const { pds, lower } = guest.context(context);
    return { pd: pds.add(() => lower.allocPd()).handle };
  },

  DEALLOC_PD(guest, { context, pd }) {
    guest.context(context).pds.remove(pd, (object) => {
      object.dealloc();
    });
    return DONE;
  },

  OPEN_XRCD(guest, { context, inode, oflags }) {
    const { xrcds, lower } = guest.context(context);
    const open = (fd?: number): XrcDomain => lower.openXrcd({ ...(fd === undefined ? {} : { fd }), oflags });
    return { xrcd: xrcds.add(() => (inode === null ? open() : guest.xrcdFiles.open(inode, open))).handle };
  },

  CLOSE_XRCD(guest, { context, xrcd }) {
    guest.context(context).xrcds.remove(xrcd, (object) => {
      object.close();
      guest.xrcdFiles.release(object);
    });
    return DONE;
  },

  CREATE_AH(guest, { context, pd, attr }) {
    const { ahs, pds } = guest.context(context);
    const lowerPd = pds.get(pd);
    return { ah: ahs.add(() => lowerPd.createAh(attr)).handle };
  },

  DESTROY_AH(guest, { context, ah }) {
    guest.context(context).ahs.remove(ah, (object) => {
      object.destroy();
    });
    return DONE;
  },

  ATTACH_MCAST(guest, { context, qp, gid, lid }) {
    const { qp: object, groups } = guest.context(context).qps.get(qp);
    const name = gid.toString();
    // A second attachment to a group is none, whatever its LID.
    if (groups.has(name)) object.attachMcast(gid, lid);
    else {
      guest.quota.within('attachments', () => {
        object.attachMcast(gid, lid);
      });
      groups.set(name, { gid, lid });
    }
    return DONE;
  },

  DETACH_MCAST(guest, { context, qp, gid, lid }) {
    const { qp: object, groups } = guest.context(context).qps.get(qp);
    object.detachMcast(gid, lid);
    if (groups.delete(gid.toString())) guest.quota.give('attachments');
    return DONE;
  },
};
