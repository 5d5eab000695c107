/** What registering memory, and changing a registration, may ask for. */
import { assertCapability } from './assert-capability.ts';
import { checkFlags, checkInteger, hex, show } from './check.ts';
import type { Context } from './context.ts';
import { bufferOf, DmaBuffer } from './dma-buffer.ts';
import type { CapabilityName } from './driver/capabilities.ts';
import type { MrRequest } from './driver/device-ops.ts';
import { ACCESS_OPTIONAL_RANGE, AccessFlags } from './enums/access-flags.ts';
import { flagNames } from './enums/name-of.ts';
import { namedBits } from './enums/named-bits.ts';
import { invalid, VerbsError } from './errors.ts';
import type { ProtectionDomain } from './protection-domain.ts';

const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_ATOMIC, ZERO_BASED, ON_DEMAND, HUGETLB } = AccessFlags;
const { FLUSH_GLOBAL, FLUSH_PERSISTENT } = AccessFlags;
const ACCESS_KNOWN = namedBits(AccessFlags) | ACCESS_OPTIONAL_RANGE;
/** The page of Linux's check that memory and iova begin at the same offset in one. */
const PAGE_BYTES = 4096;

/** What a flag needs of the device, and what to do on one that lacks it. */
const ACCESS_NEEDS: readonly (readonly [flag: number, capability: CapabilityName, hint: string])[] = [
  [ZERO_BASED, 'zeroBased', 'leave the flag out, and let the peer add the address of the region'],
  [FLUSH_GLOBAL, 'flush', 'leave the flag out, and let the peer read what it has written before'],
  [FLUSH_PERSISTENT, 'flushPersistent', 'leave the flag out: this memory does not outlive a loss of power'],
  [ON_DEMAND, 'onDemandPaging', 'leave the flag out: the memory is there all the time'],
  [
    HUGETLB,
    'onDemandPaging',
    'leave the flag out: it asks for large pages, and the device does not look at their size',
  ],
];

/** What a registration consists of. */
export interface Registration {
  readonly pd: ProtectionDomain;
  /** What the memory lies in, when it is of `allocBuf`. */
  readonly buffer: DmaBuffer | undefined;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly access: number;
  /** As it was asked for; null for the address itself. */
  readonly iova: number | null;
}

/** What `mr.rereg` changes. What is left out stays. */
export interface ReregMrInit {
  /** Other memory. */
  readonly memory?: DmaBuffer | ArrayBufferView;
  /** Another protection domain of the same context. */
  readonly pd?: ProtectionDomain;
  /** Other `AccessFlags`. */
  readonly access?: number;
}

/** Memory to register. */
export type FoundMemory = Pick<Registration, 'buffer' | 'bytes' | 'length'>;

/** The bytes, and the buffer that they lie in. */
export function findMemory(verb: string, context: Context, memory: DmaBuffer | ArrayBufferView): FoundMemory {
  if (!(memory instanceof DmaBuffer) && !ArrayBuffer.isView(memory))
    throw invalid(verb, `memory is ${show(memory)}`, 'register a buffer of context.allocBuf(), or a view into one');
  const buffer = memory instanceof DmaBuffer ? memory : bufferOf(memory);
  buffer?.assertLive(verb);
  const bytes = memory instanceof DmaBuffer ? memory.bytes : bytesOf(memory);
  if (buffer === undefined && !context.device.supports('registersAnyMemory')) {
    throw new VerbsError({
      code: 'EFAULT',
      verb,
      message: `${context.device.name} can't reach this memory`,
      hint: 'register a buffer of context.allocBuf(), or a view into one',
    });
  }
  const length = bytes.byteLength;
  checkInteger(verb, 'length', length, 1, context.queryDevice().maxMrSize, 'maxMrSize of the device');
  return { buffer, bytes, length };
}

/** The same for the provider. */
export function requestOf({
  pd,
  buffer,
  bytes: view,
  length,
  access,
  iova,
}: Omit<Registration, 'pd'> & { readonly pd: Pick<ProtectionDomain, 'handle' | 'context'> }): MrRequest {
  // A buffer of another context of the machine has a handle that means nothing here; the provider knows it by its memory.
  const own = buffer?.context === pd.context ? buffer : null;
  return {
    pd: pd.handle,
    buffer: own?.handle ?? null,
    offset: own === null ? 0 : view.byteOffset - own.bytes.byteOffset,
    length,
    view,
    access,
    iova,
  };
}

/** Access that a peer writes through needs the right to write here. Source: `ibv_reg_mr`(3). */
export function checkAccess(verb: string, context: Context, access: number): void {
  checkFlags(verb, 'access', access, AccessFlags, ACCESS_KNOWN);
  for (const [flag, capability, hint] of ACCESS_NEEDS) {
    if ((access & flag) !== 0) assertCapability(context, verb, capability, hint, flagNames(AccessFlags, flag));
  }
  if ((access & (REMOTE_WRITE | REMOTE_ATOMIC)) === 0 || (access & LOCAL_WRITE) !== 0) return;
  const message = `access is ${flagNames(AccessFlags, access)}: REMOTE_WRITE and REMOTE_ATOMIC need LOCAL_WRITE`;
  throw invalid(verb, message, 'add AccessFlags.LOCAL_WRITE', { what: 'access', value: access });
}

/** The address that keys are to know the memory by. */
export function checkIova(verb: string, { buffer, bytes, length }: FoundMemory, access: number, iova: number): void {
  checkInteger(verb, 'iova', iova, 0, Number.MAX_SAFE_INTEGER - length, '2^53 - 1 less the length');
  if ((access & ZERO_BASED) !== 0 && iova !== 0) {
    throw invalid(verb, `iova is ${hex(iova)}, but access is ZERO_BASED`, 'give 0, or leave the flag out');
  }
  if (buffer === undefined) return;
  // Linux refuses it in ib_uverbs_reg_mr, so what passes here passes on every device.
  const addr = buffer.addr + bytes.byteOffset - buffer.bytes.byteOffset;
  if (addr % PAGE_BYTES === iova % PAGE_BYTES) return;
  const message = `iova ${hex(iova)} and the memory at ${hex(addr)} begin at different offsets in a page of ${PAGE_BYTES}`;
  throw invalid(verb, message, 'let both begin at the same', { iova, addr });
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  if (view instanceof Uint8Array && view.constructor === Uint8Array) return view;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
