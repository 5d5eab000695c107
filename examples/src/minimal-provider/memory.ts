/** Registered memory: the keys, and the checks that stand between a key and the bytes. */
import { AccessFlags, VendorErr } from '@openverbs/verbs';
import type { Handle, MrOps, MrRequest } from '@openverbs/verbs/driver';

/** Verbs addresses begin above 4 GiB, so that a program that cuts them to 32 bits fails at once. */
const ADDR_FIRST = 2 ** 32;
const PAGE_BYTES = 4096;
/** The bits of a key from 8 on number the region. */
const KEY_NUMBERS = 2 ** 24;

/** Why a key does not give the memory; `wc.explain()` makes a sentence of it. */
export class Fault {
  readonly vendorErr: number;
  readonly faultKey: number;
  readonly faultAddr: number;

  constructor(vendorErr: number, faultKey = 0, faultAddr = 0) {
    this.vendorErr = vendorErr;
    this.faultKey = faultKey;
    this.faultAddr = faultAddr;
  }
}

/** What a failed check is called, for a key of this side and for one of the peer. */
const FAULTS = {
  lkey: {
    key: VendorErr.BAD_LKEY,
    pd: VendorErr.LKEY_PD_MISMATCH,
    range: VendorErr.LKEY_RANGE,
    right: VendorErr.LKEY_NO_LOCAL_WRITE,
  },
  rkey: {
    key: VendorErr.BAD_RKEY,
    pd: VendorErr.RKEY_PD_MISMATCH,
    range: VendorErr.RKEY_RANGE,
    right: VendorErr.RKEY_NO_REMOTE_WRITE,
  },
} as const;

interface Region {
  readonly pd: Handle;
  readonly addr: number;
  readonly view: Uint8Array;
  readonly access: number;
}

export class Memory {
  /** By key; the key is the handle, too. */
  readonly #regions = new Map<number, Region>();
  readonly #addrs = new WeakMap<ArrayBufferLike, number>();
  #nextAddr = ADDR_FIRST;
  #lastNumber = 0;

  get size(): number {
    return this.#regions.size;
  }

  register({ pd, view, access }: MrRequest): MrOps {
    const addr = this.#addrOf(view.buffer) + view.byteOffset;
    const key = this.#newKey();
    this.#regions.set(key, { pd, addr, view, access });
    return { handle: key, lkey: key, rkey: key, addr };
  }

  deregister(handle: Handle): void {
    this.#regions.delete(handle);
  }

  /** The bytes at `addr`, if `key` gives them to `pd` with `right`, an `AccessFlags` bit or 0 for reading locally. */
  find(pd: Handle, key: number, addr: number, length: number, right: number): Uint8Array | Fault {
    const faults = right === AccessFlags.REMOTE_WRITE ? FAULTS.rkey : FAULTS.lkey;
    const region = this.#regions.get(key);
    if (region === undefined) return new Fault(faults.key, key);
    if (region.pd !== pd) return new Fault(faults.pd, key);
    const offset = addr - region.addr;
    // Written so that NaN fails: fields that a program sets on a work request are not checked before.
    if (!(offset >= 0 && offset + length <= region.view.length)) return new Fault(faults.range, key, addr);
    if ((region.access & right) !== right) return new Fault(faults.right, key);
    return region.view.subarray(offset, offset + length);
  }

  /** Memory has one address, however often it is registered. */
  #addrOf(buffer: ArrayBufferLike): number {
    let addr = this.#addrs.get(buffer);
    if (addr === undefined) {
      addr = this.#nextAddr;
      this.#nextAddr += Math.ceil((buffer.byteLength + 1) / PAGE_BYTES) * PAGE_BYTES;
      this.#addrs.set(buffer, addr);
    }
    return addr;
  }

  /** Never the key of a region that went a moment ago: who still holds that one must fail. */
  #newKey(): number {
    do this.#lastNumber = (this.#lastNumber + 1) % KEY_NUMBERS;
    while (this.#lastNumber === 0 || this.#regions.has(this.#lastNumber * 256));
    return this.#lastNumber * 256;
  }
}
