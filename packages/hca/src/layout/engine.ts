/** The engine and what every HCA of a machine shares: doorbell pages and event queues. The introduction is in `../layout.ts`. */

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
