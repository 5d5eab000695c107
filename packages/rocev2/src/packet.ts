/** A packet's headers as numbers. One object serves for all packets: encoding reads it, decoding fills it, nothing is made. */

/**
 * The fields of a packet from the BTH on. A 64-bit field is two words, `Hi` and `Lo`; a word of 32 bits is signed, as `Int32Array`
 * has it (`>>> 0` makes it a number for people). Decoding sets the fields of the headers that the packet has and leaves the others.
 */
export class Packet {
  /** BTH: one of `Opcode`. */
  opcode = 0;
  /** BTH: 1 asks for a solicited event. */
  solicited = 0;
  /** BTH: 1 when the path migration state is migrated. */
  migReq = 0;
  /** BTH: 0 to 3 bytes after the payload. */
  padCount = 0;
  /** BTH: 16 bits. */
  pkey = 0;
  /** BTH: 1 when a switch on the way was congested. */
  fecn = 0;
  /** BTH: 1 tells the sender of congestion. */
  becn = 0;
  /** BTH: 24 bits. */
  destQpn = 0;
  /** BTH: 1 asks for an acknowledge. */
  ackReq = 0;
  /** BTH: 24 bits. */
  psn = 0;

  /** DETH. */
  qkey = 0;
  /** DETH: 24 bits. */
  srcQpn = 0;

  /** XRCETH: 24 bits. */
  xrcSrqn = 0;

  /** RETH and AtomicETH. */
  vaHi = 0;
  vaLo = 0;
  rkey = 0;
  /** RETH: bytes of the whole message, as an int32 word. */
  dmaLength = 0;

  /** AtomicETH: what is swapped in, or added. */
  swapHi = 0;
  swapLo = 0;
  /** AtomicETH: what is compared with. */
  compareHi = 0;
  compareLo = 0;

  /** AETH: 8 bits; see `AethSyndrome`. */
  syndrome = 0;
  /** AETH: 24 bits. */
  msn = 0;

  /** AtomicAckETH: what was there before. */
  originalHi = 0;
  originalLo = 0;

  /** ImmDt: as a number of the host; `ibv_send_wr.imm_data` has the same bytes in network order. */
  imm = 0;
  /** IETH. */
  invalidateRkey = 0;

  /** FETH: 0 for a range, 1 for the whole MR. */
  selectivity = 0;
  /** FETH: bit 0 global visibility, bit 1 persistence. */
  placement = 0;

  /** Where the payload is, or goes: bytes from the start of the memory. */
  payloadAt = 0;
  /** Bytes of payload, without pad. */
  payloadLength = 0;
}
