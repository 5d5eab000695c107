/**
 * The places of one message on one side: what a WQE's SGEs came to after every check. The device's private copy: the WQE and
 * its SGEs are read once into it and never looked at again.
 */
import { SGES_MAX } from './limits.ts';

export class ScatterList {
  count = 0;
  /** Bytes in all. */
  length = 0;
  /** For each: 0, or the MPT entry whose page list counts. */
  readonly mpt = new Int32Array(SGES_MAX + 1);
  /** For each: machine address, or with a page list the offset into the region. */
  readonly address = new Int32Array(SGES_MAX + 1);
  readonly bytes = new Int32Array(SGES_MAX + 1);

  /** Leaves out the first bytes. */
  skip(bytes: number): void {
    let first = 0;
    let left = bytes;
    while (first < this.count && left >= this.bytes[first]) left -= this.bytes[first++];
    this.length -= bytes;
    this.count -= first;
    for (let n = 0; n < this.count && first !== 0; n++) {
      this.mpt[n] = this.mpt[n + first];
      this.address[n] = this.address[n + first];
      this.bytes[n] = this.bytes[n + first];
    }
    if (left === 0) return;
    this.address[0] = (this.address[0] + left) | 0;
    this.bytes[0] -= left;
  }

  /** One run of machine memory. */
  setRun(address: number, length: number): void {
    this.count = length === 0 ? 0 : 1;
    this.length = length;
    this.mpt[0] = 0;
    this.address[0] = address | 0;
    this.bytes[0] = length;
  }

  /** One run of machine memory more. */
  append(address: number, length: number): void {
    if (length === 0) return;
    const n = this.count++;
    this.length += length;
    this.mpt[n] = 0;
    this.address[n] = address | 0;
    this.bytes[n] = length;
  }

  /** Makes two of the last one, whose 2^31 bytes are no int32. */
  halve(): void {
    const last = this.count - 1;
    this.mpt[last + 1] = this.mpt[last];
    this.address[last + 1] = this.address[last] + 0x40000000;
    this.bytes[last] = this.bytes[last + 1] = 0x40000000;
    this.count++;
  }
}
