/** The extended form's work request in the making. */
import type { AddressHandle } from './address-handle.ts';
import { SendFlags } from './enums/wr.ts';
import { SendWr } from './send-wr.ts';
import { Sge } from './sge.ts';
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
 * One work request of the extended form, as its operation and its setters note it, until the next operation or `wrComplete` hands
 * it to the send path.
 *
 * Of one class whatever the provider, so that V8 inlines the setters into the program: addresses stay doubles in registers, and
 * only one call goes to a path, of which a program may have several.
 */
export class StagedSend {
  /** Place in the list, from 0; how many work requests come before it. */
  index = 0;
  /** `WrOpcode`; -1 while there is no operation. */
  opcode = -1;
  /** `SendFlags` bits, as the application gave them. */
  flags = 0;
  /** Comes back in the completion. */
  wrId = DOUBLE;
  /** Immediate data, or the key to invalidate. */
  imm = DOUBLE;
  /** The remote key. */
  rkey = DOUBLE;
  /** Low word of the remote address, signed. */
  remoteAddrLo = 0;
  /** High word of the remote address, signed. */
  remoteAddrHi = 0;
  /** Atomics: low word of what to compare with or to add, signed. */
  compareAddLo = 0;
  /** Atomics: high word of it, signed. */
  compareAddHi = 0;
  /** Atomics: low word of the new value, signed. */
  swapLo = 0;
  /** Atomics: high word of the new value, signed. */
  swapHi = 0;
  /** UD: the way to the peer. */
  ah: AddressHandle | null = null;
  /** UD: the peer's QP number. */
  remoteQpn = 0;
  /** UD: the peer's Q_Key. */
  remoteQkey = DOUBLE;
  /** XRC: the SRQ of the peer. */
  remoteSrqn = 0;
  /** One of {@link StagedData}. */
  data: number = StagedData.NONE;
  /** The one SGE: its local key. */
  lkey = DOUBLE;
  /** The one SGE: verbs address of its first byte. */
  addr = DOUBLE;
  /** The one SGE: its bytes. */
  length = DOUBLE;
  /** How many SGEs the list has, or how many bytes the inline data. */
  count = 0;
}

/** The same as a work request, for the explanation of a mistake. Its data has the right size, and nothing more. */
export function stagedSendWr({ opcode, flags, ah, data, count, wrId }: StagedSend): SendWr {
  const sges = data === StagedData.SGE ? 1 : data === StagedData.SGE_LIST ? count : 0;
  const wr = new SendWr({ ah, sgList: Array.from({ length: sges }, () => new Sge()) });
  wr.wrId = wrId;
  wr.opcode = opcode;
  wr.sendFlags = flags & ~SendFlags.INLINE;
  if (data !== StagedData.INLINE) return wr;
  wr.sendFlags |= SendFlags.INLINE;
  wr.inlineData = new Uint8Array(count);
  return wr;
}
