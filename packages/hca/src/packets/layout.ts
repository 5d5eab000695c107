/**
 * What a QP has beside its context when its messages travel as packets: words of machine memory, as `../layout.ts`.
 *
 * PSNs between which a requester is: UNACKED <= NEXT <= SQ_PSN of the QP context. WQEs: SQ_CONSUMER <= SEND_INDEX <= ASSIGNED <= the
 * producer. All in 24 bits, or free-running.
 */

/** Transport context of a QP. Its entry has the number of its QP's. */
export const Qpt = {
  /** 1 once the requester's words below are set, after the QP has come to RTS. */
  STARTED: 0,
  /** The oldest PSN that is not acknowledged; of a read, the next response. */
  UNACKED: 1,
  /** PSN of the next packet to send; behind SQ_PSN after a loss. */
  NEXT: 2,
  /** WQE that {@link Qpt.NEXT} is of. */
  SEND_INDEX: 3,
  /** WQE that gets PSNs next. */
  ASSIGNED: 4,
  /** Reads and atomics under way. */
  READS: 5,
  /** UNACKED at the last time that a loss was seen before the timer ran out, plus 1; 0 for none. */
  RESENT_AT: 6,
  /** 1 while the QP is in the transmit queue. */
  QUEUED: 7,
  /** PSN after the newest packet that was ever sent. */
  SENT: 8,
  /** The next QP of the transmit queue. */
  QUEUE_NEXT: 9,
  /** UC: bytes of the message that is being sent, an int32. */
  MESSAGE_LENGTH: 10,
  /** Messages that were begun (IBTA 9.7.7.2, SSN), and the last one that the peer's credits are for (LSN), 24 bits each; see `credits.ts`. */
  SSN: 11,
  LSN: 12,
  /** What the responder is in the middle of: one of {@link Inbound}. */
  INBOUND: 16,
  /** Bytes of it that have arrived. */
  INBOUND_BYTES: 17,
  /** Bytes that the RETH of an RDMA WRITE announces, its key and its address. */
  INBOUND_LENGTH: 18,
  INBOUND_RKEY: 19,
  INBOUND_VA_LO: 20,
  INBOUND_VA_HI: 21,
  /** 1 after a packet ahead of its turn was answered, until the right one comes. */
  NAK_SENT: 22,
  /** 1 when an acknowledge is due. */
  ACK_DUE: 23,
  /** Syndrome of a NAK that is due, or 0. */
  NAK_DUE: 24,
  /** Free-running count of reads and atomics that were taken. */
  RESOURCES: 25,
  /** How many of them have responses to send. */
  RESPONDING: 26,
  /** 1 after an acknowledge that told of no receive WQE, until one is posted. */
  STARVED: 27,
  /** GID of this side, as four words in memory order, and the UDP source port. */
  SOURCE_GID: 32,
  SOURCE_PORT: 36,
  /** Word index of the slots of the send queue, and of the responder's resources. */
  SLOTS: 37,
  RESOURCE_RING: 38,
  WORDS: 64,
} as const;

/** What a responder is in the middle of. */
export const Inbound = { NONE: 0, SEND: 1, WRITE: 2 } as const;

/** What the device keeps of a WQE whose packets are under way; one a slot of the send queue. */
export const Slot = {
  FIRST_PSN: 0,
  PACKETS: 1,
  /** Opcode, and the WQE's flags above it. */
  OPCODE: 2,
  LENGTH: 3,
  WORDS: 4,
} as const;

/** What a responder remembers of a request that has a response of its own. */
export const ResourceKind = {
  READ: 0,
  /** The result is in VA. */
  ATOMIC: 1,
  /** FLUSH and ATOMIC_WRITE: the response has no data. */
  EMPTY: 2,
} as const;

/** A read, an atomic, a flush that a responder has taken: it answers a duplicate from here (IBTA 9.4.4, 9.7.5.1.2). */
export const Resource = {
  FIRST_PSN: 0,
  /** PSN after its last response. */
  END_PSN: 1,
  /** The next response to send, and where it ends; equal when there is none. */
  SEND_PSN: 2,
  SEND_END: 3,
  /** One of {@link ResourceKind}. */
  KIND: 4,
  RKEY: 5,
  VA_LO: 6,
  VA_HI: 7,
  LENGTH: 8,
  /** First PSN of the read request that is answered, for FIRST and ONLY. */
  REQUEST_PSN: 9,
  /** Protection domain of its key: of XRC that of the SRQ that it named, and the next request may name another. */
  PD: 10,
  /** Whether what is answered was asked for again. */
  AGAIN: 11,
  WORDS: 16,
} as const;
