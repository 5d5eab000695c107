/** A memory region of a test: its registration, and its bytes wherever they lie. */
import { PAGE_BYTES } from '@openverbs/machine';
import type { Testbed } from './testbed.ts';

/** Added to a machine address, so that a verbs address is never one. */
const VERBS_BASE = 0x7f0000000000n;

export interface Sge {
  readonly addr: bigint;
  readonly length: number;
  readonly key: number;
}

export class Region {
  readonly key: number;
  readonly start: bigint;
  readonly length: number;
  readonly #bed: Testbed;
  /** Machine address of each page; one entry when the region is one run. */
  readonly #pages: readonly number[];
  readonly #firstOffset: number;

  private constructor(
    bed: Testbed,
    key: number,
    start: bigint,
    pages: readonly number[],
    firstOffset: number,
    length: number,
  ) {
    this.#bed = bed;
    this.key = key;
    this.start = start;
    this.#pages = pages;
    this.#firstOffset = firstOffset;
    this.length = length;
  }

  static inOneRun(bed: Testbed, addr: number, length: number, access: number, pd: number): Region {
    const start = VERBS_BASE + BigInt(addr);
    const key = bed.commands.createMpt({ uar: bed.uar, pd, access, ...words(start), length, base: addr });
    return new Region(bed, key, start, [addr], 0, length);
  }

  static inPages(
    bed: Testbed,
    pages: readonly number[],
    firstOffset: number,
    length: number,
    access: number,
    pd: number,
  ): Region {
    const start = VERBS_BASE + BigInt(pages[0] + firstOffset);
    const key = bed.commands.createMpt({ uar: bed.uar, pd, access, ...words(start), length, pages, firstOffset });
    return new Region(bed, key, start, pages, firstOffset, length);
  }

  sge(offset = 0, length = this.length - offset): Sge {
    return { addr: this.start + BigInt(offset), length, key: this.key };
  }

  /** Remote address and key at an offset. */
  at(offset = 0): { readonly remote: bigint; readonly rkey: number } {
    return { remote: this.start + BigInt(offset), rkey: this.key };
  }

  /** Machine address of a byte. */
  machineAddr(offset: number): number {
    if (this.#pages.length === 1 && this.#firstOffset === 0) return this.#pages[0] + offset;
    const at = this.#firstOffset + offset;
    return this.#pages[Math.floor(at / PAGE_BYTES)] + (at % PAGE_BYTES);
  }

  /** Copy of some of its bytes. */
  read(offset = 0, length = this.length - offset): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#eachRun(offset, length, (addr, at, size) => {
      bytes.set(this.#bed.machine.u8.subarray(addr, addr + size), at);
    });
    return bytes;
  }

  write(offset: number, bytes: ArrayLike<number>): void {
    const source = Uint8Array.from(bytes);
    this.#eachRun(offset, source.length, (addr, at, size) => {
      this.#bed.machine.u8.set(source.subarray(at, at + size), addr);
    });
  }

  /** Calls `run` with the machine address, the place and the size of each part that lies in one run. */
  #eachRun(offset: number, length: number, run: (addr: number, at: number, size: number) => void): void {
    for (let at = 0; at < length;) {
      const addr = this.machineAddr(offset + at);
      const left = length - at;
      const size = this.#pages.length === 1 ? left : Math.min(left, PAGE_BYTES - (addr % PAGE_BYTES));
      run(addr, at, size);
      at += size;
    }
  }

  /** Fills with a pattern that tells each byte's place, and differs by seed. */
  fill(seed: number): Uint8Array {
    const bytes = pattern(this.length, seed);
    this.write(0, bytes);
    return bytes;
  }

  read64(offset = 0): bigint {
    return new DataView(this.read(offset, 8).buffer).getBigUint64(0, true);
  }

  write64(value: bigint, offset = 0): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.write(offset, bytes);
  }
}

/** Bytes none of whose neighbours are alike. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let n = 0; n < length; n++) bytes[n] = n * 31 + (n >> 8) * 17 + seed * 101 + 1;
  return bytes;
}

/** The two words of an address. */
export function words(address: bigint): { readonly startLo: number; readonly startHi: number } {
  const [startLo, startHi] = split(address);
  return { startLo, startHi };
}

/** Low and high word of 64 bits, as int32. */
export function split(value: bigint): [lo: number, hi: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}
