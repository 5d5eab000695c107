/** Registered memory. */
import { assertCapability } from './assert-capability.ts';
import { assertOp, callOp } from './call-op.ts';
import { checkInstance, checkInteger, hex } from './check.ts';
import type { Context } from './context.ts';
import { bufferOf, type DmaBuffer } from './dma-buffer.ts';
import type { MrOps } from './driver/device-ops.ts';
import { AccessFlags } from './enums/access-flags.ts';
import { ReregMrFlags } from './enums/mw.ts';
import { flagNames } from './enums/name-of.ts';
import { invalid } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { type PhysicalMemory, reregisterPhysical, type ReregPhysMrInit } from './physical-memory.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import {
  checkAccess,
  checkIova,
  findMemory,
  type FoundMemory,
  type Registration,
  requestOf,
  type ReregMrInit,
} from './register-memory.ts';
import { Sge } from './sge.ts';

const { ZERO_BASED } = AccessFlags;
const CHANGE_KEYS = literalKeys<ReregMrInit>({ memory: true, pd: true, access: true });

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * A memory region (`struct ibv_mr`), from `pd.regMr`. It holds its memory until {@link MemoryRegion.dereg}: a registered buffer
 * is never collected, and can't be freed. What a {@link MemoryRegion.rereg} changes is changed in the object, its keys included.
 */
export class MemoryRegion extends VerbsObject {
  /** The protection domain that its keys work in. */
  readonly pd: ProtectionDomain;
  /** The context that made it. */
  readonly context: Context;
  /** Verbs address of the first byte. */
  readonly addr: number;
  /**
   * The address at which the keys know the first byte, which is what SGEs and peers name: `addr`, unless it was registered
   * zero-based or with an address of the application's choice.
   */
  readonly iova: number;
  /** Bytes. */
  readonly length: number;
  /** The key for SGEs, an unsigned 32-bit number. */
  readonly lkey: number;
  /** The key for peers, an unsigned 32-bit number. */
  readonly rkey: number;
  /** `AccessFlags` bits. */
  readonly access: number;
  /** The registered bytes. */
  readonly bytes: Uint8Array;
  /** The provider's number of it, as in C's `handle`. */
  readonly handle: number;
  /** What it was registered by, when that was pages. @internal */
  readonly physical: PhysicalMemory | null;

  /** @internal */
  constructor(registration: Registration, ops: MrOps, physical: PhysicalMemory | null = null) {
    super(parentsOf(registration));
    const { pd, bytes, length, access, iova } = registration;
    this.pd = pd;
    this.context = pd.context;
    this.addr = ops.addr;
    this.iova = iova ?? ops.addr;
    this.length = length;
    this.lkey = ops.lkey;
    this.rkey = ops.rkey;
    this.access = access;
    this.bytes = bytes;
    this.handle = ops.handle;
    this.physical = physical;
  }

  /** What messages call it; `wc.explain()` numbers regions in the same way. */
  get label(): string {
    return `MR ${this.rkey >>> 8}`;
  }

  /** An SGE for `length` bytes from `offset`, the rest when it is left out. Throws EINVAL beyond the region. */
  sge(offset = 0, length = this.length - offset): Sge {
    checkInteger('mr.sge', 'offset', offset, 0, this.length, `length of ${this.label}`);
    checkInteger('mr.sge', 'length', length, 0, this.length - offset, `what ${this.label} has after offset ${offset}`);
    return new Sge(this.iova + offset, length, this.lkey);
  }

  /**
   * Changes the memory, the protection domain, the access, or several of them, in one step. The keys may be others afterwards, and
   * old ones give nothing. Nothing may use the region meanwhile.
   *
   * Throws EBUSY while memory windows are bound to it, else as `regMr` does; then the region is as it was. Source:
   * `ibv_rereg_mr`(3).
   */
  rereg(changes: ReregMrInit): void {
    reregisterMemory(this, changes);
  }

  /**
   * As {@link MemoryRegion.rereg}, for a region of `pd.regPhysMr`: changes the pages, what of them counts, the protection domain or the
   * access. Throws EINVAL for a region of other memory. Source: Linux ib_verbs.h, `ib_rereg_phys_mr`.
   */
  reregPhys(changes: ReregPhysMrInit): void {
    reregisterPhysical(this, changes);
  }

  /** Takes over what a reregistration has changed. @internal */
  adopt(registration: Registration, ops: MrOps, physical: PhysicalMemory | null = null): void {
    this.reparent(parentsOf(registration));
    const { pd, bytes, length, access, iova } = registration;
    const { addr, lkey, rkey } = ops;
    const changed = { pd, bytes, length, access, addr, lkey, rkey, iova: iova ?? addr, physical };
    Object.assign(this as Writable<MemoryRegion>, changed);
  }

  /**
   * Ends the registration; its keys give nothing from here on. Throws EBUSY while memory windows are bound to it.
   * Source: `ibv_dereg_mr`(3).
   */
  dereg(): void {
    this.endStrictly('ibv_dereg_mr');
  }

  /** Ends the memory windows that were bound to it, then the registration. Does nothing when it has ended; never throws. */
  override [Symbol.dispose](): void {
    if (!this.destroyed) for (const mw of this.pd.windows) if (mw.region === this) mw[Symbol.dispose]();
    super[Symbol.dispose]();
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_dereg_mr', 'deregMr', this.handle);
  }

  /** @internal */
  [inspectCustom](): string {
    const { addr, iova, length, lkey, rkey, access } = this;
    return inspectLine('MemoryRegion', {
      addr: hex(addr),
      ...(iova === addr ? {} : { iova: hex(iova) }),
      length,
      lkey: hex(lkey),
      rkey: hex(rkey),
      access: flagNames(AccessFlags, access),
    });
  }
}

function parentsOf({ pd, buffer }: Registration): VerbsObject[] {
  return buffer === undefined ? [pd] : [pd, buffer];
}

/**
 * See `ProtectionDomain.regMr` and `regMrIova`.
 *
 * @internal
 */
export function registerMemory(
  verb: string,
  pd: ProtectionDomain,
  memory: DmaBuffer | ArrayBufferView,
  access: number,
  iova?: number,
): MemoryRegion {
  pd.assertLive(verb);
  const { context } = pd;
  assertOp(context, verb, 'regMr');
  if (iova !== undefined) assertCapability(context, verb, 'regMrIova', 'leave the iova out');
  checkAccess(verb, context, access);
  const found = findMemory(verb, context, memory);
  if (iova !== undefined) checkIova(verb, found, access, iova);
  const registration = { pd, ...found, access, iova: (access & ZERO_BASED) === 0 ? (iova ?? null) : 0 };
  return new MemoryRegion(registration, callOp(context, verb, 'regMr', requestOf(registration)));
}

/** See `MemoryRegion.rereg`. */
function reregisterMemory(mr: MemoryRegion, changes: ReregMrInit): void {
  const verb = 'ibv_rereg_mr';
  mr.assertLive(verb);
  const { context } = mr;
  assertOp(context, verb, 'reregMr');
  if (mr.bytes.byteLength === 0)
    throw invalid(verb, `${mr.label} has no memory of this program that could be changed`, 'use mr.reregPhys()');
  checkLiteral(verb, 'changes', changes, CHANGE_KEYS);
  const { memory, pd, access } = changes;
  const flags =
    (memory === undefined ? 0 : ReregMrFlags.CHANGE_TRANSLATION) |
    (pd === undefined ? 0 : ReregMrFlags.CHANGE_PD) |
    (access === undefined ? 0 : ReregMrFlags.CHANGE_ACCESS);
  if (flags === 0) throw invalid(verb, 'nothing to change', 'give memory, pd or access');
  if (pd !== undefined) checkPd(verb, mr, pd);
  if (access !== undefined) checkAccess(verb, context, access);
  const found = memory === undefined ? null : findMemory(verb, context, memory);
  const registration = changed(mr, pd ?? mr.pd, access ?? mr.access, found);
  mr.adopt(registration, callOp(context, verb, 'reregMr', mr.handle, flags, requestOf(registration)));
}

/** What a region is to be: the keys of new memory know it by its own address, unless they count from 0. */
function changed(mr: MemoryRegion, pd: ProtectionDomain, access: number, found: FoundMemory | null): Registration {
  const { bytes, length } = mr;
  const memory = found ?? { buffer: bufferOf(bytes), bytes, length };
  let iova: number | null = null;
  if ((access & ZERO_BASED) !== 0) iova = 0;
  else if (found === null && mr.iova !== mr.addr && (mr.access & ZERO_BASED) === 0) ({ iova } = mr);
  return { pd, ...memory, access, iova };
}

function checkPd(verb: string, { context, pd: { constructor } }: MemoryRegion, pd: ProtectionDomain): void {
  // The class by its instance, since the file of protection domains imports this one.
  checkInstance(verb, 'pd', pd, constructor as typeof ProtectionDomain);
  pd.assertLive(verb);
  if (pd.context !== context) throw invalid(verb, `pd is ${pd.label} of another context`);
}
