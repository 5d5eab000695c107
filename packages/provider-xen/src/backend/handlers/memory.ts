/** Memory regions and windows. A region comes in three steps, so that its list of pages may be longer than a message. */
import { VerbsError } from '@openverbs/verbs';
import type { MemoryRegion, MwType } from '@openverbs/verbs';
import { checkAccess, getDmaMrOf, regQueueBuffer } from '@openverbs/verbs/driver';
import type { QueueBuffer } from '@openverbs/verbs/driver';
import { RegionUse } from '../../protocol/commands.ts';
import type { Guest } from '../guest.ts';
import { memoryOf } from '../guest-context.ts';
import type { PendingRegion } from '../pending-region.ts';
import type { Handlers } from './handlers.ts';
import { DONE } from './handlers.ts';

export const memoryHandlers: Handlers<
  | 'BEGIN_REGION'
  | 'ADD_PAGES'
  | 'END_REGION'
  | 'ABORT_REGION'
  | 'DEREG_MR'
  | 'ALLOC_NULL_MR'
  | 'GET_DMA_MR'
  | 'ALLOC_MW'
  | 'DEALLOC_MW'
> = {
  BEGIN_REGION(guest, { context, use, ...rest }) {
    const owner = guest.context(context);
    if (use > RegionUse.CHANGE) throw new VerbsError({ code: 'EINVAL', message: `a region has no use ${use}` });
    if (use !== RegionUse.RINGS) owner.pds.get(rest.pd);
    if (use === RegionUse.CHANGE) memoryOf(owner, rest.mr);
    // Before the first page is pinned for it.
    checkAccess('ib_reg_phys_mr', owner.lower, rest.access);
    if (use === RegionUse.RINGS) owner.requireBypass();
    return { region: guest.regions.begin({ context: owner, use, ...rest }) };
  },

  ADD_PAGES(guest, { region, pages }) {
    guest.regions.add(region, pages);
    return DONE;
  },

  END_REGION(guest, { region }) {
    return guest.regions.end(region, (pending) => makeRegion(guest, pending));
  },

  ABORT_REGION(guest, { region }) {
    guest.regions.abort(region);
    return DONE;
  },

  DEREG_MR(guest, { context, mr }) {
    const { mrs } = guest.context(context);
    const { pins } = mrs.get(mr);
    mrs.remove(mr, ({ object }) => {
      object.dereg();
    });
    guest.regions.unpin(pins);
    return DONE;
  },

  ALLOC_NULL_MR(guest, { context, pd }) {
    const { pds, mrs } = guest.context(context);
    const lowerPd = pds.get(pd);
    const { object } = mrs.add(() => ({ object: lowerPd.allocNullMr(), pins: [] }));
    const { handle, lkey } = object as MemoryRegion;
    return { mr: handle, lkey };
  },

  /** Nothing is pinned: the device looks at each access whose the pages are. */
  GET_DMA_MR(guest, { context, pd, access }) {
    const { pds, mrs } = guest.context(context);
    const lowerPd = pds.get(pd);
    const { object } = mrs.add(() => ({ object: getDmaMrOf(lowerPd, access, guest.dmaOwner), pins: [] }));
    return keysOf(object as MemoryRegion);
  },

  ALLOC_MW(guest, { context, pd, type }) {
    const { pds, mws } = guest.context(context);
    const lowerPd = pds.get(pd);
    const mw = mws.add(() => lowerPd.allocMw(type as MwType));
    return { mw: mw.handle, rkey: mw.rkey };
  },

  DEALLOC_MW(guest, { context, mw }) {
    guest.context(context).mws.remove(mw, (object) => {
      object.dealloc();
    });
    return DONE;
  },
};

/** Enters a region into the lower device, or changes one. Its pages are pinned by now. */
function makeRegion(guest: Guest, pending: PendingRegion): { mr: number; lkey: number; rkey: number } {
  const { context, use, addresses, pins, firstOffset, length, access, iova } = pending;
  const { lower, mrs, pds } = context;
  if (use === RegionUse.RINGS) {
    const { object } = mrs.add(() => ({ object: regQueueBuffer(lower, addresses), pins }));
    return { mr: (object as QueueBuffer).key, lkey: 0, rkey: 0 };
  }
  const pd = pds.get(pending.pd);
  const place = { firstOffset, length, access, iova };
  if (use === RegionUse.MEMORY) {
    const { object } = mrs.add(() => ({ object: pd.regPhysMr(addresses, place), pins }));
    return keysOf(object as MemoryRegion);
  }
  const region = memoryOf(context, pending.mr);
  const changes = { ...place, pages: addresses, ...(pd === region.object.pd ? {} : { pd }) };
  region.object.reregPhys(changes);
  guest.regions.unpin(region.pins);
  region.pins = pins;
  return keysOf(region.object);
}

function keysOf({ handle, lkey, rkey }: MemoryRegion): { mr: number; lkey: number; rkey: number } {
  return { mr: handle, lkey, rkey };
}
