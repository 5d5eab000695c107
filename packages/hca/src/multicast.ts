/**
 * Multicast groups: which UD queue pairs of an HCA take what is sent to a GID. One table, an entry an attachment.
 *
 * An entry's first word is stored last and cleared first; so a thread that dies leaves an attachment or none.
 */
import { DeviceError } from './device-error.ts';
import { isMulticast } from './address-handles.ts';
import type { Engine } from './engine.ts';
import type { Hca } from './hca.ts';
import { HcaHeader, Mcast, Qpc, QpcType } from './layout.ts';
import { MCAST_ATTACHMENTS_MAX } from './limits.ts';

/** Number that stands for all QPs of a group (IBTA 9.2.1, 10.5.1). */
export const MULTICAST_QPN = 0xffffff;

/** ATTACH_MCAST. A second time it changes nothing (source: Linux rxe_mcast.c, rxe_attach_mcg). The lock must be held. */
export function attachMulticast(engine: Engine, hca: Hca, q: number, gid: Uint8Array): void {
  const { i32, u8 } = engine.machine;
  if (i32[q + Qpc.TYPE] !== QpcType.UD) throw new DeviceError('EINVAL', 'only UD queue pairs take part in multicast');
  if (!isMulticast(gid)) throw new DeviceError('EINVAL', 'this GID is no multicast group');
  const words = wordsOf(gid);
  const entries = attachments(i32, hca);
  if (entries.some((entry) => i32[entry + Mcast.QP] === q && isOf(i32, entry, words))) return;
  const entry = freeEntry(i32, hca);
  u8.set(gid, (entry + Mcast.GID) * 4);
  i32[entry + Mcast.QPN] = i32[q + Qpc.QPN];
  Atomics.store(i32, entry + Mcast.QP, q);
}

/** DETACH_MCAST. The lock must be held. */
export function detachMulticast(engine: Engine, hca: Hca, q: number, gid: Uint8Array): void {
  const { i32 } = engine.machine;
  const words = wordsOf(gid);
  const entry = attachments(i32, hca).find((at) => i32[at + Mcast.QP] === q && isOf(i32, at, words));
  if (entry === undefined) throw new DeviceError('EINVAL', 'the queue pair is not attached to this group');
  Atomics.store(i32, entry + Mcast.QP, 0);
}

/** Detaches a QP that goes from all its groups. */
export function detachFromAll(i32: Int32Array, hca: Hca, q: number): void {
  for (const entry of attachments(i32, hca)) if (i32[entry + Mcast.QP] === q) Atomics.store(i32, entry + Mcast.QP, 0);
}

/** Entries that are in use. */
export function attachments(i32: Int32Array, hca: Hca): number[] {
  const table = i32[hca.header + HcaHeader.MCAST_TABLE];
  const used: number[] = [];
  for (let n = 0; n < i32[hca.header + HcaHeader.MCAST_HIGH_WATER]; n++) {
    const entry = table + n * Mcast.WORDS;
    if (i32[entry + Mcast.QP] !== 0) used.push(entry);
  }
  return used;
}

function freeEntry(i32: Int32Array, hca: Hca): number {
  const table = i32[hca.header + HcaHeader.MCAST_TABLE];
  const highWater = i32[hca.header + HcaHeader.MCAST_HIGH_WATER];
  for (let n = 0; n < MCAST_ATTACHMENTS_MAX; n++) {
    if (i32[table + n * Mcast.WORDS + Mcast.QP] !== 0) continue;
    if (n >= highWater) i32[hca.header + HcaHeader.MCAST_HIGH_WATER] = n + 1;
    return table + n * Mcast.WORDS;
  }
  throw new DeviceError('ENOMEM', `all ${MCAST_ATTACHMENTS_MAX} attachments of the device are taken`, 'detach some');
}

function wordsOf(gid: Uint8Array): Int32Array {
  return new Int32Array(Uint8Array.from(gid).buffer);
}

function isOf(i32: Int32Array, entry: number, words: Int32Array): boolean {
  return words.every((word, n) => i32[entry + Mcast.GID + n] === word);
}
