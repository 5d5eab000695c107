/**
 * The OpenIB Gen2 API of kernel level, by its C names: what drivers and file systems in a kernel are written to, with callbacks where user level
 * waits. Constants and functions are those of Linux' `include/rdma/ib_verbs.h` of the time, with C's argument order.
 *
 * Consumers of kernel level share one context a device, apart from those of user level. Handlers are called one by one, in the order of the events,
 * and never from within a verb. What differs from C is what differs in `openverbs/gen2`: structs are the SDK's objects, in
 * camelCase; an out-parameter is an object that the call fills and returns; a pointer result is the return value; a failure throws a `VerbsError`.
 * An event is an `AsyncEvent`, and a device the `Device` that `openVerbs()` lists. Errors of these functions speak of `ib_` names; a method of an object
 * that is called directly is the SDK's, and its errors name the verb of user level.
 *
 * Each function follows the comment on it in that header. Told at each is what differs, and errors of its own; what any of them may throw is told
 * at `openverbs/gen2`.
 *
 * What the functions take, return and throw is exported here, too: a program of kernel level imports nothing else.
 *
 * @example
 * ```ts
 * import { IB_CQ_NEXT_COMP, ib_create_cq, ib_register_client, ib_req_notify_cq } from 'openverbs/kernel';
 *
 * ib_register_client({
 *   name: 'mine',
 *   add(device) {
 *     const cq = ib_create_cq(device, () => console.log('completions'), null, null, 16, 0);
 *     ib_req_notify_cq(cq, IB_CQ_NEXT_COMP);
 *   },
 *   remove() {},
 * });
 * ```
 *
 * @packageDocumentation
 */
export * from './address-handle.ts';
export type { BadWr } from '../gen2/bad-wr.ts';
export * from './client.ts';
export * from './completion.ts';
export * from './constants.ts';
export * from './device.ts';
export * from './dma.ts';
export * from './event-handler.ts';
export type { CompHandler, EventHandler } from './kernel-device.ts';
export * from './left-out.ts';
export * from './memory.ts';
export * from './names.ts';
export type { Out } from '../gen2/out-parameter.ts';
export type { IbPhysBuf } from './phys-buf.ts';
export * from './queue-pair.ts';
export * from './shared-receive-queue.ts';
export { VerbsError, WorkCompletion } from '@openverbs/verbs';
export type {
  AddressHandle,
  AsyncEvent,
  CompletionQueue,
  Device,
  DeviceAttr,
  DmaBuffer,
  Gid,
  MemoryRegion,
  MemoryWindow,
  PortAttr,
  ProtectionDomain,
  QueuePair,
  SharedReceiveQueue,
} from '@openverbs/verbs';
