/** Memory windows. */
import { callOp } from './call-op.ts';
import { checkInstance, checkInteger, checkU32, checkU53, hex } from './check.ts';
import type { Context } from './context.ts';
import type { MwOps } from './driver/device-ops.ts';
import { MwType } from './enums/mw.ts';
import { enumName } from './enums/name-of.ts';
import { invalid } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';
import { checkLiteral, type LiteralKeys, literalKeys } from './literal-keys.ts';
import { MemoryRegion } from './memory-region.ts';
import type { ProtectionDomain } from './protection-domain.ts';

/** What a memory window is to show of a region (`struct ibv_mw_bind_info`). */
export interface MwBindInfo {
  /** The region; null together with a length of 0, which binds a window of type 1 to nothing. */
  readonly mr: MemoryRegion | null;
  /** The first address, as the region's keys know it; the region's first when it is left out. */
  readonly addr?: number;
  /** Bytes; all of the region when it is left out. */
  readonly length?: number;
  /** REMOTE_WRITE, REMOTE_READ and REMOTE_ATOMIC; ZERO_BASED for a window of type 2. */
  readonly access?: number;
}

/** How to bind a memory window of type 1 (`struct ibv_mw_bind`). */
export interface MwBindInit extends MwBindInfo {
  /** Comes back in the completion. */
  readonly wrId?: number;
  /** `SendFlags` bits. */
  readonly sendFlags?: number;
}

/** What BIND_MW binds: see `SendWr.bindMw`. Every field is given. */
export interface MwBind extends Required<MwBindInfo> {
  /** The window. */
  readonly mw: MemoryWindow;
  /** Its new key: the present one with another low byte, for example by {@link incRkey}. */
  readonly rkey: number;
}

const INFO = { mr: true, addr: true, length: true, access: true } as const;
/** @internal */
export const BIND_INIT_KEYS = literalKeys<MwBindInit>({ ...INFO, wrId: true, sendFlags: true });
/** One literal may serve a BIND_MW and `qp.wrBindMw`. */
const BIND_KEYS = literalKeys<MwBind>({ ...INFO, mw: true, rkey: true });

/**
 * A memory window (`struct ibv_mw`), from `pd.allocMw`: a key for a part of a region, which comes and goes by work requests and so
 * in the order of a send queue.
 *
 * Type 1 is bound by `qp.bindMw`, which gives it a new `rkey`, and works on every queue pair of its protection domain. Type 2 is
 * bound by a work request BIND_MW with a key of the application's choice, works on that queue pair only, and is invalidated by
 * LOCAL_INV, or by the peer's SEND_WITH_INV, before it is bound again. A region with windows bound to it can't be deregistered.
 *
 * @example
 * ```ts
 * import { AccessFlags, incRkey, MwType, SendFlags, WrOpcode, type MemoryRegion, type QueuePair } from '@openverbs/verbs';
 *
 * function show(qp: QueuePair, mr: MemoryRegion): number {
 *   const mw = mr.pd.allocMw(MwType.TYPE_2);
 *   const rkey = incRkey(mw.rkey);
 *   const bindMw = { mw, rkey, mr, addr: mr.addr, length: 64, access: AccessFlags.REMOTE_READ };
 *   qp.postSend({ wrId: 1, opcode: WrOpcode.BIND_MW, sendFlags: SendFlags.SIGNALED, bindMw });
 *   return rkey;
 * }
 * ```
 */
export class MemoryWindow extends VerbsObject {
  /** The protection domain that its key works in. */
  readonly pd: ProtectionDomain;
  /** The context that made it. */
  readonly context: Context;
  /** One of `MwType`. */
  readonly type: MwType;
  /** The provider's number of it, as in C's `handle`. */
  readonly handle: number;
  /**
   * The key for peers. Of type 1 `qp.bindMw` sets it. Of type 2 it is the first one, and then the application's to keep: after a bind
   * it is that of the work request, and the next bind has to start from it.
   */
  rkey: number;
  /** The region of the last bind that was posted, which takes it along when it is disposed. @internal */
  region: MemoryRegion | null = null;
  /** Whether `qp.bindMw` is at it, the only way to bind type 1. @internal */
  binding = false;

  /** @internal */
  constructor(pd: ProtectionDomain, type: MwType, ops: MwOps) {
    super([pd]);
    this.pd = pd;
    this.context = pd.context;
    this.type = type;
    this.handle = ops.handle;
    this.rkey = ops.rkey;
    pd.windows.add(this);
  }

  /** What messages call it. */
  get label(): string {
    return `MW ${this.handle >>> 8}`;
  }

  /** Whether a work request can bind it now. @internal */
  get bindable(): boolean {
    return !this.destroyed && (this.type === MwType.TYPE_2 || this.binding);
  }

  /** Ends it, bound or not. Source: `ibv_dealloc_mw`(3). */
  dealloc(): void {
    this.endStrictly('ibv_dealloc_mw');
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_dealloc_mw', 'deallocMw', this.handle);
  }

  /** @internal */ protected override onEnded(): void {
    this.region = null;
    this.pd.windows.delete(this);
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('MemoryWindow', { type: enumName(MwType, this.type), rkey: hex(this.rkey) });
  }
}

/** The next key of a memory window: the low byte counts, the rest stays. Source: `ibv_inc_rkey`(3). */
export function incRkey(rkey: number): number {
  checkU32('ibv_inc_rkey', 'rkey', rkey);
  return ((rkey & ~0xff) | ((rkey + 1) & 0xff)) >>> 0;
}

/**
 * Checks a bind, and fills in what it leaves out.
 *
 * @internal
 */
export function checkBind(
  verb: string,
  mw: MemoryWindow,
  rkey: number,
  info: MwBindInfo,
  keys: LiteralKeys = BIND_KEYS,
): MwBind {
  checkInstance(verb, 'mw', mw, MemoryWindow);
  mw.assertLive(verb);
  checkU32(verb, 'rkey', rkey);
  checkLiteral(verb, 'the bind', info, keys);
  const { mr, access = 0 } = info;
  if (mr !== null) {
    checkInstance(verb, 'mr', mr, MemoryRegion);
    mr.assertLive(verb);
  }
  const { addr = mr?.iova ?? 0, length = mr?.length ?? 0 } = info;
  checkU53(verb, 'addr', addr);
  checkInteger(verb, 'length', length, 0, Number.MAX_SAFE_INTEGER);
  checkU32(verb, 'access', access);
  if (mr === null && length !== 0) throw invalid(verb, `mr is null, but length is ${length}`, 'give the region');
  return { mw, rkey, mr, addr, length, access };
}
