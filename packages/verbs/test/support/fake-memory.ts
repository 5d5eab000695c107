/** Memory of the fake device, and the rings in it. */

/** Verbs addresses start here, above 2^32, so that an address that lost its high word is found out. */
export const ADDR_BASE = 0x7_4000_0000;

const MEMORY_BYTES = 1 << 20;

/** A flat memory that is handed out from one end. */
export class FakeMemory {
  readonly u8 = new Uint8Array(new SharedArrayBuffer(MEMORY_BYTES));
  readonly i32 = new Int32Array(this.u8.buffer);
  readonly u64 = new BigUint64Array(this.u8.buffer);
  #next = 4096;

  /** Byte offset of zeroed memory. */
  alloc(bytes: number, alignment = 256): number {
    const offset = Math.ceil(this.#next / alignment) * alignment;
    this.#next = offset + bytes;
    if (this.#next > MEMORY_BYTES) throw new Error('the fake memory is used up');
    return offset;
  }

  /** Byte offset of a verbs address of `length` bytes; -1 when it isn't one. */
  offsetOf(addr: number, length: number): number {
    const offset = addr - ADDR_BASE;
    return offset >= 0 && offset + length <= MEMORY_BYTES ? offset : -1;
  }
}
