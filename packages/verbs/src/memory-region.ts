/** Registered memory. */
import { assertOp, callOp } from './call-op.ts';
import { checkFlags, checkInteger, hex, show } from './check.ts';
import type { Context } from './context.ts';
import { bufferOf, DmaBuffer } from './dma-buffer.ts';
import type { MrOps } from './driver/device-ops.ts';
import { ACCESS_OPTIONAL_RANGE, AccessFlags } from './enums/access-flags.ts';
import { flagNames } from './enums/name-of.ts';
import { invalid, VerbsError } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { VerbsObject } from './lifetime.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { Sge } from './sge.ts';

const ACCESS_KNOWN = Object.values(AccessFlags).reduce((bits, bit) => bits | bit, 0) | ACCESS_OPTIONAL_RANGE;

/**
 * A memory region (`struct ibv_mr`), from `pd.regMr`. It holds its memory until {@link MemoryRegion.dereg}: a registered buffer
 * is never collected, and can't be freed.
 */
export class MemoryRegion extends VerbsObject {
  /** The protection domain that its keys work in. */
  readonly pd: ProtectionDomain;
  /** The context that made it. */
  readonly context: Context;
  /** Verbs address of the first byte. */
  readonly addr: number;
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

  /** @internal */
  constructor(pd: ProtectionDomain, buffer: DmaBuffer | undefined, ops: MrOps, bytes: Uint8Array, access: number) {
    super(buffer === undefined ? [pd] : [pd, buffer]);
    this.pd = pd;
    this.context = pd.context;
    this.addr = ops.addr;
    this.length = bytes.byteLength;
    this.lkey = ops.lkey;
    this.rkey = ops.rkey;
    this.access = access;
    this.bytes = bytes;
    this.handle = ops.handle;
  }

  /** What messages call it; `wc.explain()` numbers regions in the same way. */
  get label(): string {
    return `MR ${this.rkey >>> 8}`;
  }

  /** An SGE for `length` bytes from `offset`, the rest when it is left out. Throws EINVAL beyond the region. */
  sge(offset = 0, length = this.length - offset): Sge {
    checkInteger('', 'offset', offset, 0, this.length, `length of ${this.label}`);
    checkInteger('', 'length', length, 0, this.length - offset, `what ${this.label} has after offset ${offset}`);
    return new Sge(this.addr + offset, length, this.lkey);
  }

  /** Ends the registration; its keys give nothing from here on. Source: `ibv_dereg_mr`(3). */
  dereg(): void {
    this.endStrictly('ibv_dereg_mr');
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_dereg_mr', 'deregMr', this.handle);
  }

  /** @internal */
  [inspectCustom](): string {
    const { addr, length, lkey, rkey, access } = this;
    return inspectLine('MemoryRegion', {
      addr: hex(addr),
      length,
      lkey: hex(lkey),
      rkey: hex(rkey),
      access: flagNames(AccessFlags, access),
    });
  }
}

/**
 * See `ProtectionDomain.regMr`.
 *
 * @internal
 */
export function registerMemory(
  pd: ProtectionDomain,
  memory: DmaBuffer | ArrayBufferView,
  access: number,
): MemoryRegion {
  const verb = 'ibv_reg_mr';
  pd.assertLive(verb);
  assertOp(pd.context, verb, 'regMr');
  checkAccess(verb, access);
  if (!(memory instanceof DmaBuffer) && !ArrayBuffer.isView(memory))
    throw invalid(verb, `memory is ${show(memory)}`, 'register a buffer of context.allocBuf(), or a view into one');
  const buffer = memory instanceof DmaBuffer ? memory : bufferOf(memory);
  buffer?.assertLive(verb);
  const view = memory instanceof DmaBuffer ? memory.bytes : bytesOf(memory);
  const { context } = pd;
  if (buffer === undefined && !context.device.supports('registersAnyMemory')) {
    throw new VerbsError({
      code: 'EFAULT',
      verb,
      message: `${context.device.name} can't reach this memory`,
      hint: 'register a buffer of context.allocBuf(), or a view into one',
    });
  }
  checkInteger(verb, 'length', view.byteLength, 1, context.queryDevice().maxMrSize, 'maxMrSize of the device');
  // A buffer of another context of the machine has a handle that means nothing here; the provider knows it by its memory.
  const own = buffer?.context === context ? buffer : null;
  const ops = callOp(context, verb, 'regMr', {
    pd: pd.handle,
    buffer: own?.handle ?? null,
    offset: own === null ? 0 : view.byteOffset - own.bytes.byteOffset,
    length: view.byteLength,
    view,
    access,
  });
  return new MemoryRegion(pd, buffer, ops, view, access);
}

/** Access that a peer writes through needs the right to write here. Source: `ibv_reg_mr`(3). */
function checkAccess(verb: string, access: number): void {
  checkFlags(verb, 'access', access, AccessFlags, ACCESS_KNOWN);
  const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_ATOMIC } = AccessFlags;
  if ((access & (REMOTE_WRITE | REMOTE_ATOMIC)) === 0 || (access & LOCAL_WRITE) !== 0) return;
  const message = `access is ${flagNames(AccessFlags, access)}: REMOTE_WRITE and REMOTE_ATOMIC need LOCAL_WRITE`;
  throw invalid(verb, message, 'add AccessFlags.LOCAL_WRITE', { what: 'access', value: access });
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  if (view instanceof Uint8Array && view.constructor === Uint8Array) return view;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
