/** Protection domains, memory regions and memory windows, by their C names of kernel level. */
import { MwType, ReregMrFlags, VerbsError } from '@openverbs/verbs';
import type { Device, MemoryRegion, MemoryWindow, MwBindInit, ProtectionDomain, QueuePair } from '@openverbs/verbs';

import { aDevice, aMemoryRegion, aMemoryWindow, aProtectionDomain, aQp } from '../gen2/first-argument.ts';
import { filled } from '../gen2/out-parameter.ts';
import type { Out } from '../gen2/out-parameter.ts';
import { inTerms } from '../gen2/terms.ts';
import { kernelDevice } from './kernel-device.ts';
import { pagesOf } from './phys-buf.ts';
import type { IbPhysBuf } from './phys-buf.ts';

/** C's `struct ib_mr_attr`. */
export interface IbMrAttr {
  /** The protection domain that its keys work in. */
  readonly pd: ProtectionDomain;
  /** The address at which its keys know the first byte. */
  readonly deviceVirtAddr: number;
  /** Bytes. */
  readonly size: number;
  /** `IB_ACCESS_*` bits. */
  readonly mrAccessFlags: number;
  /** The key for SGEs. */
  readonly lkey: number;
  /** The key for peers. */
  readonly rkey: number;
}

/** Allocates a protection domain, in the one context that consumers of kernel level share. */
export function ib_alloc_pd(device: Device): ProtectionDomain {
  return inTerms('ib_alloc_pd', (verb) => kernelDevice(aDevice(verb, device)).context.allocPd());
}

/**
 * Frees a protection domain.
 *
 * @throws VerbsError EBUSY while something belongs to it.
 */
export function ib_dealloc_pd(pd: ProtectionDomain): void {
  inTerms('ib_dealloc_pd', (verb) => aProtectionDomain(verb, pd).dealloc());
}

/**
 * A region of all memory, whose keys know each byte by its bus address, see {@link ib_dma_map_single}. In a guest of the split driver it
 * reaches the pages that are the guest's when an access comes, and no others.
 */
export function ib_get_dma_mr(pd: ProtectionDomain, mr_access_flags: number): MemoryRegion {
  return inTerms('ib_get_dma_mr', (verb) => aProtectionDomain(verb, pd).getDmaMr(mr_access_flags));
}

/**
 * Registers memory that lies in several places, as one range of addresses from `iova_start` on. Each place but the first begins with a page,
 * and each but the last ends with one. The pages stay in place and are not freed while the region lives.
 *
 * @throws VerbsError EINVAL for places that make no such list, or are not memory of the caller; an `iova_start` at another offset in a page.
 */
export function ib_reg_phys_mr(
  pd: ProtectionDomain,
  phys_buf_array: readonly IbPhysBuf[],
  num_phys_buf: number,
  mr_access_flags: number,
  iova_start: number,
): MemoryRegion {
  const verb = 'ib_reg_phys_mr';
  const owner = aProtectionDomain(verb, pd);
  return inTerms(verb, () => {
    const { pages, ...place } = pagesOf(verb, owner.context, phys_buf_array, num_phys_buf);
    return owner.regPhysMr(pages, { ...place, access: mr_access_flags, iova: iova_start });
  });
}

/** Changes of a region what `mr_rereg_mask` (`IB_MR_REREG_*`) names; arguments that it does not name are null and 0. */
export function ib_rereg_phys_mr(
  mr: MemoryRegion,
  mr_rereg_mask: number,
  pd: ProtectionDomain | null,
  phys_buf_array: readonly IbPhysBuf[] | null,
  num_phys_buf: number,
  mr_access_flags: number,
  iova_start: number,
): void {
  const verb = 'ib_rereg_phys_mr';
  const region = aMemoryRegion(verb, mr);
  const { CHANGE_TRANSLATION, CHANGE_PD, CHANGE_ACCESS } = ReregMrFlags;
  if ((mr_rereg_mask & ~(CHANGE_TRANSLATION | CHANGE_PD | CHANGE_ACCESS)) !== 0)
    throw new VerbsError({
      code: 'EINVAL',
      verb,
      message: `mr_rereg_mask has bits that mean nothing: ${mr_rereg_mask}`,
    });
  inTerms(verb, () => {
    region.reregPhys({
      ...((mr_rereg_mask & CHANGE_TRANSLATION) !== 0 && {
        ...pagesOf(verb, region.context, phys_buf_array ?? [], num_phys_buf),
        iova: iova_start,
      }),
      ...((mr_rereg_mask & CHANGE_PD) !== 0 && { pd: aProtectionDomain(verb, pd as ProtectionDomain, 'pd') }),
      ...((mr_rereg_mask & CHANGE_ACCESS) !== 0 && { access: mr_access_flags }),
    });
  });
}

/** What a region is. */
export function ib_query_mr(mr: MemoryRegion, mr_attr: Out<IbMrAttr> = {}): IbMrAttr {
  const {
    pd,
    iova: deviceVirtAddr,
    length: size,
    access: mrAccessFlags,
    lkey,
    rkey,
  } = aMemoryRegion('ib_query_mr', mr);
  return filled(mr_attr, { pd, deviceVirtAddr, size, mrAccessFlags, lkey, rkey });
}

/**
 * Ends a registration.
 *
 * @throws VerbsError EBUSY while memory windows are bound to it.
 */
export function ib_dereg_mr(mr: MemoryRegion): void {
  inTerms('ib_dereg_mr', (verb) => aMemoryRegion(verb, mr).dereg());
}

/** Makes a memory window, of type 1, which is what there was. */
export function ib_alloc_mw(pd: ProtectionDomain): MemoryWindow {
  return inTerms('ib_alloc_mw', (verb) => aProtectionDomain(verb, pd).allocMw(MwType.TYPE_1));
}

/** Binds a memory window, and sets its new `mw.rkey`. */
export function ib_bind_mw(qp: QueuePair, mw: MemoryWindow, mw_bind: MwBindInit): void {
  inTerms('ib_bind_mw', (verb) => aQp(verb, qp).bindMw(mw, mw_bind));
}

/** Ends a memory window, bound or not. */
export function ib_dealloc_mw(mw: MemoryWindow): void {
  inTerms('ib_dealloc_mw', (verb) => aMemoryWindow(verb, mw).dealloc());
}
