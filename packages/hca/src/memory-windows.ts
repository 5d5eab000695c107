/**
 * Binding and invalidating memory windows: the checks. What they allow is left with the completer, whose commit does it, because a
 * window of type 2 is bound or invalidated once, and a step that was cut off is executed again.
 *
 * Windows of type 1 and 2B (IBTA 10.6.7.2; order of checks as in Linux rxe_mw.c): of type 2 only for the QP that bound them. A check answers a
 * vendor error, or 0, and leaves the place where it looked in fields.
 */
import type { Machine } from '@openverbs/machine';
import { VendorErr } from '@openverbs/verbs/rings';
import type { Completer, WindowChange } from './completer.ts';
import { Mpt, MPT_PD_SPECIAL, MptKind, Qpc } from './layout.ts';
import { MPTS_MAX, MR_BYTES_MAX } from './limits.ts';
import { Access } from './opcode.ts';
import { windowEntry } from './region-commands.ts';
import type { Request } from './request.ts';
import type { Tpt } from './tpt.ts';

const { KEY, PD, ACCESS, KIND, REGION, MTT, FIRST_OFFSET, WORDS } = Mpt;
const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, MW_BIND, ZERO_BASED } = Access;
/** What a window can allow (source: Linux rxe_param.h, RXE_ACCESS_SUPPORTED_MW). */
const WINDOW_ACCESS = REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC | ZERO_BASED;

export class MemoryWindows {
  readonly #i32: Int32Array;
  readonly #tpt: Tpt;
  readonly #change: WindowChange;
  /** Where a failed check looked. */
  faultKey = 0;
  faultAddrLo = 0;
  faultAddrHi = 0;
  /** The window that {@link MemoryWindows.checkInvalidate} has found. */
  #found = 0;

  constructor(machine: Machine, tpt: Tpt, completer: Completer) {
    this.#i32 = machine.i32;
    this.#tpt = tpt;
    this.#change = completer.windowChange;
  }

  /** BIND_MW by the QP at `q`. When it answers 0, the next commit does it. */
  bind(q: number, request: Request): number {
    const i32 = this.#i32;
    const table = i32[q + Qpc.MPT_TABLE];
    const window = windowEntry(i32, table, request.bindMw);
    if (window === 0) return this.#fault(VendorErr.BIND_NO_WINDOW, request.bindMw);
    const key = i32[window + KEY];
    const isType2 = i32[window + KIND] === MptKind.WINDOW_TYPE_2;
    const access = request.bindAccess;
    // C10-72
    if (i32[window + PD] !== (i32[q + Qpc.PD] | MPT_PD_SPECIAL)) return this.#faultAt(VendorErr.RKEY_PD_MISMATCH, key);
    if (request.bindRkey >>> 8 !== key >>> 8) return this.#faultAt(VendorErr.BIND_BAD_RKEY, request.bindRkey);
    if ((access & ~WINDOW_ACCESS) !== 0) return this.#fault(VendorErr.BIND_BAD_ACCESS, access);
    // o10-36.2.2
    if (!isType2 && (access & ZERO_BASED) !== 0) return this.#fault(VendorErr.BIND_BAD_ACCESS, access);
    // o10-37.2.30
    if (isType2 && i32[window + REGION] !== 0) return this.#faultAt(VendorErr.BIND_BOUND, key);
    const change = this.#change;
    change.region = change.base = change.mtt = change.firstOffset = 0;
    change.length = request.bindLengthLo;
    if ((request.bindLengthLo | request.bindLengthHi) === 0) {
      // o10-37.2.40: a window of type 2 is invalidated, not bound to nothing.
      if (isType2) return this.#faultAt(VendorErr.BIND_EMPTY, key);
    } else {
      const failed = this.#checkRegion(q, request);
      if (failed !== 0) return failed;
    }
    change.key = request.bindRkey;
    change.access = access;
    change.startLo = (access & ZERO_BASED) === 0 ? request.bindAddrLo : 0;
    change.startHi = (access & ZERO_BASED) === 0 ? request.bindAddrHi : 0;
    change.qpn = isType2 ? i32[q + Qpc.QPN] : 0;
    change.invalidates = false;
    change.entry = window;
    return 0;
  }

  /** Whether the QP at `q`, or its peer, may invalidate `key`: the key of a window of type 2 that this QP has bound. */
  checkInvalidate(q: number, key: number): number {
    const i32 = this.#i32;
    const index = key >>> 8;
    const entry = i32[q + Qpc.MPT_TABLE] + index * WORDS;
    if (index >= MPTS_MAX || i32[entry + KEY] !== key || key === 0) return this.#faultAt(VendorErr.BAD_RKEY, key);
    const kind = i32[entry + KIND];
    if (i32[entry + PD] === 0 || kind === MptKind.NULL) return this.#faultAt(VendorErr.BAD_RKEY, key);
    if ((i32[entry + PD] & ~MPT_PD_SPECIAL) !== i32[q + Qpc.PD]) return this.#faultAt(VendorErr.RKEY_PD_MISMATCH, key);
    // o10-37.2.26; regions that are registered by a work request, which could be invalidated, are not of user space.
    if (kind !== MptKind.WINDOW_TYPE_2) return this.#faultAt(VendorErr.INVALIDATE_NOT_TYPE_2, key);
    if (i32[entry + REGION] === 0) return this.#faultAt(VendorErr.WINDOW_NOT_BOUND, key);
    if (i32[entry + Mpt.QPN] !== i32[q + Qpc.QPN]) return this.#faultAt(VendorErr.WINDOW_QP_MISMATCH, key);
    this.#found = entry;
    return 0;
  }

  /** The next commit invalidates what was checked last. */
  invalidate(): void {
    this.#change.region = 0;
    this.#change.invalidates = true;
    this.#change.entry = this.#found;
  }

  /** C10-73 to C10-75: the region allows it, and holds all of the window. */
  #checkRegion(q: number, request: Request): number {
    const i32 = this.#i32;
    const tpt = this.#tpt;
    const lkey = request.bindLkey;
    const length = request.bindLengthLo >>> 0;
    const region = i32[q + Qpc.MPT_TABLE] + (lkey >>> 8) * WORDS;
    this.faultKey = lkey;
    this.faultAddrLo = request.bindAddrLo;
    this.faultAddrHi = request.bindAddrHi;
    if (request.bindLengthHi !== 0 || length > MR_BYTES_MAX) return VendorErr.LKEY_RANGE;
    const { bindAddrLo, bindAddrHi } = request;
    const failed = tpt.checkLocal(i32[q + Qpc.MPT_TABLE], i32[q + Qpc.PD], lkey, bindAddrLo, bindAddrHi, length, false);
    // The range is what it checks last, and what counts least.
    if (failed !== 0 && failed !== VendorErr.LKEY_RANGE) return failed;
    const access = i32[region + ACCESS];
    if (i32[region + KIND] === MptKind.NULL || (access & MW_BIND) === 0) return VendorErr.BIND_NOT_ALLOWED;
    if ((access & ZERO_BASED) !== 0) return VendorErr.BIND_ZERO_BASED_REGION;
    const writes = (request.bindAccess & (REMOTE_WRITE | REMOTE_ATOMIC)) !== 0;
    if (writes && (access & LOCAL_WRITE) === 0) return VendorErr.LKEY_NO_LOCAL_WRITE;
    if (failed !== 0) return failed;
    const change = this.#change;
    change.region = region;
    change.mtt = i32[region + MTT];
    if (tpt.mpt === 0) change.base = tpt.address;
    else change.firstOffset = (i32[region + FIRST_OFFSET] + tpt.address) | 0;
    return 0;
  }

  #fault(vendorErr: number, value: number): number {
    this.faultKey = 0;
    this.faultAddrLo = value;
    this.faultAddrHi = 0;
    return vendorErr;
  }

  #faultAt(vendorErr: number, key: number): number {
    this.faultKey = key;
    this.faultAddrLo = this.faultAddrHi = 0;
    return vendorErr;
  }
}
