/**
 * Moves payload between two places in machine memory.
 *
 * Order: the last word of a run is stored atomically after everything before it was copied, so a program that polls the last
 * bytes of its buffer never sees a torn body (IBTA o9-20 leaves the order to the device; programs rely on it).
 */
import type { Machine } from '@openverbs/machine';
import { storeOrdered } from '@openverbs/verbs/rings';
import { Mpt, MptKind } from './layout.ts';
import type { ScatterList } from './scatter-list.ts';

const { BASE, MTT, FIRST_OFFSET, KIND } = Mpt;
const NULL_REGION = MptKind.NULL;
const PAGE_SHIFT = 12;
const PAGE_MASK = 4095;
/** Up to here words are stored one by one; a call of `memory.copy` costs more. */
const WORDWISE_BYTES_MAX = 32;

export class DmaEngine {
  private readonly i32: Int32Array;
  private readonly u8: Uint8Array;
  private readonly copy: (destination: number, source: number, length: number) => void;
  private readonly fill: (destination: number, value: number, length: number) => void;

  constructor(machine: Machine) {
    this.i32 = machine.i32;
    this.u8 = machine.u8;
    this.copy = machine.dma.copy;
    this.fill = machine.dma.fill;
  }

  /** Moves `length` > 0 bytes between two runs of machine addresses (int32, negative above 2 GiB). */
  publish(destination: number, source: number, length: number): void {
    const end = (destination + length) | 0;
    const sourceEnd = (source + length) | 0;
    if (((end | sourceEnd) & 3) !== 0 || length < 4) {
      this.publishUnaligned(destination, source, length);
      return;
    }
    const i32 = this.i32;
    const last = i32[(sourceEnd - 4) >>> 2];
    if (length > WORDWISE_BYTES_MAX || (length & 3) !== 0) this.copy(destination, source, length - 4);
    else {
      let to = destination >>> 2;
      for (let from = source >>> 2, stop = (sourceEnd - 4) >>> 2; from < stop; from++) i32[to++] = i32[from];
    }
    storeOrdered(i32, (end - 4) >>> 2, last);
  }

  /**
   * Moves `length` > 0 bytes where a side may be a page list. `destinationMpt` or `sourceMpt` is the word index of an MPT entry
   * whose page list counts, the address then an offset into the region; or 0, the address then being a machine address.
   */
  move(destinationMpt: number, destination: number, sourceMpt: number, source: number, length: number): void {
    if ((destinationMpt | sourceMpt) === 0) this.publish(destination, source, length);
    else this.movePages(destinationMpt, destination, sourceMpt, source, length);
  }

  /** Copies a message between two lists; the target is at least as long. */
  transfer(target: ScatterList, source: ScatterList): void {
    let to = 0;
    let toDone = 0;
    for (let from = 0; from < source.count; from++) {
      for (let done = 0; done < source.bytes[from];) {
        const run = Math.min(source.bytes[from] - done, target.bytes[to] - toDone);
        const destination = (target.address[to] + toDone) | 0;
        this.move(target.mpt[to], destination, source.mpt[from], (source.address[from] + done) | 0, run);
        done += run;
        toDone += run;
        if (toDone === target.bytes[to]) {
          to++;
          toDone = 0;
        }
      }
    }
  }

  /** Machine address of a byte of a region, and how many bytes follow it in the same run by {@link DmaEngine.runLength}. */
  address(mpt: number, offset: number): number {
    if (mpt === 0) return offset;
    const i32 = this.i32;
    if (i32[mpt + BASE] !== 0) return (i32[mpt + BASE] + offset) | 0;
    const at = (i32[mpt + FIRST_OFFSET] + offset) >>> 0;
    return (i32[i32[mpt + MTT] + (at >>> PAGE_SHIFT)] + (at & PAGE_MASK)) | 0;
  }

  runLength(mpt: number, offset: number, length: number): number {
    if (mpt === 0) return length;
    const left = 4096 - (((this.i32[mpt + FIRST_OFFSET] + offset) >>> 0) & PAGE_MASK);
    return left < length ? left : length;
  }

  /** The last word is still stored as one when it is one at the destination; else the last byte is. */
  private publishUnaligned(destination: number, source: number, length: number): void {
    const u8 = this.u8;
    const end = (destination + length) | 0;
    if ((end & 3) === 0 && length >= 4) {
      const at = (source + length - 4) >>> 0;
      const last = u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16) | (u8[at + 3] << 24);
      if (length > 4) this.copy(destination, source, length - 4);
      Atomics.store(this.i32, (end - 4) >>> 2, last);
      return;
    }
    const last = u8[(source + length - 1) >>> 0];
    if (length > 1) this.copy(destination, source, length - 1);
    Atomics.store(u8, (end - 1) >>> 0, last);
  }

  private movePages(
    destinationMpt: number,
    destination: number,
    sourceMpt: number,
    source: number,
    length: number,
  ): void {
    if (this.isNull(destinationMpt)) return;
    if (this.isNull(sourceMpt)) {
      this.zero(destinationMpt, destination, length);
      return;
    }
    let done = 0;
    while (done < length) {
      const to = (destination + done) | 0;
      const from = (source + done) | 0;
      const run = this.runLength(sourceMpt, from, this.runLength(destinationMpt, to, length - done));
      this.publish(this.address(destinationMpt, to), this.address(sourceMpt, from), run);
      done += run;
    }
  }

  /** What is written to the null region is dropped, and what is read is 0 (source: ibv_alloc_null_mr(3)). */
  private isNull(mpt: number): boolean {
    return mpt !== 0 && this.i32[mpt + KIND] === NULL_REGION;
  }

  private zero(mpt: number, offset: number, length: number): void {
    for (let done = 0; done < length;) {
      const at = (offset + done) | 0;
      const run = this.runLength(mpt, at, length - done);
      const to = this.address(mpt, at);
      if (run > 1) this.fill(to, 0, run - 1);
      Atomics.store(this.u8, (to + run - 1) >>> 0, 0);
      done += run;
    }
  }
}
