/** Registering memory by the bus addresses of its pages: what kernel-level consumers do, and the back-end of a split driver. */
import { assertOp, callOp } from './call-op.ts';
import type { Context } from './context.ts';
import type { DmaBuffer } from './dma-buffer.ts';
import type { DmaMapping, MrOps } from './driver/device-ops.ts';
import { AccessFlags } from './enums/access-flags.ts';
import { invalid } from './errors.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { MemoryRegion } from './memory-region.ts';
import { checkPhysical, NO_BYTES, type PhysMrInit, registrationOf } from './physical-memory.ts';
import type { ProtectionDomain } from './protection-domain.ts';
import { checkAccess, findMemory, requestOf } from './register-memory.ts';

const { ZERO_BASED } = AccessFlags;
const VERB_REG = 'ib_reg_phys_mr';
const VERB_DMA = 'ib_get_dma_mr';
const VERB_MAP = 'ib_dma_map';
/** The region of all memory counts by bus addresses, from 0 on. */
const DMA_MR_LENGTH = Number.MAX_SAFE_INTEGER;
const INIT_KEYS = literalKeys<PhysMrInit>({ firstOffset: true, length: true, access: true, iova: true });

/** See `ProtectionDomain.regPhysMr`. */
export function registerPhysical(pd: ProtectionDomain, pages: ArrayLike<number>, init: PhysMrInit): MemoryRegion {
  pd.assertLive(VERB_REG);
  const { context } = pd;
  assertOp(context, VERB_REG, 'regPhysMr');
  checkLiteral(VERB_REG, 'init', init, INIT_KEYS);
  const { access } = init;
  checkAccess(VERB_REG, context, access);
  const memory = checkPhysical(VERB_REG, context, pages, init, access);
  const ops = callOp(context, VERB_REG, 'regPhysMr', { pd: pd.handle, access, ...memory });
  return new MemoryRegion(registrationOf(pd, memory, access), ops, memory);
}

/** See `ProtectionDomain.getDmaMr`. */
export function getDmaRegion(pd: ProtectionDomain, access: number): MemoryRegion {
  checkDmaRegion(pd, 'getDmaMr', access);
  return dmaRegion(pd, access, callOp(pd.context, VERB_DMA, 'getDmaMr', pd.handle, access));
}

/**
 * As `pd.getDmaMr`, for the back-end of a split driver: a region of what one owner has in the memory of the device's machine, whenever an
 * access comes.
 *
 * Throws EOPNOTSUPP where the device can't tell whose a page is.
 *
 * @param owner - as the hypervisor's `memory.dmaOwner` says it
 */
export function getDmaMrOf(pd: ProtectionDomain, access: number, owner: number): MemoryRegion {
  checkDmaRegion(pd, 'getDmaMrOf', access);
  return dmaRegion(pd, access, callOp(pd.context, VERB_DMA, 'getDmaMrOf', pd.handle, access, owner));
}

function checkDmaRegion(pd: ProtectionDomain, op: 'getDmaMr' | 'getDmaMrOf', access: number): void {
  pd.assertLive(VERB_DMA);
  assertOp(pd.context, VERB_DMA, op);
  checkAccess(VERB_DMA, pd.context, access);
  if ((access & ZERO_BASED) !== 0)
    throw invalid(VERB_DMA, 'access is ZERO_BASED, but keys count by bus addresses here');
}

function dmaRegion(pd: ProtectionDomain, access: number, ops: MrOps): MemoryRegion {
  return new MemoryRegion({ pd, buffer: undefined, bytes: NO_BYTES, length: DMA_MR_LENGTH, access, iova: 0 }, ops);
}

/** See `Context.mapDma`. */
export function mapForDma(context: Context, memory: DmaBuffer | ArrayBufferView): DmaMapping {
  context.assertLive(VERB_MAP);
  assertOp(context, VERB_MAP, 'mapDma');
  const { buffer, bytes, length } = findMemory(VERB_MAP, context, memory);
  const {
    buffer: handle,
    offset,
    view,
  } = requestOf({ pd: { handle: 0, context }, buffer, bytes, length, access: 0, iova: null });
  return callOp(context, VERB_MAP, 'mapDma', { buffer: handle, offset, view, length });
}
