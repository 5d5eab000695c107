/** Protection domains, memory and memory regions, by their C names. */
import { ReregMrFlags, VerbsError } from '@openverbs/verbs';
import type {
  Context,
  DmaBuffer,
  MemoryRegion,
  ParentDomain,
  ParentDomainInitAttr,
  ProtectionDomain,
  ThreadDomain,
} from '@openverbs/verbs';

import { aBuffer, aContext, aMemoryRegion, aProtectionDomain, aTd } from './first-argument.ts';
import { firstBytes } from './first-bytes.ts';

/** Allocates a protection domain. */
export function ibv_alloc_pd(context: Context): ProtectionDomain {
  return aContext('ibv_alloc_pd', context).allocPd();
}

/**
 * Frees a protection domain.
 *
 * @throws VerbsError EBUSY while something belongs to it.
 */
export function ibv_dealloc_pd(pd: ProtectionDomain): void {
  aProtectionDomain('ibv_dealloc_pd', pd).dealloc();
}

/** Allocates a thread domain; C's `init_attr` has no members yet. */
export function ibv_alloc_td(context: Context, _init_attr: object | null = null): ThreadDomain {
  return aContext('ibv_alloc_td', context).allocTd();
}

/**
 * Frees a thread domain.
 *
 * @throws VerbsError EBUSY while a parent domain names it.
 */
export function ibv_dealloc_td(td: ThreadDomain): void {
  aTd('ibv_dealloc_td', td).dealloc();
}

/** Allocates a parent domain, which is taken wherever a protection domain is, and freed by {@link ibv_dealloc_pd}. */
export function ibv_alloc_parent_domain(context: Context, attr: ParentDomainInitAttr): ParentDomain {
  return aContext('ibv_alloc_parent_domain', context).allocParentDomain(attr);
}

/**
 * Memory for registration. This is the one addition to Gen2: JavaScript has no `malloc` whose memory every device could reach.
 * It is named after the call that libibverbs got in 2026, and takes its arguments in that order.
 */
export function ibv_alloc_buf(pd: ProtectionDomain, size: number): DmaBuffer {
  return aProtectionDomain('ibv_alloc_buf', pd).context.allocBuf(size);
}

/**
 * Frees the memory.
 *
 * @throws VerbsError EBUSY while it is registered.
 */
export function ibv_free_buf(buf: DmaBuffer): void {
  aBuffer('ibv_free_buf', buf).free();
}

/**
 * Registers `length` bytes from `addr` on. A buffer stands for its first byte; what C writes as `addr + n` is
 * `buf.bytes.subarray(n)`.
 */
export function ibv_reg_mr(
  pd: ProtectionDomain,
  addr: DmaBuffer | ArrayBufferView,
  length: number,
  access: number,
): MemoryRegion {
  return aProtectionDomain('ibv_reg_mr', pd).regMr(firstBytes('ibv_reg_mr', addr, length), access);
}

/** Registers memory that its keys know by the address `iova`; else as {@link ibv_reg_mr}. */
export function ibv_reg_mr_iova(
  pd: ProtectionDomain,
  addr: DmaBuffer | ArrayBufferView,
  length: number,
  iova: number,
  access: number,
): MemoryRegion {
  return aProtectionDomain('ibv_reg_mr_iova', pd).regMrIova(firstBytes('ibv_reg_mr_iova', addr, length), access, iova);
}

/** As {@link ibv_reg_mr_iova}: in C the two differ in the type of `access`. */
export function ibv_reg_mr_iova2(
  pd: ProtectionDomain,
  addr: DmaBuffer | ArrayBufferView,
  length: number,
  iova: number,
  access: number,
): MemoryRegion {
  const owner = aProtectionDomain('ibv_reg_mr_iova2', pd);
  return owner.regMrIova(firstBytes('ibv_reg_mr_iova2', addr, length), access, iova);
}

/** A region that drops what is written to its lkey and gives zeros. */
export function ibv_alloc_null_mr(pd: ProtectionDomain): MemoryRegion {
  return aProtectionDomain('ibv_alloc_null_mr', pd).allocNullMr();
}

/**
 * Changes of a registration what `flags` names; arguments that it does not name are null and 0.
 *
 * @throws VerbsError and the region is as it was: C would return `IBV_REREG_MR_ERR_INPUT`.
 */
export function ibv_rereg_mr(
  mr: MemoryRegion,
  flags: number,
  pd: ProtectionDomain | null,
  addr: DmaBuffer | ArrayBufferView | null,
  length: number,
  access: number,
): void {
  const region = aMemoryRegion('ibv_rereg_mr', mr);
  const { CHANGE_TRANSLATION, CHANGE_PD, CHANGE_ACCESS } = ReregMrFlags;
  const unknown = flags & ~(CHANGE_TRANSLATION | CHANGE_PD | CHANGE_ACCESS);
  if (unknown !== 0) throw invalidRereg(`flags has bits that mean nothing: 0x${(unknown >>> 0).toString(16)}`);
  if (access !== 0 && (flags & CHANGE_ACCESS) === 0)
    throw invalidRereg(`access is ${access}, but flags lack IBV_REREG_MR_CHANGE_ACCESS`);
  const changesMemory = (flags & CHANGE_TRANSLATION) !== 0;
  if (changesMemory && addr === null)
    throw invalidRereg('addr is null, but flags have IBV_REREG_MR_CHANGE_TRANSLATION');
  if ((flags & CHANGE_PD) !== 0 && pd === null) throw invalidRereg('pd is null, but flags have IBV_REREG_MR_CHANGE_PD');
  region.rereg({
    ...(changesMemory && addr !== null ? { memory: firstBytes('ibv_rereg_mr', addr, length) } : {}),
    ...((flags & CHANGE_PD) !== 0 && pd !== null ? { pd } : {}),
    ...((flags & CHANGE_ACCESS) !== 0 ? { access } : {}),
  });
}

/**
 * Ends a registration.
 *
 * @throws VerbsError EBUSY while memory windows are bound to it.
 */
export function ibv_dereg_mr(mr: MemoryRegion): void {
  aMemoryRegion('ibv_dereg_mr', mr).dereg();
}

function invalidRereg(message: string): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb: 'ibv_rereg_mr', message, hint: 'nothing is changed' });
}
