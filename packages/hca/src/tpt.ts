/**
 * The translation and protection table: every access of the device goes through it.
 *
 * A check answers a vendor error, 0 when the access is allowed, and leaves the place in two fields, because a returned number
 * above 2^31 would be boxed.
 */
import { PAGE_SHIFT } from '@openverbs/machine';
import type { Machine, PageAllocator } from '@openverbs/machine';
import { VendorErr } from '@openverbs/verbs/rings';
import { Mpt, MPT_PD_SPECIAL, MptKind } from './layout.ts';
import { MPTS_MAX } from './limits.ts';
import { Access } from './opcode.ts';

const { KEY, PD, ACCESS, START_LO, START_HI, LENGTH, BASE, KIND, WORDS } = Mpt;
const MPT_WORDS = WORDS;
const ENTRIES = MPTS_MAX;
const { LOCAL_WRITE } = Access;
const { BAD_LKEY, BAD_RKEY, LKEY_PD_MISMATCH, RKEY_PD_MISMATCH, LKEY_RANGE, RKEY_RANGE, LKEY_NO_LOCAL_WRITE } =
  VendorErr;

const { OWNED } = MptKind;

/** Regions of the driver's own: rings. To everybody else their keys are no keys. */
const DRIVER_PD = 0;

export class Tpt {
  private readonly i32: Int32Array;
  private readonly pages: PageAllocator;
  /** After a check that allowed: 0, or the MPT entry whose page list counts. */
  mpt = 0;
  /** After a check that allowed: machine address (int32), or with a page list the offset into the region. */
  address = 0;

  constructor(machine: Machine) {
    this.i32 = machine.i32;
    this.pages = machine.pages;
  }

  /** Checks a local access. `write` when the device will write. */
  checkLocal(table: number, pd: number, key: number, lo: number, hi: number, length: number, write: boolean): number {
    const i32 = this.i32;
    const index = key >>> 8;
    const entry = table + index * MPT_WORDS;
    if (index >= ENTRIES || i32[entry + KEY] !== key || key === 0) return BAD_LKEY;
    if (i32[entry + PD] !== pd) return this.localSpecial(entry, pd, lo, hi, length, write);
    if (write && (i32[entry + ACCESS] & LOCAL_WRITE) === 0) return LKEY_NO_LOCAL_WRITE;
    return this.range(entry, lo, hi, length) ? 0 : LKEY_RANGE;
  }

  /** Checks a remote access through the QP `qpn` that needs the access flags `need`, answering `denied` where they lack. */
  checkRemote(
    table: number,
    pd: number,
    key: number,
    lo: number,
    hi: number,
    length: number,
    need: number,
    denied: number,
    qpn: number,
  ): number {
    const i32 = this.i32;
    const index = key >>> 8;
    const entry = table + index * MPT_WORDS;
    if (index >= ENTRIES || i32[entry + KEY] !== key || key === 0) return BAD_RKEY;
    if (i32[entry + PD] !== pd) {
      return this.remoteSpecial(entry, pd, lo, hi, length, need, denied, qpn);
    }
    if ((i32[entry + ACCESS] & need) !== need) return denied;
    return this.range(entry, lo, hi, length) ? 0 : RKEY_RANGE;
  }

  /** The lkey of what is no region of this PD: the null region allows everything, at every address. */
  private localSpecial(entry: number, pd: number, lo: number, hi: number, length: number, write: boolean): number {
    const i32 = this.i32;
    const owner = i32[entry + PD];
    if (owner === DRIVER_PD) return BAD_LKEY;
    if (owner !== (pd | MPT_PD_SPECIAL)) return LKEY_PD_MISMATCH;
    if (i32[entry + KIND] === OWNED) return this.localOwned(entry, lo, hi, length, write);
    this.mpt = entry;
    this.address = 0;
    return i32[entry + KIND] === MptKind.NULL ? 0 : BAD_LKEY;
  }

  private localOwned(entry: number, lo: number, hi: number, length: number, write: boolean): number {
    if (write && (this.i32[entry + ACCESS] & LOCAL_WRITE) === 0) return LKEY_NO_LOCAL_WRITE;
    if (!this.range(entry, lo, hi, length)) return LKEY_RANGE;
    return this.isOwned(entry, length) ? 0 : VendorErr.LKEY_NOT_OWNED;
  }

  /** The rkey of what is no region of this PD: a memory window, which has bounds and rights of its own (IBTA 10.6.7.2). */
  private remoteSpecial(
    entry: number,
    pd: number,
    lo: number,
    hi: number,
    length: number,
    need: number,
    denied: number,
    qpn: number,
  ): number {
    const i32 = this.i32;
    const owner = i32[entry + PD];
    const kind = i32[entry + KIND];
    if (owner === DRIVER_PD || kind === MptKind.NULL) return BAD_RKEY;
    if (owner !== (pd | MPT_PD_SPECIAL)) return RKEY_PD_MISMATCH;
    // A window has the pages of the region that it is bound to.
    const region = kind === OWNED ? entry : i32[entry + Mpt.REGION];
    if (region === 0) return VendorErr.WINDOW_NOT_BOUND;
    if (kind === MptKind.WINDOW_TYPE_2 && i32[entry + Mpt.QPN] !== qpn) return VendorErr.WINDOW_QP_MISMATCH;
    if ((i32[entry + ACCESS] & need) !== need) return denied;
    if (!this.range(entry, lo, hi, length)) return RKEY_RANGE;
    if (i32[region + KIND] === OWNED && !this.isOwned(region, length)) return VendorErr.RKEY_NOT_OWNED;
    return 0;
  }

  /**
   * Whether all pages of the access that was found in range belong to the owner of the region now. Steps run under the machine's lock, and
   * so does whoever gives and frees pages: what is allowed here is moved before it can change.
   */
  private isOwned(region: number, length: number): boolean {
    if (length === 0) return true;
    const from = this.address >>> PAGE_SHIFT;
    const to = ((this.address + length - 1) >>> PAGE_SHIFT) + 1;
    return this.pages.isOwned(this.i32[region + Mpt.OWNER], from, to);
  }

  /** Whether [address, address + length) lies in the region; 64-bit arithmetic on words, exact for every address. */
  private range(entry: number, lo: number, hi: number, length: number): boolean {
    const i32 = this.i32;
    const startLo = i32[entry + START_LO];
    const offset = (lo - startLo) | 0;
    const borrow = lo >>> 0 < startLo >>> 0 ? 1 : 0;
    if (((hi - i32[entry + START_HI] - borrow) | 0) !== 0) return false;
    const size = i32[entry + LENGTH] >>> 0;
    if (length > size || offset >>> 0 > size - length) return false;
    const base = i32[entry + BASE];
    this.mpt = base === 0 ? entry : 0; // the page list counts, or not
    this.address = (base + offset) | 0;
    return true;
  }
}
