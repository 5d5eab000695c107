/**
 * The device's tables in machine memory: mthca's ICM, as word offsets.
 *
 * All state of a device lives here and none in objects, so that every thread of the process sees the same device, and a thread
 * that dies takes nothing with it. Pointers are word indices into the machine's memory (`i32[pointer]`), sizes are in words.
 * Hot code destructures the tables into constants of its own module, because V8 folds those and not imported ones.
 */

/** The engine's own page: what all devices of a machine share. */
export const EngineHeader = {
  /** Number of HCAs that were made. */
  HCA_COUNT: 0,
  /** 1 when a worker thread executes the devices, else whoever rings the doorbell does. */
  PLACEMENT_THREAD: 1,
  /** Set when the engine thread must end. */
  STOP: 2,
  /** Set by the engine thread once it serves. */
  RUNNING: 3,
  /** Doorbells that named an object of another UAR. */
  DOORBELLS_DROPPED: 4,
  /** Times that the engine thread had to be woken. */
  DEVICE_WAKES: 5,
  /** Takeovers of the lock from a thread that had died. */
  RECOVERIES: 6,
  /** Threads whose objects were reclaimed after they had died. */
  THREADS_REAPED: 7,
  /** Takeovers of the machine's lock that this engine has recovered from. */
  TAKEOVERS: 8,
  /** Thread that executes the devices in `thread` placement, or 0. */
  ENGINE_THREAD: 9,
  /** 1 when messages travel as packets. */
  PACKETS: 10,
  /** Bit n: word n of {@link EngineHeader.MARKS} has a bit set. */
  MARK_SUMMARY: 16,
  /** One of {@link EngineSleep}; set by the engine thread. */
  ASLEEP: 32,
  /** Raised by one to wake the engine thread. */
  WAKE: 33,
  /** Earliest deadline of all timers in nanoseconds, a double; Infinity for none. */
  DEADLINE: 48,
  /** Number of entries of the timer queue. */
  TIMER_COUNT: 50,
  /** Where the timer queue begins. */
  TIMER_QUEUE: 51,
  /** When the next frame arrives, nanoseconds, a double; Infinity for none. */
  LINK_DEADLINE: 52,
  /** Two words for the old value of an atomic operation. */
  ATOMIC_RESULT: 56,
  /** First and last QP of those that have packets to send, linked by `Qpt.QUEUE_NEXT`; 0 for none. */
  TRANSMIT_HEAD: 58,
  TRANSMIT_TAIL: 59,
  /** One word an HCA: where its header begins. */
  HCAS: 64,
  /** Bit n of word m: UAR 32 m + n has doorbells. */
  MARKS: 96,
  /** Where the control words of the UARs begin. */
  UAR_TABLE: 128,
  /** Ten words for the header in front of a datagram. */
  GRH: 136,
  WORDS: 1024,
} as const;

/** What the engine thread is at. Once it has ended, whoever rings a doorbell executes the devices. */
export const EngineSleep = { AWAKE: 0, ASLEEP: 1, ENDED: 2 } as const;

/** Device-private control words of a UAR. */
export const UarControl = {
  /** Word index of the UAR page; 0 when the UAR is free. */
  PAGE: 0,
  /** Thread that owns it. */
  THREAD: 1,
  /** HCA it belongs to. */
  HCA: 2,
  /** Word index of the event queue of its context. */
  EQ: 3,
  WORDS: 4,
} as const;

/** A UAR page, which the owner of the doorbells writes. */
export const UarPage = {
  /** Free-running count of doorbells written. */
  PRODUCER: 0,
  /** Free-running count of doorbells taken; written by the device. */
  CONSUMER: 16,
  /** The doorbells, `UAR_DOORBELLS` words. */
  DOORBELL: 512,
} as const;

/** What a doorbell is about, its two top bits; the rest is the number of the object. */
export const DoorbellKind = { SQ: 0, RQ: 1 } as const;

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

/** Whether an HCA works; once it does not, it never does again. */
export const HcaState = { UP: 0, FATAL: 1, REMOVED: 2 } as const;

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
  RNR_RETRIES_LEFT: 26,
  /** Position in the timer queue plus one; 0 when no timer runs. */
  TIMER_SLOT: 27,
  /** Vendor error that a queue which waits for a response fails with in the end. */
  WAIT_REASON: 28,
  MAX_SEND_SGE: 29,
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

/** CQ context. */
export const Cqc = {
  /** Full number with generation; 0 when the entry is free. Stored last at create. */
  CQN: 0,
  /** One of {@link CqcState}. */
  STATE: 1,
  /** Word index of the ring. */
  BASE: 2,
  LOG2_COUNT: 3,
  PRODUCER: 4,
  /** Word index of the doorbell record. */
  RECORD: 5,
  UAR: 6,
  EQ: 7,
  /** 1 while a completion event lies in the event queue. */
  EVENT_QUEUED: 8,
  /** Queues that complete here. */
  REFERENCES: 9,
  BUFFER_MPT: 10,
  HCA: 11,
  /** Counts the CQs that had this entry; outlives them. */
  GENERATION: 12,
  // Moderation, in the second cache line.
  /** Completions that an event waits for; 0 when each of them makes one. */
  MODERATION_COUNT: 16,
  /** How long after the first of them the event comes anyway, unsigned. */
  MODERATION_PERIOD_US: 17,
  /** Completions that wait for their event; while there are any, the timer runs. */
  MODERATION_PENDING: 18,
  /** As in {@link Timed}. */
  DEADLINE: 24,
  TIMER_SLOT: 27,
  WORDS: 32,
} as const;

/** What has a timer, a QP or a CQ, has these words in the same place of its context. */
export const Timed = {
  /** When the timer runs out, a double in nanoseconds. */
  DEADLINE: 24,
  /** Position in the timer queue plus one; 0 when no timer runs. */
  TIMER_SLOT: 27,
} as const satisfies Pick<typeof Qpc, 'DEADLINE' | 'TIMER_SLOT'> & Pick<typeof Cqc, 'DEADLINE' | 'TIMER_SLOT'>;

/** States of a CQ. What was asked for at create is added to VALID as {@link CqcFlag} bits. */
export const CqcState = { FREE: 0, VALID: 1, ERR: 2 } as const;

/** What a CQ was made for; beside VALID in its state, so that a CQ without any costs no more than one look at the state. */
export const CqcFlag = {
  /** CQEs hold the time. */
  TIMESTAMP: 4,
  /** A full ring is no error: the next CQE takes the place of the oldest. */
  IGNORE_OVERRUN: 8,
} as const;

/** SRQ context. */
export const Srqc = {
  /** Full number with generation; 0 when the entry is free. Stored last at create. */
  SRQN: 0,
  /** One of {@link SrqcState}. */
  STATE: 1,
  /** Word index of the doorbell record. */
  RECORD: 2,
  /** Word index of the ring, each word of which names a WQE by its slot. */
  RING: 3,
  /** Entries of the ring, and WQEs. */
  LOG2_COUNT: 4,
  /** Word index of the WQEs. */
  WQES: 5,
  WQE_LOG2_WORDS: 6,
  /** Free-running count of WQEs taken. */
  CONSUMER: 7,
  PD: 8,
  MAX_SGE: 9,
  /** The event is raised when fewer WQEs than this are left; 0 when it is not armed. */
  LIMIT: 10,
  MAX_WR: 11,
  UAR: 12,
  EQ: 13,
  HCA: 14,
  /** MPT entry of the buffer, pinned while the SRQ lives. */
  BUFFER_MPT: 15,
  /** QPs that receive from it. */
  REFERENCES: 16,
  /** Counts the SRQs that had this entry; outlives them. */
  GENERATION: 17,
  /** XRC: word index of the context of the CQ that receives complete to; 0 of a basic SRQ. */
  CQ: 18,
  /** XRC: number of the domain. */
  XRCD: 19,
  WORDS: 32,
} as const;

/** States of an SRQ. */
export const SrqcState = { FREE: 0, VALID: 1, ERR: 2 } as const;

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

/** Entry of the memory protection table (TPT). */
export const Mpt = {
  /** The whole key; 0 when the entry is free. Stored last at create. */
  KEY: 0,
  /** Of anything but {@link MptKind.REGION}: with {@link MPT_PD_SPECIAL}, so that it is the PD of no QP. */
  PD: 1,
  /** `ibv_access_flags`. */
  ACCESS: 2,
  /** Verbs address of the first byte. */
  START_LO: 3,
  START_HI: 4,
  /** Bytes, unsigned. */
  LENGTH: 5,
  /** Machine address of the first byte when the pages are one run, else 0 and the page list counts. */
  BASE: 6,
  /** Word index of the page list: the machine address of each page. */
  MTT: 7,
  /** Of {@link MptKind.OWNED}: who owns, in the page allocator, the pages that its keys reach. */
  OWNER: 8,
  /** Offset of the first byte in its page. */
  FIRST_OFFSET: 9,
  /** Rings that live in this region, or memory windows that are bound to it; it can't be deregistered before they are gone. */
  PINS: 10,
  UAR: 11,
  /** Low 8 bits of the next key of this entry, so that a stale key fails. */
  VARIANT: 12,
  /** One of {@link MptKind}. */
  KIND: 13,
  /** Of a memory window: word index of the entry of the region that it is bound to, and whose pages it borrows; 0 for none. */
  REGION: 14,
  /** Of a memory window of type 2 that is bound: the QP that did it, the only one that it works on. */
  QPN: 15,
  WORDS: 16,
} as const;

/**
 * What an entry of the TPT is. Windows last. OWNED is all memory by machine addresses, of which its keys reach what belongs to one owner at
 * the time of the access.
 */
export const MptKind = { REGION: 0, NULL: 1, OWNED: 2, WINDOW_TYPE_1: 3, WINDOW_TYPE_2: 4 } as const;

/**
 * Set in the PD of entries that are no regions of chosen pages. Then the comparison of PDs, which every access makes, tells them apart,
 * and a region pays nothing for what else a key may be.
 */
export const MPT_PD_SPECIAL = 0x40000000;

/** Event queue of one context. */
export const Eqc = {
  /** Free-running counts; the producer is the device. */
  PRODUCER: 0,
  CONSUMER: 16,
  /** Thread that reads it. */
  THREAD: 32,
  /** 1 when an event was lost because the queue was full. */
  OVERRUN: 33,
  ENTRIES: 64,
  ENTRY_WORDS: 2,
} as const;
