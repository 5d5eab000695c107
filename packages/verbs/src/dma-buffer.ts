/** Memory that the device can reach. */
import { callOp } from './call-op.ts';
import { hex } from './check.ts';
import type { Context } from './context.ts';
import type { DmaBufferOps } from './driver/device-ops.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';

/** The buffers of this thread, by the memory they lie in, so that a view can be traced back to its buffer. */
const buffersByMemory = new WeakMap<ArrayBufferLike, Set<DmaBuffer>>();

/**
 * Memory from `context.allocBuf`: zeroed, page-aligned, and reachable by every device of its machine. Register it, or parts of
 * it, with `pd.regMr`.
 */
export class DmaBuffer extends VerbsObject {
  /** The context that made it. */
  readonly context: Context;
  /**
   * The memory. It may be shared between threads, so APIs that refuse shared memory need a copy. After {@link DmaBuffer.free} the array
   * still shows the place, which is somebody else's then: don't touch it.
   */
  readonly bytes: Uint8Array;
  /** Verbs address of the first byte. */
  readonly addr: number;
  /** Bytes. */
  readonly length: number;
  /** The provider's number of it. */
  readonly handle: number;

  /** @internal */
  constructor(context: Context, ops: DmaBufferOps) {
    super([context]);
    this.context = context;
    this.bytes = ops.bytes;
    this.addr = ops.addr;
    this.length = ops.bytes.byteLength;
    this.handle = ops.handle;
    const memory = ops.bytes.buffer;
    const buffers = buffersByMemory.get(memory) ?? new Set();
    buffersByMemory.set(memory, buffers.add(this));
  }

  /** What messages call it. */
  get label(): string {
    return `buffer ${hex(this.addr)}`;
  }

  /** Gives the memory back. Throws EBUSY while it is registered, EINVAL the second time. */
  free(): void {
    this.endStrictly('ibv_free_buf');
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_free_buf', 'freeBuf', this.handle);
  }

  /** @internal */ protected override onEnded(): void {
    buffersByMemory.get(this.bytes.buffer)?.delete(this);
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('DmaBuffer', { addr: hex(this.addr), length: this.length });
  }
}

/**
 * The buffer that a view lies in, if it is one of this thread's.
 *
 * @internal
 */
export function bufferOf(view: ArrayBufferView): DmaBuffer | undefined {
  for (const buffer of buffersByMemory.get(view.buffer) ?? []) {
    const offset = view.byteOffset - buffer.bytes.byteOffset;
    if (offset >= 0 && offset + view.byteLength <= buffer.length) return buffer;
  }
  return undefined;
}
