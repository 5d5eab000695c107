/** Protection domains, memory and memory regions, by their C names. */
import { leftOutError, ReregMrFlags, VerbsError } from '@openverbs/verbs';
import { checkLiteral, literalKeys } from '@openverbs/verbs/driver';
import type {
  Context,
  DmaBuffer,
  MemoryRegion,
  ParentDomain,
  ParentDomainInitAttr,
  ProtectionDomain,
  ThreadDomain,
} from '@openverbs/verbs';

import {
  IBV_REG_MR_MASK_ADDR,
  IBV_REG_MR_MASK_BUF,
  IBV_REG_MR_MASK_DMAH,
  IBV_REG_MR_MASK_FD,
  IBV_REG_MR_MASK_FD_OFFSET,
  IBV_REG_MR_MASK_IOVA,
} from './constants.ts';
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

/**
 * Registers `length` bytes of a buffer from `addr` on, which is the buffer or a view into it; else as {@link ibv_reg_mr}.
 *
 * @throws VerbsError EINVAL if the memory is not of `buf`, or `buf` not of the context of `pd`.
 */
export function ibv_reg_buf_mr(
  pd: ProtectionDomain,
  buf: DmaBuffer,
  addr: DmaBuffer | ArrayBufferView,
  length: number,
  access: number,
): MemoryRegion {
  const verb = 'ibv_reg_buf_mr';
  const owner = aProtectionDomain(verb, pd);
  return owner.regMr(bytesOfBuffer(verb, owner, buf, addr, length), access);
}

/** `struct ibv_mr_init_attr`: what {@link ibv_reg_mr_ex} registers. */
export interface MrInitAttr {
  /** Bits of `IBV_REG_MR_MASK_…`: which of the optional members count. */
  readonly comp_mask: number;
  /** Bytes. */
  readonly length: number;
  /** Bits of `IBV_ACCESS_…`. */
  readonly access: number;
  /** The memory: a buffer stands for its first byte. Needed. */
  readonly addr?: DmaBuffer | ArrayBufferView;
  /** The address by which the keys know the memory. */
  readonly iova?: number;
  /** The buffer that `addr` has to lie in. */
  readonly buf?: DmaBuffer;
}

/** A file descriptor and a DMA handle are refused by their bits. */
const MR_INIT_KEYS = literalKeys<MrInitAttr & Record<'fd' | 'fd_offset' | 'dmah', unknown>>({
  comp_mask: true,
  length: true,
  access: true,
  addr: true,
  iova: true,
  buf: true,
  fd: true,
  fd_offset: true,
  dmah: true,
});

/**
 * Registers what `mr_init_attr` says: as {@link ibv_reg_mr}, with an iova as {@link ibv_reg_mr_iova}, with a buffer as {@link ibv_reg_buf_mr}.
 *
 * @throws VerbsError EOPNOTSUPP for a file descriptor and for a DMA handle, EINVAL without `addr`.
 */
export function ibv_reg_mr_ex(pd: ProtectionDomain, mr_init_attr: MrInitAttr): MemoryRegion {
  const verb = 'ibv_reg_mr_ex';
  const owner = aProtectionDomain(verb, pd);
  checkLiteral(verb, 'mr_init_attr', mr_init_attr, MR_INIT_KEYS);
  const { comp_mask: mask, length, access, addr, iova, buf } = mr_init_attr;
  if ((mask & (IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET)) !== 0) throw leftOutError(verb, 'ibv_reg_dmabuf_mr');
  if ((mask & IBV_REG_MR_MASK_DMAH) !== 0) throw leftOutError(verb, 'ibv_alloc_dmah');
  const unknown = mask & ~(IBV_REG_MR_MASK_IOVA | IBV_REG_MR_MASK_ADDR | IBV_REG_MR_MASK_BUF);
  if (unknown !== 0) throw invalidInit(`comp_mask has bits that mean nothing: 0x${(unknown >>> 0).toString(16)}`);
  if ((mask & IBV_REG_MR_MASK_ADDR) === 0 || addr === undefined)
    throw invalidInit('there is no addr, or comp_mask lacks IBV_REG_MR_MASK_ADDR');
  const withBuffer = (mask & IBV_REG_MR_MASK_BUF) !== 0;
  if (withBuffer && buf === undefined) throw invalidInit('there is no buf, but comp_mask has IBV_REG_MR_MASK_BUF');
  const memory = withBuffer ? bytesOfBuffer(verb, owner, buf!, addr, length) : firstBytes(verb, addr, length);
  if ((mask & IBV_REG_MR_MASK_IOVA) === 0) return owner.regMr(memory, access);
  if (iova === undefined) throw invalidInit('there is no iova, but comp_mask has IBV_REG_MR_MASK_IOVA');
  return owner.regMrIova(memory, access, iova);
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

/** The first bytes of `addr`, which have to lie in a buffer of the context. */
function bytesOfBuffer(
  verb: string,
  { context }: ProtectionDomain,
  buf: DmaBuffer,
  addr: DmaBuffer | ArrayBufferView,
  length: number,
): DmaBuffer | ArrayBufferView {
  const { bytes, context: owner } = aBuffer(verb, buf);
  if (owner !== context) {
    const message = `buf is of ${owner.label}, the protection domain of ${context.label}`;
    throw new VerbsError({ code: 'EINVAL', verb, message, hint: 'allocate it with this protection domain' });
  }
  const memory = firstBytes(verb, addr, length);
  const view = ArrayBuffer.isView(memory) ? memory : memory.bytes;
  const offset = view.byteOffset - bytes.byteOffset;
  if (view.buffer === bytes.buffer && offset >= 0 && offset + view.byteLength <= bytes.byteLength) return memory;
  throw new VerbsError({ code: 'EINVAL', verb, message: 'addr is not in buf', hint: 'give buf, or a view into it' });
}

function invalidInit(message: string): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb: 'ibv_reg_mr_ex', message, hint: 'set the member and its bit' });
}

function invalidRereg(message: string): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb: 'ibv_rereg_mr', message, hint: 'nothing is changed' });
}
