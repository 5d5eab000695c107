/** Protection domains, memory and memory regions, by their C names. */
import { VerbsError } from '@openverbs/verbs';
import type { Context, DmaBuffer, MemoryRegion, ProtectionDomain } from '@openverbs/verbs';

/** Allocates a protection domain. */
export function ibv_alloc_pd(context: Context): ProtectionDomain {
  return context.allocPd();
}

/**
 * Frees a protection domain.
 *
 * @throws VerbsError EBUSY while something belongs to it.
 */
export function ibv_dealloc_pd(pd: ProtectionDomain): void {
  pd.dealloc();
}

/**
 * Memory for registration. This is the one addition to Gen2: JavaScript has no `malloc` whose memory every device could reach.
 * It is named after the call that libibverbs got in 2026, and takes its arguments in that order.
 */
export function ibv_alloc_buf(pd: ProtectionDomain, size: number): DmaBuffer {
  return pd.context.allocBuf(size);
}

/**
 * Frees the memory.
 *
 * @throws VerbsError EBUSY while it is registered.
 */
export function ibv_free_buf(buf: DmaBuffer): void {
  buf.free();
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
  return pd.regMr(firstBytes(addr, length), access);
}

/**
 * Ends a registration.
 *
 * @throws VerbsError EBUSY while memory windows are bound to it.
 */
export function ibv_dereg_mr(mr: MemoryRegion): void {
  mr.dereg();
}

function firstBytes(addr: DmaBuffer | ArrayBufferView, length: number): DmaBuffer | ArrayBufferView {
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(addr) ? addr : addr.bytes;
  if (length === byteLength) return addr;
  if (Number.isInteger(length) && length >= 0 && length < byteLength) return new Uint8Array(buffer, byteOffset, length);
  const message = `length is ${length}; the memory has ${byteLength} bytes`;
  throw new VerbsError({ code: 'EINVAL', verb: 'ibv_reg_mr', message, details: { length, byteLength } });
}
