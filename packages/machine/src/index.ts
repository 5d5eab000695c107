/**
 * Machine memory shared by all threads of a process, its DMA, the machine lock, the thread table, allocators, waits, clocks and
 * random numbers. Applications and providers don't import this package; they use `openverbs` and `@openverbs/verbs`.
 *
 * @packageDocumentation
 */
export { hostClock, HostClock } from './clock.ts';
export type { Clock } from './clock.ts';
export type { Dma, SharedMemory } from './dma.ts';
export { MachineError, MachineTimeoutError } from './errors.ts';
export type { MachineErrorCode, MachineErrorInit } from './errors.ts';
export { MEMORY_BYTES_MAX, MEMORY_BYTES_MIN, PAGE_BYTES, PAGE_SHIFT, ROOTS_MAX, THREADS_MAX } from './header.ts';
export { IndexAllocator } from './index-allocator.ts';
export { HEARTBEAT_NS_MAX, LOCK_WAIT_NS_MAX, MachineLock } from './machine-lock.ts';
export type { RecoveryHandler } from './machine-lock.ts';
export { Machine } from './machine.ts';
export type { MachineHandle, MachineInit, Poller } from './machine.ts';
export { OWNER_IOMEM, OWNER_MAX, PageAllocator } from './page-allocator.ts';
export type { AllocOptions, PageStats } from './page-allocator.ts';
export { Xoshiro128 } from './prng.ts';
export type { Prng } from './prng.ts';
export type { ThreadIdentity } from './thread-identity.ts';
export { ThreadTable } from './thread-table.ts';
export { VirtualClock } from './virtual-clock.ts';
export { waitUntil, wakeAll } from './wait.ts';
