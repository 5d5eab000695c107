/** The extended form's work request in the making. */
import type { AddressHandle } from './address-handle.ts';
import type { MwBind } from './memory-window.ts';
import { DOUBLE } from './words.ts';

/** What {@link StagedSend.data} says of the local memory. */
export const StagedData = {
  /** None was set. */
  NONE: 0,
  /** One SGE, in the fields of the object. */
  SGE: 1,
  /** A list, which the send path holds already. */
  SGE_LIST: 2,
  /** Inline data, which the send path holds already. */
  INLINE: 3,
} as const;

/**
 * What {@link StagedSend.opcode} is while there is no operation. All are negative; those above IDLE belong to a list that is being
 * built.
 */
export const NoOperation = {
  /** `wrStart` was called, and no operation yet. */
  STARTED: -1,
  /** A mistake was made; nothing counts until `wrComplete` has told it. */
  MISTAKEN: -2,
  /** No list was begun. */
  IDLE: -3,
  /** A modify gave up the list. */
  GIVEN_UP: -4,
} as const;

/** Bits of {@link StagedSend.addressed}. */
export const StagedAddress = {
  /** `wrSetUdAddr` was called. */
  UD: 1,
  /** `wrSetXrcSrqn` was called. */
  XRC: 2,
} as const;

/**
 * One work request of the extended form, as its operation and its setters note it, until the next operation or `wrComplete` hands
 * it to the send path.
 *
 * Of one class whatever the provider, so that V8 inlines the setters into the program, and only one call goes to a path, of which a
 * program may have several. All but the `wrId` are words, as the WQE has them: V8 keeps those without a box.
 */
export class StagedSend {
  /** Place in the list, from 0; how many work requests come before it. */
  index = 0;
  /** `WrOpcode`, or one of {@link NoOperation}. */
  opcode: number = NoOperation.IDLE;
  /** `SendFlags` bits, without INLINE: `data` says it. */
  flags = 0;
  /** Comes back in the completion. */
  wrId = DOUBLE;
  /** Immediate data, or the key to invalidate, signed. FLUSH: placement types and selectivity level, as in the WQE. */
  imm = 0;
  /** The remote key, signed. */
  rkey = 0;
  /** Low word of the remote address, signed. */
  remoteAddrLo = 0;
  /** High word of the remote address, signed. */
  remoteAddrHi = 0;
  /** Atomics: low word of what to compare with or to add, signed. ATOMIC_WRITE: the first 4 bytes. */
  compareAddLo = 0;
  /** Atomics: high word of it, signed. ATOMIC_WRITE: the last 4 bytes. */
  compareAddHi = 0;
  /** Atomics: low word of the new value, signed. */
  swapLo = 0;
  /** Atomics: high word of the new value, signed. */
  swapHi = 0;
  /** BIND_MW: the window, and what it is to show. */
  bind: MwBind | null = null;
  /** {@link StagedAddress} bits: which of the fields from here to `remoteSrqn` are this operation's. */
  addressed = 0;
  /** UD: the way to the peer. */
  ah: AddressHandle | null = null;
  /** UD: the peer's QP number. */
  remoteQpn = 0;
  /** UD: the peer's Q_Key, signed. */
  remoteQkey = 0;
  /** XRC: the peer's SRQ number. */
  remoteSrqn = 0;
  /** One of {@link StagedData}. */
  data: number = StagedData.NONE;
  /** The one SGE: its local key, signed. */
  lkey = 0;
  /** The one SGE: low word of its verbs address, signed. */
  addrLo = 0;
  /** The one SGE: high word of its verbs address, signed. */
  addrHi = 0;
  /** The one SGE: its bytes, as a signed word. FLUSH: those of the range. */
  length = 0;
  /** How many SGEs the list has, or how many bytes the inline data. */
  count = 0;
}
