/** An HCA: its header, its ports, and the tables of what has no queue. The introduction is in `../layout.ts`. */

/** Header of one HCA. */
export const HcaHeader = {
  GUID_LO: 0,
  GUID_HI: 1,
  PORTS: 2,
  /** Index of the HCA in its machine. */
  INDEX: 3,
  QP_TABLE: 4,
  QP_ALLOCATOR: 5,
  CQ_TABLE: 6,
  CQ_ALLOCATOR: 7,
  MPT_TABLE: 8,
  MPT_ALLOCATOR: 9,
  PD_ALLOCATOR: 12,
  PD_TABLE: 13,
  SRQ_TABLE: 14,
  SRQ_ALLOCATOR: 15,
  XRCD_TABLE: 30,
  XRCD_ALLOCATOR: 31,
  /** CQ overruns. */
  CQ_OVERRUNS: 17,
  /** Events that an event queue had no room for. */
  EQ_OVERRUNS: 18,
  AH_TABLE: 22,
  AH_ALLOCATOR: 23,
  PORT_TABLE: 24,
  /** One of {@link HcaState}. */
  STATE: 25,
  /** Bit n: port n + 1 is down. */
  PORTS_DOWN: 26,
  /** Four words a GID, `PORT_GIDS_MAX` GIDs a port; how many a port has is in GID_COUNTS, one word a port. */
  GID_TABLE: 27,
  GID_COUNTS: 48,
  MCAST_TABLE: 28,
  /** Entries of the multicast table from here on were never used. */
  MCAST_HIGH_WATER: 29,
  NAME: 32,
  NAME_BYTES: 64,
  /** Hardware counters, see `counters.ts`. */
  COUNTERS: 64,
  WORDS: 1024,
} as const;

/** Whether an HCA works; once it does not, it never does again. */
export const HcaState = { UP: 0, FATAL: 1, REMOVED: 2 } as const;

/** A port of an HCA. */
export const Port = {
  /** Datagrams whose Q_Key was not that of their QP, up to 65535. */
  QKEY_VIOL_CNTR: 0,
  /** Messages whose P_Key did not match that of their QP, up to 65535. */
  BAD_PKEY_CNTR: 1,
  /** Entries of the P_Key table. */
  PKEY_COUNT: 2,
  /** Messages that an unreliable QP dropped because it had no receive. */
  OUT_OF_BUFFER: 3,
  /** Messages that an unreliable QP dropped for another reason. */
  MESSAGES_DROPPED: 4,
  /** The P_Key table, `PKEYS_MAX` words. */
  PKEYS: 16,
  WORDS: 144,
} as const;

/** A QP that takes what is sent to a multicast group. */
export const Mcast = {
  /** Word index of the QP context; 0 when the entry is free. Stored last at attach. */
  QP: 0,
  QPN: 1,
  /** Four words. */
  GID: 4,
  WORDS: 8,
} as const;

/** Address handle. */
export const Ah = {
  /** What WQEs name, with a variant in its low 8 bits; 0 when the entry is free. Stored last at create. */
  HANDLE: 0,
  PD: 1,
  UAR: 2,
  /** The port that it goes out from. */
  PORT: 3,
  /** Port identity at the other end (HCA index << 8 | port), or one of the negative ones of `address-handles.ts`. */
  REMOTE_PORT_ID: 4,
  SL: 5,
  /** Low 8 bits of the last handle of this entry, so that a stale one fails. */
  VARIANT: 6,
  /** Four words. */
  DGID: 8,
  /** Ten words: template of the header that the receiver finds. */
  GRH: 16,
  WORDS: 32,
} as const;

/** Entry of the table of XRC domains: one for each time that a domain was opened. */
export const Xrcdc = {
  /** Number of this opening, with generation; 0 when the entry is free. Stored last. */
  NUMBER: 0,
  /** Number of the domain: that of its first opening. */
  DOMAIN: 1,
  UAR: 2,
  /** 1 when the inode counts: it is how others find the domain. */
  SHARED: 3,
  /** Device and number of the inode, 64 bits each. */
  INODE: 4,
  /** Counts the openings that had this entry; outlives them. */
  GENERATION: 8,
  WORDS: 16,
} as const;
