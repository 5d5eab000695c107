/** Why a frame was not decoded. */

/** What decoding answers when it fails: numbers below 0, so that one can stand where an offset is expected. */
export const DecodeError = {
  /** The bytes end before the headers do, or before the length that the headers give. */
  TRUNCATED: -1,
  /** BTH: no such opcode. */
  BAD_OPCODE: -2,
  /** BTH: the transport header version is not 0; or the IP version is neither 4 nor 6. */
  BAD_VERSION: -3,
  /** BTH: more pad than bytes, or payload and pad are no multiple of 4. */
  BAD_PAD: -4,
  /** A payload where the opcode has none. */
  UNEXPECTED_PAYLOAD: -5,
} as const;
/** One of {@link DecodeError}. */
export type DecodeError = (typeof DecodeError)[keyof typeof DecodeError];
