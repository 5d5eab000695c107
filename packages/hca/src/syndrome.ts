/** What a responder answers: the AETH syndrome (source: Linux rxe_hdr.h; IBTA 9.7.5.1.2), and silence. */
export const Aeth = {
  ACK: 0x00,
  RNR_NAK: 0x20,
  NAK_PSN_SEQUENCE: 0x60,
  NAK_INVALID_REQUEST: 0x61,
  NAK_REMOTE_ACCESS: 0x62,
  NAK_REMOTE_OPERATIONAL: 0x63,
  /** No answer came: not of the wire. */
  NONE: 0x100,
  /** The message was executed before; it is acknowledged again and nothing happens. Not of the wire. */
  DUPLICATE: 0x101,
} as const;
