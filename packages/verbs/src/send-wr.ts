/** Send work requests. */
import { AddressHandle } from './address-handle.ts';
import { ENDLESS, isEndless } from './chain.ts';
import { checkFlags, checkInstance, checkOneOf, checkU32, checkU53, show } from './check.ts';
import { SendFlags, WrOpcode } from './enums/wr.ts';
import { invalid } from './errors.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { checkBind, type MwBind } from './memory-window.ts';
import { assignSgList, type Sge, type SgeLike } from './sge.ts';
import { bigHigh, bigLow, DOUBLE, highWord, wordsToBigInt, wordsToNumber } from './words.ts';
import { SEND_FLAGS_KNOWN } from './rings/send-flags.ts';

/** A send work request as a literal. What is left out is 0, no list, no next. */
export interface SendWrInit {
  /** Comes back in the completion; a safe integer, not negative. */
  readonly wrId?: number;
  /** The next one of a chain. */
  readonly next?: SendWr | SendWrInit | null;
  /** Local memory; at most `cap.maxSendSge` pieces. */
  readonly sgList?: readonly SgeLike[];
  /** The data itself, from any memory, instead of `sgList`; implies `SendFlags.INLINE`. The 8 bytes of an ATOMIC_WRITE always fit. */
  readonly inlineData?: Uint8Array | null;
  /** One of `WrOpcode`; SEND when it is left out. */
  readonly opcode?: number;
  /** `SendFlags` bits. */
  readonly sendFlags?: number;
  /** For operations with immediate data, an unsigned 32-bit number in host order. */
  readonly immData?: number;
  /** For SEND_WITH_INV and LOCAL_INV: the key to invalidate. */
  readonly invalidateRkey?: number;
  /** RDMA, atomics and FLUSH: the remote key. */
  readonly rkey?: number;
  /** RDMA, atomics and FLUSH: the remote address, 64 bits. */
  readonly remoteAddr?: number | bigint;
  /** Atomics: what to compare with, or what to add; 64 bits. */
  readonly compareAdd?: bigint;
  /** Compare and swap: the new value, 64 bits. */
  readonly swap?: bigint;
  /** FLUSH: bytes of the range, an unsigned 32-bit number. */
  readonly flushLength?: number;
  /** FLUSH: `PlacementType` bits. */
  readonly flushType?: number;
  /** FLUSH: one of `SelectivityLevel`; RANGE when it is left out. */
  readonly flushLevel?: number;
  /** BIND_MW: the window of type 2, and what it is to show. */
  readonly bindMw?: MwBind | null;
  /** UD: the way to the peer. */
  readonly ah?: AddressHandle | null;
  /** UD: the peer's QP number. */
  readonly remoteQpn?: number;
  /** UD: the peer's Q_Key. */
  readonly remoteQkey?: number;
  /** XRC: the peer's SRQ number. */
  readonly remoteSrqn?: number;
}

const SEND_WR_KEYS = literalKeys<SendWrInit>({
  wrId: true,
  next: true,
  sgList: true,
  inlineData: true,
  opcode: true,
  sendFlags: true,
  immData: true,
  invalidateRkey: true,
  rkey: true,
  remoteAddr: true,
  compareAdd: true,
  swap: true,
  flushLength: true,
  flushType: true,
  flushLevel: true,
  bindMw: true,
  ah: true,
  remoteQpn: true,
  remoteQkey: true,
  remoteSrqn: true,
});

/**
 * A send work request (`struct ibv_send_wr`). Make it once, set fields between posts, post it again and again: nothing keeps a
 * reference to it after the post. Fields that are set directly are not checked until the post.
 *
 * An atomic operation works on 8 bytes in the order of the host, of the peer and of the result that arrives in the SGE alike: read it by
 * `new BigUint64Array(…)`, or by a `DataView` with `littleEndian` true on a machine of little endian. Source: `ibv_post_send`(3).
 *
 * @example
 * ```ts
 * import { SendFlags, SendWr, Sge, WrOpcode } from '@openverbs/verbs';
 *
 * const wr = new SendWr({ opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList: [new Sge(4096, 8, 0x1a07)] });
 * wr.wrId = 7;
 * wr.remoteAddr = 0x7f00_0000_1000;
 * wr.rkey = 0x2b03;
 * ```
 */
export class SendWr {
  /** Comes back in the completion; a safe integer. */
  wrId = DOUBLE;
  /** The next one of a chain, or null. */
  next: SendWr | null = null;
  /** Local memory. */
  sgList: Sge[] = [];
  /** With `SendFlags.INLINE`: the data itself, from any memory, instead of `sgList`; else null. Copied by the post. */
  inlineData: Uint8Array | null = null;
  /** One of `WrOpcode`. */
  opcode: number = WrOpcode.SEND;
  /** `SendFlags` bits. */
  sendFlags = 0;
  /** Immediate data, an unsigned 32-bit number in host order. */
  immData = DOUBLE;
  /** SEND_WITH_INV, LOCAL_INV: the key to invalidate. */
  invalidateRkey = DOUBLE;
  /** RDMA and atomics: the remote key. */
  rkey = DOUBLE;
  /** Low word of the remote address, signed. */
  remoteAddrLo = 0;
  /** High word of the remote address, signed. */
  remoteAddrHi = 0;
  /** Low word of `compareAdd`, signed. */
  compareAddLo = 0;
  /** High word of `compareAdd`, signed. */
  compareAddHi = 0;
  /** Low word of `swap`, signed. */
  swapLo = 0;
  /** High word of `swap`, signed. */
  swapHi = 0;
  /** FLUSH: bytes of the range, an unsigned 32-bit number. */
  flushLength = DOUBLE;
  /** FLUSH: `PlacementType` bits. */
  flushType = 0;
  /** FLUSH: one of `SelectivityLevel`. */
  flushLevel = 0;
  /** BIND_MW: the window of type 2, and what it is to show; else null. */
  bindMw: MwBind | null = null;
  /** UD: the way to the peer. */
  ah: AddressHandle | null = null;
  /** UD: the peer's QP number. */
  remoteQpn = 0;
  /** UD: the peer's Q_Key, an unsigned 32-bit number. */
  remoteQkey = DOUBLE;
  /** XRC: the peer's SRQ number. */
  remoteSrqn = 0;

  /** Throws EINVAL when a field of `init` is not what it has to be. */
  constructor(init: SendWrInit = {}) {
    if (!(init instanceof SendWr)) checkSendWrKeys('SendWr', init);
    assignSendWr('SendWr', this, init);
    const { next = null } = init;
    if (next !== null && isEndless(next)) throw invalid('SendWr', ...ENDLESS);
    this.next = next === null || next instanceof SendWr ? next : new SendWr(next);
  }

  /** RDMA and atomics: the remote address, 64 bits. Reads as a bigint above 2^53 - 1. */
  get remoteAddr(): number | bigint {
    const addr = wordsToNumber(this.remoteAddrLo, this.remoteAddrHi);
    return addr <= Number.MAX_SAFE_INTEGER ? addr : wordsToBigInt(this.remoteAddrLo, this.remoteAddrHi);
  }

  /** Takes a number up to 2^53 - 1 without making an object, or a bigint. */
  set remoteAddr(addr: number | bigint) {
    if (typeof addr === 'number') {
      this.remoteAddrLo = addr | 0;
      this.remoteAddrHi = highWord(addr);
    } else {
      this.remoteAddrLo = bigLow(addr);
      this.remoteAddrHi = bigHigh(addr);
    }
  }

  /** Atomics: what to compare with, or what to add; unsigned 64 bits. */
  get compareAdd(): bigint {
    return wordsToBigInt(this.compareAddLo, this.compareAddHi);
  }

  /** Sets both words. */
  set compareAdd(value: bigint) {
    this.compareAddLo = bigLow(value);
    this.compareAddHi = bigHigh(value);
  }

  /** Compare and swap: the new value; unsigned 64 bits. */
  get swap(): bigint {
    return wordsToBigInt(this.swapLo, this.swapHi);
  }

  /** Sets both words. */
  set swap(value: bigint) {
    this.swapLo = bigLow(value);
    this.swapHi = bigHigh(value);
  }
}

/**
 * Refuses a literal with keys that a send work request does not have; they would just be left out.
 *
 * @internal
 */
export function checkSendWrKeys(verb: string, init: SendWrInit): void {
  checkLiteral(verb, 'the work request', init, SEND_WR_KEYS);
}

/**
 * Refuses what is no opcode: a name by the names that there are, a number by its size. Whether the device has it is for the device.
 *
 * @internal
 */
export function checkOpcode(verb: string, opcode: number): void {
  if (typeof opcode !== 'number') checkOneOf(verb, 'opcode', opcode, WrOpcode);
  checkU32(verb, 'opcode', opcode);
}

/**
 * Sets every field but `next` from a literal, checked. `wr` is reused, its SGEs too.
 *
 * @internal
 */
export function assignSendWr(verb: string, wr: SendWr, init: SendWrInit): void {
  const { wrId = 0, opcode = WrOpcode.SEND, sendFlags = 0, immData = 0, invalidateRkey = 0, rkey = 0 } = init;
  const { remoteAddr = 0, remoteQpn = 0, remoteQkey = 0, remoteSrqn = 0, ah = null, inlineData = null } = init;
  const { bindMw = null, flushLength = 0, flushType = 0, flushLevel = 0 } = init;
  checkU53(verb, 'wrId', wrId);
  checkOpcode(verb, opcode);
  if (typeof sendFlags !== 'number' || (sendFlags & SEND_FLAGS_KNOWN) !== sendFlags)
    checkFlags(verb, 'sendFlags', sendFlags, SendFlags, SEND_FLAGS_KNOWN);
  checkU32(verb, 'immData', immData);
  checkU32(verb, 'invalidateRkey', invalidateRkey);
  checkU32(verb, 'rkey', rkey);
  checkU32(verb, 'flushLength', flushLength);
  checkU32(verb, 'flushType', flushType);
  checkU32(verb, 'flushLevel', flushLevel);
  checkU32(verb, 'remoteQpn', remoteQpn);
  checkU32(verb, 'remoteQkey', remoteQkey);
  checkU32(verb, 'remoteSrqn', remoteSrqn);
  if (typeof remoteAddr === 'number') checkU53(verb, 'remoteAddr', remoteAddr);
  else checkU64(verb, 'remoteAddr', remoteAddr);
  if (inlineData !== null) checkInlineData(verb, inlineData);
  if (ah !== null) checkInstance(verb, 'ah', ah, AddressHandle);
  wr.wrId = wrId;
  wr.opcode = opcode;
  wr.sendFlags = inlineData === null ? sendFlags : sendFlags | SendFlags.INLINE;
  wr.immData = immData;
  wr.invalidateRkey = invalidateRkey;
  wr.rkey = rkey;
  wr.remoteAddr = remoteAddr;
  wr.flushLength = flushLength;
  wr.flushType = flushType;
  wr.flushLevel = flushLevel;
  wr.ah = ah;
  wr.bindMw = bindMw === null ? null : checkBind(verb, bindMw.mw, bindMw.rkey, bindMw);
  wr.inlineData = inlineData;
  wr.remoteQpn = remoteQpn;
  wr.remoteQkey = remoteQkey;
  wr.remoteSrqn = remoteSrqn;
  assignOperands(verb, wr, init);
  assignSgList(verb, wr.sgList, init.sgList ?? []);
}

/** The operands of atomics. Apart, so that a literal without them makes no bigint. */
function assignOperands(verb: string, wr: SendWr, init: SendWrInit): void {
  wr.compareAddLo = wr.compareAddHi = wr.swapLo = wr.swapHi = 0;
  if (init.compareAdd !== undefined) {
    checkU64(verb, 'compareAdd', init.compareAdd);
    wr.compareAdd = init.compareAdd;
  }
  if (init.swap !== undefined) {
    checkU64(verb, 'swap', init.swap);
    wr.swap = init.swap;
  }
}

/**
 * Refuses inline data that is no bytes.
 *
 * @internal
 */
export function checkInlineData(verb: string, value: unknown): void {
  if (value instanceof Uint8Array) return;
  throw invalid(verb, `inlineData is ${show(value)}, not a Uint8Array`, 'give a Uint8Array');
}

/**
 * Refuses what is not a bigint of 64 bits.
 *
 * @internal
 */
export function checkU64(verb: string, what: string, value: unknown): void {
  if (typeof value === 'bigint' && BigInt.asUintN(64, value) === value) return;
  throw invalid(verb, `${what} is ${show(value)}; it has to be a bigint of 0 to 2^64 - 1`, '', { what, value });
}
