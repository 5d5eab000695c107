/** A registration that the cache made. */
import type { Range } from './range-index.ts';

/** A page of the statistics. */
const PAGE_BYTES = 4096;

/** A registration in a device, whoever it was made through. */
export interface Region {
  /** Verbs address of the first byte. */
  readonly addr: number;
  readonly lkey: number;
  readonly rkey: number;
  /** Whether it is still what was registered: whoever got it from the cache can also end it or change it. */
  readonly intact: boolean;
  deregister(): void;
}

/** What a registration is found by. */
export interface Key extends Range {
  /** Stands for the protection domain. */
  readonly scope: object;
  /** `AccessFlags` bits. */
  readonly access: number;
  /** What the bytes lie in. */
  readonly memory: ArrayBufferLike;
}

/** A registration, and who uses it. */
export class Entry implements Key {
  readonly scope: object;
  readonly access: number;
  readonly memory: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
  readonly region: Region;
  /** Uses of it; idle at 0. */
  references = 1;
  /** Whether a lookup can find it. What is not kept ends with its last use. */
  kept = false;

  constructor({ scope, access, memory, start, end }: Key, region: Region) {
    this.scope = scope;
    this.access = access;
    this.memory = memory;
    this.start = start;
    this.end = end;
    this.region = region;
  }

  get bytes(): number {
    return this.end - this.start;
  }

  /** Verbs address of the byte `start` of the memory, which lies in this registration. */
  addrOf(start: number): number {
    return this.region.addr + (start - this.start);
  }
}

/** Pages that `length` bytes at `addr` touch. */
export function pagesOf(addr: number, length: number): number {
  return Math.ceil((addr + length) / PAGE_BYTES) - Math.floor(addr / PAGE_BYTES);
}
