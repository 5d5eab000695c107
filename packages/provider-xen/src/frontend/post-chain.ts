/** Packs a chain of work requests into commands. */
import { Errno, SendFlags, WrOpcode } from '@openverbs/verbs';
import type { RecvWr, SendWr } from '@openverbs/verbs';
import type { RecvWrValue, SendWrValue } from '../protocol/attributes.ts';
import { INLINE_BYTES_MAX, SGES_MAX, WRS_PER_COMMAND } from '../protocol/limits.ts';
import type { GuestMemory } from './guest-memory.ts';

/** As in C: 0, or the errno of the first work request that was refused, and which one it was. */
export interface PostResult {
  readonly errno: number;
  readonly badWrIndex: number;
}

/** Where the numbers come from that the back-end is told. */
interface Slots {
  readonly errno: number;
  push(wrId: number): number;
  undo(last: number): void;
}

/**
 * Posts a chain. What has no room is refused here, as the device would: those before it are posted.
 *
 * @param value - a work request as it travels; null when its inline data can't be read
 */
export function postChain<W extends SendWr | RecvWr, V>(
  first: W,
  slots: Slots,
  value: (wr: W, wrId: number) => V | null,
  call: (wrs: readonly V[]) => PostResult,
): PostResult {
  let posted = 0;
  let next: W | null = first;
  while (next !== null) {
    const values: V[] = [];
    const numbers: number[] = [];
    let errno = 0;
    while (next !== null && values.length < WRS_PER_COMMAND) {
      errno = slots.errno;
      if (errno !== 0) break;
      const wrId = slots.push(next.wrId);
      const packed = value(next, wrId);
      if (packed === null) {
        slots.undo(wrId);
        errno = Errno.EINVAL;
        break;
      }
      numbers.push(wrId);
      values.push(packed);
      next = next.next as W | null;
    }
    const refused = values.length === 0 ? { errno: 0, badWrIndex: 0 } : callOrUndo(slots, numbers, () => call(values));
    if (refused.errno !== 0) {
      for (const number of numbers.slice(refused.badWrIndex).reverse()) slots.undo(number);
      return { errno: refused.errno, badWrIndex: posted + refused.badWrIndex };
    }
    posted += values.length;
    if (errno !== 0) return { errno, badWrIndex: posted };
  }
  return { errno: 0, badWrIndex: 0 };
}

function callOrUndo(slots: Slots, numbers: readonly number[], call: () => PostResult): PostResult {
  try {
    return call();
  } catch (error) {
    for (const number of numbers.toReversed()) slots.undo(number);
    throw error;
  }
}

/** The inline data of a send, from the program's memory; undefined when it has none, null when it can't be read. */
export function inlineBytes(wr: SendWr, memory: GuestMemory): Uint8Array | null | undefined {
  if ((wr.sendFlags & SendFlags.INLINE) === 0) return undefined;
  if (wr.inlineData !== null) return wr.inlineData;
  const bytes = new Uint8Array(Math.min(totalLength(wr), INLINE_BYTES_MAX + 1));
  if (bytes.length > INLINE_BYTES_MAX) return null;
  let at = 0;
  for (const { addr, length } of wr.sgList) {
    const from = memory.view(addr, length);
    if (from === null) return null;
    bytes.set(from, at);
    at += length;
  }
  return bytes;
}

function totalLength({ sgList }: SendWr): number {
  return sgList.reduce((sum, { length }) => sum + length, 0);
}

/** A send as it travels: addresses and keys. */
export function toSendValue(wr: SendWr, wrId: number, inline: Uint8Array | null | undefined): SendWrValue | null {
  if (inline === null || !canTravel(wr)) return null;
  const invalidates = wr.opcode === WrOpcode.LOCAL_INV || wr.opcode === WrOpcode.SEND_WITH_INV;
  return {
    wrId,
    opcode: wr.opcode,
    sendFlags: wr.sendFlags,
    immData: invalidates ? wr.invalidateRkey : wr.immData,
    rkey: wr.rkey,
    remoteAddrLo: wr.remoteAddrLo,
    remoteAddrHi: wr.remoteAddrHi,
    compareAdd: wr.compareAdd,
    swap: wr.swap,
    flushLength: wr.flushLength,
    flushType: wr.flushType,
    flushLevel: wr.flushLevel,
    remoteQpn: wr.remoteQpn,
    remoteQkey: wr.remoteQkey,
    remoteSrqn: wr.remoteSrqn,
    ah: wr.ah?.handle ?? 0,
    bind: bindOf(wr),
    inlineData: inline ?? null,
    sgList: inline === undefined ? wr.sgList : [],
  };
}

/** Whether the fields of a command hold it. A window of type 1 is bound by the verb alone. */
function canTravel({ sgList, opcode, bindMw }: SendWr): boolean {
  return sgList.length <= SGES_MAX && opcode >>> 0 === opcode && (bindMw === null || bindMw.mw.bindable);
}

function bindOf({ bindMw }: SendWr): SendWrValue['bind'] {
  if (bindMw === null) return null;
  const { mw, mr, rkey, addr, length, access } = bindMw;
  return { mw: mw.handle, mr: mr?.handle ?? 0, rkey, addr, length, access };
}

/** A receive as it travels. */
export function toRecvValue(wr: RecvWr, wrId: number): RecvWrValue | null {
  return wr.sgList.length > SGES_MAX ? null : { wrId, sgList: wr.sgList };
}
