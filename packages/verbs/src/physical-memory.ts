/** Memory that is known by the bus addresses of its pages: what may be registered of it, and changing what was. */
import { assertOp, callOp } from './call-op.ts';
import { checkInstance, checkInteger, hex, show } from './check.ts';
import type { Context } from './context.ts';
import type { PhysMrRequest } from './driver/device-ops.ts';
import { AccessFlags } from './enums/access-flags.ts';
import { ReregMrFlags } from './enums/mw.ts';
import { invalid } from './errors.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import type { MemoryRegion } from './memory-region.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { checkAccess, type Registration } from './register-memory.ts';

const { ZERO_BASED } = AccessFlags;
const VERB_REREG = 'ib_rereg_phys_mr';
/** The pages of a list, whatever the host's are. */
const DMA_PAGE_BYTES = 4096;
export const NO_BYTES = new Uint8Array(0);

/** What of some pages is registered, and how its keys know it. */
export interface PhysMrInit {
  /** Where in the first page it begins; 0 unless said. */
  readonly firstOffset?: number;
  /** Bytes; to the end of the last page unless said. */
  readonly length?: number;
  /** `AccessFlags` bits. */
  readonly access: number;
  /** The address of the first byte to the keys, at the same offset in a page; its bus address unless said, 0 with ZERO_BASED. */
  readonly iova?: number;
}

/** What `mr.reregPhys` changes. What is left out stays; new pages come with all that {@link PhysMrInit} says of pages. */
export interface ReregPhysMrInit extends Partial<PhysMrInit> {
  /** Other pages. */
  readonly pages?: ArrayLike<number>;
  /** Another protection domain of the same context. */
  readonly pd?: ProtectionDomain;
}

/** Memory that is registered by its pages. @internal */
export type PhysicalMemory = Pick<PhysMrRequest, 'pages' | 'firstOffset' | 'length' | 'iova'>;

const REREG_KEYS = literalKeys<ReregPhysMrInit>({
  pages: true,
  pd: true,
  firstOffset: true,
  length: true,
  access: true,
  iova: true,
});

/** See `MemoryRegion.reregPhys`. */
export function reregisterPhysical(mr: MemoryRegion, changes: ReregPhysMrInit): void {
  mr.assertLive(VERB_REREG);
  const { context, physical } = mr;
  assertOp(context, VERB_REREG, 'reregPhysMr');
  if (physical === null) throw invalid(VERB_REREG, `${mr.label} was not made by pd.regPhysMr()`, 'use mr.rereg()');
  checkLiteral(VERB_REREG, 'changes', changes, REREG_KEYS);
  const { pages, pd = mr.pd, access = mr.access } = changes;
  const moves =
    pages !== undefined || (['firstOffset', 'length', 'iova'] as const).some((key) => changes[key] !== undefined);
  const flags =
    (moves ? ReregMrFlags.CHANGE_TRANSLATION : 0) |
    (changes.pd === undefined ? 0 : ReregMrFlags.CHANGE_PD) |
    (changes.access === undefined ? 0 : ReregMrFlags.CHANGE_ACCESS);
  if (flags === 0) throw invalid(VERB_REREG, 'nothing to change', 'give pages, pd or access');
  checkInstance(VERB_REREG, 'pd', pd, mr.pd.constructor as typeof ProtectionDomain);
  pd.assertLive(VERB_REREG);
  if (pd.context !== context) throw invalid(VERB_REREG, `pd is ${pd.label} of another context`);
  checkAccess(VERB_REREG, context, access);
  const asked = pages === undefined ? { ...kept(physical, access, mr.access), ...changes } : changes;
  const memory = checkPhysical(VERB_REREG, context, pages ?? physical.pages, asked, access);
  const request = { pd: pd.handle, access, ...memory };
  mr.adopt(
    registrationOf(pd, memory, access),
    callOp(context, VERB_REREG, 'reregPhysMr', mr.handle, flags, request),
    memory,
  );
}

/** The present place of a region, as changes that leave it out keep it; without ZERO_BASED, keys that were so know it anew. */
function kept(physical: PhysicalMemory, access: number, before: number): Partial<PhysMrInit> {
  const { firstOffset, length, iova } = physical;
  return ((access | before) & ZERO_BASED) === 0 ? { firstOffset, length, iova } : { firstOffset, length };
}

/** The pages themselves are for the provider to check, which has to look at each anyway. */
export function checkPhysical(
  verb: string,
  context: Context,
  pages: ArrayLike<number>,
  init: Partial<PhysMrInit>,
  access: number,
): PhysicalMemory {
  if (typeof (pages as Partial<ArrayLike<number>> | null | undefined)?.length !== 'number')
    throw invalid(verb, `pages is ${show(pages)}, no list of bus addresses`);
  const { maxMrSize } = context.queryDevice();
  const count = pages.length;
  checkInteger(verb, 'pages.length', count, 1, Math.ceil(maxMrSize / DMA_PAGE_BYTES) + 1, 'maxMrSize of the device');
  const { firstOffset = 0 } = init;
  checkInteger(verb, 'firstOffset', firstOffset, 0, DMA_PAGE_BYTES - 1, 'within the first page');
  const room = count * DMA_PAGE_BYTES - firstOffset;
  const { length = room } = init;
  checkInteger(
    verb,
    'length',
    length,
    1,
    Math.min(room, maxMrSize),
    'what the pages have, and maxMrSize of the device',
  );
  if (length <= room - DMA_PAGE_BYTES) throw invalid(verb, `${count} pages are more than ${length} bytes need`);
  const zeroBased = (access & ZERO_BASED) !== 0;
  const { iova = zeroBased ? 0 : pages[0] + firstOffset } = init;
  checkInteger(verb, 'iova', iova, 0, Number.MAX_SAFE_INTEGER - length, '2^53 - 1 less the length');
  if (zeroBased && iova !== 0) throw invalid(verb, `iova is ${hex(iova)}, but access is ZERO_BASED`);
  // Source: Linux mthca_provider.c, mthca_reg_phys_mr.
  if (!zeroBased && iova % DMA_PAGE_BYTES !== firstOffset) {
    const message = `iova ${hex(iova)} and the memory, ${firstOffset} into a page, begin at different offsets in a page`;
    throw invalid(verb, message, 'let both begin at the same', { iova, firstOffset });
  }
  return { pages, firstOffset, length, iova };
}

/** What the object of such a region holds. */
export function registrationOf(pd: ProtectionDomain, { length, iova }: PhysicalMemory, access: number): Registration {
  return { pd, buffer: undefined, bytes: NO_BYTES, length, access, iova };
}
