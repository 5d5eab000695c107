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
  /** IPv4: options, or a header length below 20 bytes. */
  BAD_HEADER_LENGTH: -6,
  /** IPv4: the checksum of the header is wrong. */
  BAD_CHECKSUM: -7,
  /** IPv4: the frame is a fragment. */
  FRAGMENT: -8,
  /** What follows the IP header is no UDP; an IPv6 extension header is none. */
  NOT_UDP: -9,
  /** UDP: the destination port is not that of RoCEv2. */
  BAD_PORT: -10,
  /** The lengths of IP and UDP disagree, or are too small for a packet. */
  BAD_LENGTH: -11,
} as const;
/** One of {@link DecodeError}. */
export type DecodeError = (typeof DecodeError)[keyof typeof DecodeError];

const WORDS: Readonly<Record<number, string>> = {
  [DecodeError.TRUNCATED]: 'truncated',
  [DecodeError.BAD_OPCODE]: 'unknown opcode',
  [DecodeError.BAD_VERSION]: 'unknown version',
  [DecodeError.BAD_PAD]: 'bad pad',
  [DecodeError.UNEXPECTED_PAYLOAD]: 'payload where there is none',
  [DecodeError.BAD_HEADER_LENGTH]: 'IPv4 options',
  [DecodeError.BAD_CHECKSUM]: 'bad IPv4 checksum',
  [DecodeError.FRAGMENT]: 'IPv4 fragment',
  [DecodeError.NOT_UDP]: 'not UDP',
  [DecodeError.BAD_PORT]: 'not the UDP port of RoCEv2',
  [DecodeError.BAD_LENGTH]: 'lengths of IP and UDP disagree',
};

/** An error of decoding in words. */
export function formatDecodeError(error: number): string {
  return WORDS[error] ?? `error ${error}`;
}
