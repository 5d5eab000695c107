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

  /** Makes two of the last one, whose 2^31 bytes are no int32. */
  halve(): void {
    const last = this.count - 1;
    this.mpt[last + 1] = this.mpt[last];
    this.address[last + 1] = this.address[last] + 0x40000000;
    this.bytes[last] = this.bytes[last + 1] = 0x40000000;
    this.count++;
  }
}
