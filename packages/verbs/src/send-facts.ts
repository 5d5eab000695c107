/** What a refused send says of itself, for the explanation. Sizes only: a mistake may claim any. */
import { AddressHandle } from './address-handle.ts';
import { checkFlags, checkInstance, checkU32, checkU53, show } from './check.ts';
import { SelectivityLevel, SendFlags } from './enums/wr.ts';
import { VerbsError } from './errors.ts';
import { checkBind, type MemoryWindow, type MwBind, type MwBindInfo } from './memory-window.ts';
import { isFlush } from './rings/is-flush.ts';
import { ATOMIC_WRITE_BYTES, FLUSH_LEVEL_SHIFT } from './rings/layout.ts';
import { assignRecvWr, RecvWr } from './recv-wr.ts';
import { assignSendWr, checkInlineData, checkOpcode, checkU64, SendWr } from './send-wr.ts';
import { assignSgList, checkSgList, type SgeLike } from './sge.ts';
import { StagedData, type StagedSend } from './staged-send.ts';
import { SEND_FLAGS_KNOWN } from './rings/send-flags.ts';

const { RANGE, MR } = SelectivityLevel;

/** What is wrong, and what to do about it. */
export type Reason = readonly [message: string, hint: string];

/** A work request, as far as an explanation needs it. */
export interface SendFacts {
  readonly opcode: number;
  readonly sendFlags: number;
  readonly sgeCount: number;
  /** Bytes of `inlineData`, or of the SGEs; what counts with INLINE. */
  readonly inlineBytes: number;
  /** Whether there is `inlineData`. */
  readonly hasInlineData: boolean;
  readonly ah: AddressHandle | null;
  /** What BIND_MW binds. */
  readonly bind: MwBind | null;
  /** FLUSH: placement types and selectivity level. */
  readonly flushType: number;
  readonly flushLevel: number;
}

/** Why the extended form's calls came to nothing. */
export const ORDER: Reason = [
  'the extended form was used in another order',
  'wrStart, an operation, its setters, the next operation …, wrComplete',
];

/** The same, after a modify. */
export const GAVE_UP: Reason = [
  'a modify gave up the list, which was built for the state before',
  'begin again: wrStart, an operation …, wrComplete',
];

/** What `check` throws, as a reason; null when it finds nothing wrong. */
function faultOf(check: () => void): Reason | null {
  try {
    check();
    return null;
  } catch (error) {
    if (VerbsError.is(error)) return [error.message, error.hint];
    return [error instanceof Error ? error.message : String(error), ''];
  }
}

/** The facts of a work request, or what is wrong with a field that was set directly: the post only failed at it. */
export function sendFacts(wr: SendWr): SendFacts | Reason {
  const fault = faultOf(() => {
    // Not what is left out, as in a literal.
    checkU53('', 'wrId', wr.wrId);
    checkOpcode('', wr.opcode);
    checkSgList('', wr.sgList);
    assignSendWr('', new SendWr(), wr);
  });
  if (fault !== null) return fault;
  const { opcode, sendFlags, sgList, inlineData, ah, bindMw: bind, flushType, flushLevel } = wr;
  const inlineBytes = inlineData?.length ?? sgList.reduce((sum, { length }) => sum + length, 0);
  const hasInlineData = inlineData !== null;
  const sgeCount = sgList.length;
  return { opcode, sendFlags, sgeCount, inlineBytes, hasInlineData, ah, bind, flushType, flushLevel };
}

/** What is wrong with a field of a receive; null when it has only more SGEs than the queue takes. */
export function recvFault(wr: RecvWr): Reason | null {
  return faultOf(() => {
    checkU53('', 'wrId', wr.wrId);
    assignRecvWr('', new RecvWr(), wr);
  });
}

/** The same of one that the extended form builds. `more` is what was refused before it could be noted. */
export function stagedFacts(
  { opcode, flags, data, count, addressed, ah, bind, imm }: StagedSend,
  more: { readonly sgeCount?: number; readonly inlineBytes?: number } = {},
): SendFacts {
  const { SGE, SGE_LIST, INLINE } = StagedData;
  const hasInlineData = more.inlineBytes !== undefined || (more.sgeCount === undefined && data === INLINE);
  const { sgeCount = data === SGE ? 1 : data === SGE_LIST ? count : 0, inlineBytes = hasInlineData ? count : 0 } = more;
  const sendFlags = hasInlineData ? flags | SendFlags.INLINE : flags;
  const flushType = imm & ((1 << FLUSH_LEVEL_SHIFT) - 1);
  const flushLevel = imm >>> FLUSH_LEVEL_SHIFT;
  const address = addressed === 0 ? null : ah;
  return { opcode, sendFlags, sgeCount, inlineBytes, hasInlineData, ah: address, bind, flushType, flushLevel };
}

// What is wrong with the operands of the extended form, of which only one is known to be no number. The setters call these, and make
// no closures themselves: one that holds a parameter would cost an object at each call.

/** Operands of 32 bits, by name. */
export function wordsFault(words: Readonly<Record<string, number>>): Reason | null {
  return faultOf(() => {
    for (const [name, value] of Object.entries(words)) checkU32('', name, value);
  });
}

/** Operands of 64 bits, by name. */
export function bigintsFault(operands: Readonly<Record<string, bigint>>): Reason | null {
  return faultOf(() => {
    for (const [name, value] of Object.entries(operands)) checkU64('', name, value);
  });
}

/** What an operation begins with. */
export function operationFault(wrId: number, wrFlags: number, rkey: number, remoteAddr: number): Reason | null {
  return faultOf(() => {
    checkU53('', 'wrId', wrId);
    checkFlags('', 'wrFlags', wrFlags, SendFlags, SEND_FLAGS_KNOWN);
    checkU32('', 'rkey', rkey);
    checkU53('', 'remoteAddr', remoteAddr);
  });
}

/** A list of SGEs. */
export function sgListFault(sgList: readonly SgeLike[]): Reason | null {
  return faultOf(() => {
    assignSgList('', [], sgList);
  });
}

/** Inline data. */
export function inlineFault(bytes: Uint8Array): Reason | null {
  return faultOf(() => {
    checkInlineData('', bytes);
  });
}

/** Inline data in pieces. */
export function inlineListFault(pieces: readonly Uint8Array[]): Reason | null {
  if (!Array.isArray(pieces)) return [`inlineData is ${show(pieces)}, no list`, 'give an array of Uint8Arrays'];
  for (const piece of pieces as readonly Uint8Array[]) {
    const fault = inlineFault(piece);
    if (fault !== null) return fault;
  }
  return null;
}

/** What a memory window is to show. */
export function bindFault(mw: MemoryWindow, rkey: number, info: MwBindInfo): Reason | null {
  return faultOf(() => {
    checkBind('', mw, rkey, info);
  });
}

/** What a flush is to reach, and how far. */
export function flushFault(length: number, type: number, level: number): Reason | null {
  const fault = wordsFault({ length, type, level });
  return fault ?? (isFlush(type, level) ? null : flushReason(type, level));
}

/** Why there is no such flush. */
export function flushReason(type: number, level: number): Reason {
  if (level !== RANGE && level !== MR) return [`the selectivity level ${level} of a flush is none`, 'give RANGE or MR'];
  return [`the placement type ${type} of a flush is none`, 'give PlacementType.GLOBAL, PERSISTENT or both'];
}

/** The bytes of an atomic write. */
export function atomicWriteFault(bytes: Uint8Array): Reason | null {
  const fault = inlineFault(bytes);
  if (fault !== null) return fault;
  return bytes.length === ATOMIC_WRITE_BYTES ? null : [`an atomic write is of 8 bytes, not ${bytes.length}`, ''];
}

/** Where a datagram goes. */
export function addressFault(ah: AddressHandle, remoteQpn: number, remoteQkey: number): Reason | null {
  const fault = faultOf(() => {
    checkInstance('', 'ah', ah, AddressHandle);
  });
  return fault ?? wordsFault({ remoteQpn, remoteQkey });
}
