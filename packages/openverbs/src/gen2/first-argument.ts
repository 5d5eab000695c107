/**
 * What a function of C's names is called on. What is of another class may have a method of the same name, which would be called
 * instead: `ibv_destroy_cq(qp)` would destroy the queue pair. One check a class, since V8 makes one comparison of `instanceof` only where
 * the class is a constant.
 */
import {
  AddressHandle,
  AsyncEvent,
  CompletionChannel,
  CompletionQueue,
  CompletionQueueEx,
  Context,
  Device,
  DmaBuffer,
  MemoryRegion,
  MemoryWindow,
  ProtectionDomain,
  QueuePair,
  SharedReceiveQueue,
  ThreadDomain,
  XrcDomain,
  VerbsError,
} from '@openverbs/verbs';
import { article } from '@openverbs/verbs/driver';

function notA(verb: string, value: unknown, type: string, what = 'the first argument'): VerbsError {
  const shown =
    typeof value === 'object' && value !== null ? article(value.constructor?.name ?? 'object') : String(value);
  const message = `${what} is ${shown}, not ${article(type)}`;
  return new VerbsError({ code: 'EINVAL', verb, message, hint: `pass the ${type}`, details: { type } });
}

/** @internal */
export function aBuffer(verb: string, value: DmaBuffer): DmaBuffer {
  if (value instanceof DmaBuffer) return value;
  throw notA(verb, value, 'DmaBuffer');
}

/** @internal */
export function aChannel(verb: string, value: CompletionChannel): CompletionChannel {
  if (value instanceof CompletionChannel) return value;
  throw notA(verb, value, 'CompletionChannel');
}

/** @internal */
export function aContext(verb: string, value: Context): Context {
  if (value instanceof Context) return value;
  throw notA(verb, value, 'Context');
}

/** @internal */
export function aCq(verb: string, value: CompletionQueue): CompletionQueue {
  if (value instanceof CompletionQueue) return value;
  throw notA(verb, value, 'CompletionQueue');
}

/** @internal */
export function aCqEx(verb: string, value: CompletionQueueEx): CompletionQueueEx {
  if (value instanceof CompletionQueueEx) return value;
  throw notA(verb, value, 'CompletionQueueEx');
}

/** @internal */
export function aDevice(verb: string, value: Device): Device {
  if (value instanceof Device) return value;
  throw notA(verb, value, 'Device');
}

/** @internal */
export function aMemoryRegion(verb: string, value: MemoryRegion): MemoryRegion {
  if (value instanceof MemoryRegion) return value;
  throw notA(verb, value, 'MemoryRegion');
}

/** @internal */
export function aMemoryWindow(verb: string, value: MemoryWindow): MemoryWindow {
  if (value instanceof MemoryWindow) return value;
  throw notA(verb, value, 'MemoryWindow');
}

/** @internal */
export function aProtectionDomain(verb: string, value: ProtectionDomain, what?: string): ProtectionDomain {
  if (value instanceof ProtectionDomain) return value;
  throw notA(verb, value, 'ProtectionDomain', what);
}

/** @internal */
export function aQp(verb: string, value: QueuePair): QueuePair {
  if (value instanceof QueuePair) return value;
  throw notA(verb, value, 'QueuePair');
}

/** @internal */
export function aTd(verb: string, value: ThreadDomain): ThreadDomain {
  if (value instanceof ThreadDomain) return value;
  throw notA(verb, value, 'ThreadDomain');
}

/** @internal */
export function anAh(verb: string, value: AddressHandle): AddressHandle {
  if (value instanceof AddressHandle) return value;
  throw notA(verb, value, 'AddressHandle');
}

/** @internal */
export function anAsyncEvent(verb: string, value: AsyncEvent): AsyncEvent {
  if (value instanceof AsyncEvent) return value;
  throw notA(verb, value, 'AsyncEvent');
}

/** @internal */
export function anSrq(verb: string, value: SharedReceiveQueue): SharedReceiveQueue {
  if (value instanceof SharedReceiveQueue) return value;
  throw notA(verb, value, 'SharedReceiveQueue');
}

/** @internal */
export function anXrcd(verb: string, value: XrcDomain, what?: string): XrcDomain {
  if (value instanceof XrcDomain) return value;
  throw notA(verb, value, 'XrcDomain', what);
}

/** @internal */
export function aList<T>(verb: string, value: T[]): T[] {
  if (Array.isArray(value)) return value;
  throw notA(verb, value, 'list');
}

/** An argument that is an object of attributes, where the function looks into it itself. @internal */
export function attributes<T extends object>(verb: string, what: string, value: T): T {
  if (typeof value === 'object' && (value as T | null) !== null) return value;
  throw notA(verb, value, 'object', what);
}
