/** Queue pairs. The introduction is in `../layout.ts`. */

/** QP context. Four cache lines by who touches them: a line that two cores write costs each message 50 ns. */
export const Qpc = {
  // What both sides of a message read.
  /** Full number with generation; 0 when the entry is free. Stored last at create. */
  QPN: 0,
  STATE: 1,
  /** `ibv_qp_type`. */
  TYPE: 2,
  PD: 3,
  UAR: 4,
  /** Word index of the doorbell record. */
  RECORD: 5,
  /** Word index of the peer's QP context as the address vector resolves it; 0 when it leads nowhere. */
  PEER: 6,
  DEST_QPN: 7,
  /** The two ends of the path in one word, see `route` in `resolve-peer.ts`: as messages go out, and as they come in. */
  ROUTE_OUT: 8,
  ROUTE_IN: 9,
  PATH_MTU: 10,
  /** Word index of the MPT table, so that a key check needs no object. */
  MPT_TABLE: 11,
  /** Word index of the HCA's header. */
  HCA: 12,
  /** Word index of the event queue. */
  EQ: 13,
  /** P_Key and transport service, see `pkey.ts`. */
  SERVICE_PKEY: 14,
  PORT: 15,
  // What only this QP's own requests touch: a cache line that stays with the core which posts.
  /** Word index of the send ring. */
  SQ_BASE: 16,
  SQ_LOG2_COUNT: 17,
  SQ_LOG2_WORDS: 18,
  /** Word index of the CQ context. */
  SEND_CQ: 19,
  SQ_CONSUMER: 20,
  /** The next PSN to send. */
  SQ_PSN: 21,
  /** Why the WQE at the head of the send queue waits: one of {@link Waiting}. */
  WAITING: 22,
  RETRIES_LEFT: 23,
  /** When the timer runs out, a double in nanoseconds. */
  DEADLINE: 24,
  MAX_SEND_SGE: 26,
  /** Position in the timer queue plus one; 0 when no timer runs. */
  TIMER_SLOT: 27,
  /** Payload of the send queue's WQEs that were done, in bytes, since the QP was created or reset: a double, so that it does not wrap. */
  PAYLOAD_BYTES: 28,
  MAX_INLINE: 30,
  MAX_RD_ATOMIC: 31,
  // What only messages to this QP touch: a cache line that stays with the core of the peer.
  RQ_BASE: 32,
  RQ_LOG2_COUNT: 33,
  RQ_LOG2_WORDS: 34,
  RECV_CQ: 35,
  RQ_CONSUMER: 36,
  /** The next PSN expected. */
  RQ_PSN: 37,
  MSN: 38,
  /** 1 once the first message has arrived. */
  COMM_ESTABLISHED: 39,
  ACCESS_FLAGS: 40,
  MAX_RECV_SGE: 41,
  MAX_DEST_RD_ATOMIC: 42,
  MIN_RNR_TIMER: 43,
  /**
   * Word index of the SRQ context that receives come from, or 0 for the QP's own queue. Of an XRC_RECV QP: of the SRQ that the
   * last message named.
   */
  SRQ: 44,
  RETRY_CNT: 45,
  RNR_RETRY: 46,
  TIMEOUT: 47,
  // What is read at state changes only.
  QKEY: 48,
  EN_SQD_ASYNC_NOTIFY: 49,
  SQ_DRAINING: 50,
  PATH_MIG_STATE: 51,
  MAX_SEND_WR: 53,
  MAX_RECV_WR: 54,
  /** Address vector, as it was given: DGID, and packed attributes. */
  AV_DGID: 55,
  AV_FLOW_LABEL: 59,
  /** sgid index | hop limit << 8 | traffic class << 16 | is_global << 24. */
  AV_GRH: 60,
  /** dlid | sl << 16 | src path bits << 24. */
  AV_LID: 61,
  /** static rate | port << 8. */
  AV_PORT: 62,
  PKEY_INDEX: 63,
  /** One more than the slot of the SRQ's WQE that a message in progress has taken; 0 for none. */
  SRQ_WQE: 64,
  /** 1 once the event LAST_WQE_REACHED was raised. */
  LAST_WQE_REACHED: 65,
  /** Word index of the transport context (`Qpt`) where messages travel as packets, else 0. */
  TRANSPORT: 66,
  /** MPT entry of the ring buffer, pinned while the QP lives. */
  BUFFER_MPT: 67,
  /** Of a send to a multicast group: index of the WQE, and how far in the tables its copies have got. */
  MCAST_WQE: 68,
  MCAST_NEXT: 69,
  /** Number of the XRC domain of an XRC_RECV QP; 0 of all others. */
  XRCD: 70,
  /** Of another opening of a QP: word index of that QP; 0 of a QP itself. See `qp-openings.ts`. */
  OPENED: 71,
  /** The next opening of the same QP, or the first one; 0 for none. */
  NEXT_OPENING: 72,
  /** Word index of the doorbell record that is the device's own, for when the creator has left; 0 until the QP is opened. */
  OWN_RECORD: 73,
  /** Port identities (HCA index << 8 | port, with a GID's index above) of this side and of the other. */
  LOCAL_PORT_ID: 74,
  REMOTE_PORT_ID: 75,
  RNR_RETRIES_LEFT: 76,
  /** Vendor error that a queue which waits for a response fails with in the end. */
  WAIT_REASON: 77,
  /** Alternate path: its address vector, eight words as from AV_DGID on, and what else belongs to a path. */
  ALT_AV: 80,
  ALT_PKEY_INDEX: 88,
  ALT_PORT: 89,
  ALT_TIMEOUT: 90,
  /** One of {@link AltPath}. */
  ALT_STATE: 91,
  /** 1 once the event PATH_MIG_ERR was raised; 0 again with the next path that is loaded or armed. */
  MIG_REFUSED: 92,
  /** Counts the QPs that had this entry; outlives them. */
  GENERATION: 95,
  WORDS: 96,
} as const;

/** Migration states of a path, the values of `ibv_mig_state`. */
export const MigState = { MIGRATED: 0, REARM: 1, ARMED: 2 } as const;

/** What the alternate path of a QP is at. */
export const AltPath = {
  /** There is none. */
  NONE: 0,
  LOADED: 1,
  /** It is becoming the primary path. */
  MIGRATING: 2,
} as const;

/** Why a send queue waits. */
export const Waiting = { NOT: 0, RNR: 1, RESPONSE: 2 } as const;

/** Types of a QP, the values of `ibv_qp_type`. */
export const QpcType = { RC: 2, UC: 3, UD: 4, XRC_SEND: 9, XRC_RECV: 10 } as const;

/** States of a QP, the values of `ibv_qp_state`. */
export const QpcState = { RESET: 0, INIT: 1, RTR: 2, RTS: 3, SQD: 4, SQE: 5, ERR: 6 } as const;
