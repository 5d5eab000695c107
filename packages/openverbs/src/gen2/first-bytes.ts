/** Memory arguments of C's names: an address and a length. */
import { DmaBuffer, VerbsError } from '@openverbs/verbs';

/** The first `length` bytes of what `addr` stands for. @internal */
export function firstBytes(
  verb: string,
  addr: DmaBuffer | ArrayBufferView,
  length: number,
): DmaBuffer | ArrayBufferView {
  if (!ArrayBuffer.isView(addr) && !(addr instanceof DmaBuffer)) {
    const hint = 'give a buffer of ibv_alloc_buf, or a view into one';
    throw new VerbsError({ code: 'EINVAL', verb, message: `addr is ${String(addr)}, which is no memory`, hint });
  }
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(addr) ? addr : addr.bytes;
  if (length === byteLength) return addr;
  if (Number.isInteger(length) && length >= 0 && length < byteLength) return new Uint8Array(buffer, byteOffset, length);
  const message = `length is ${length}; the memory has ${byteLength} bytes`;
  throw new VerbsError({ code: 'EINVAL', verb, message, details: { length, byteLength } });
}
