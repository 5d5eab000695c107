/** Memory windows, by their C names. */
import { incRkey } from '@openverbs/verbs';
import type { MemoryWindow, MwBindInfo, MwBindInit, MwType, ProtectionDomain, QueuePair } from '@openverbs/verbs';

import { aMemoryWindow, aProtectionDomain, aQp } from './first-argument.ts';

/** Makes a memory window. */
export function ibv_alloc_mw(pd: ProtectionDomain, type: MwType): MemoryWindow {
  return aProtectionDomain('ibv_alloc_mw', pd).allocMw(type);
}

/** Ends a memory window, bound or not. */
export function ibv_dealloc_mw(mw: MemoryWindow): void {
  aMemoryWindow('ibv_dealloc_mw', mw).dealloc();
}

/**
 * Binds a memory window of type 1, and sets its new `mw.rkey`. C's `bind_info` lies in `mw_bind` itself.
 *
 * @throws VerbsError EINVAL for a window of type 2, which `IBV_WR_BIND_MW` binds.
 */
export function ibv_bind_mw(qp: QueuePair, mw: MemoryWindow, mw_bind: MwBindInit): void {
  aQp('ibv_bind_mw', qp).bindMw(mw, mw_bind);
}

/** The next key of a memory window. */
export function ibv_inc_rkey(rkey: number): number {
  return incRkey(rkey);
}

/** Binds a memory window of type 2, in the extended form of posting. */
export function ibv_wr_bind_mw(qp: QueuePair, mw: MemoryWindow, rkey: number, bind_info: MwBindInfo): void {
  aQp('ibv_wr_bind_mw', qp).wrBindMw(mw, rkey, bind_info);
}
