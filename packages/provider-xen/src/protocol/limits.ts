/** The limits of the device channel and of what goes over it. */

import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';

/** Version of the protocol, in xenstore; front-end and back-end have to have the same. */
export const PROTOCOL_VERSION = 1;

/** Words of a ring entry of the device channel, 112 bytes as in blkif: a page holds 32 of them. */
export const ENTRY_WORDS = 28;
/** Of these: number, command or status, words of arguments, and where those are. */
export const ENTRY_HEADER_WORDS = 4;
/** Words of arguments that an entry has room for; more go through the bulk area. */
export const ENTRY_ARGUMENT_WORDS = ENTRY_WORDS - ENTRY_HEADER_WORDS;

/** Pages of the bulk area. */
export const BULK_PAGES = 16;
/** Words of the bulk area: the longest message. */
export const BULK_WORDS = (BULK_PAGES * XEN_PAGE_BYTES) / 4;

/** Page references in one command; longer lists come in chunks. */
export const PAGES_PER_COMMAND = 8192;
/** Pages of a memory region: 4 GiB. */
export const REGION_PAGES_MAX = 1 << 20;
/** Completions that one DRAIN_CQ fetches. */
export const COMPLETIONS_PER_DRAIN = 512;
/** Work requests in one command; longer chains come in several. */
export const WRS_PER_COMMAND = 128;
/** SGEs of a work request; the device's own limit may be lower. */
export const SGES_MAX = 256;
/** Bytes of inline data of a work request. */
export const INLINE_BYTES_MAX = 4096;
/** Bytes of a message or hint of an error. */
export const ERROR_TEXT_BYTES_MAX = 1024;
/** Bytes of a name: of a counter, of a driver, of the code of an error. */
export const NAME_BYTES_MAX = 64;
/** Counters of a port. */
export const COUNTERS_MAX = 256;
/** Pages of doorbells that a user half works on. */
export const USER_HALF_PAGES_MAX = 16;
/** Words that a user half is made of. */
export const USER_HALF_WORDS_MAX = 64;

/** Guests of a thread. */
export const GUESTS_MAX = 32;
/** Guests that may be at their default quotas at a time and leave the others theirs: what is one for all is shared out among so many. */
export const GUESTS_AT_QUOTA = 16;
/** Largest weight of a guest. */
export const WEIGHT_MAX = 65535;

/** How long a front-end waits for the answer to a command. */
export const COMMAND_TIMEOUT_NS = 10e9;
/** How long front-end and back-end wait for a step of the handshake. */
export const HANDSHAKE_TIMEOUT_NS = 10e9;

/** Entries of the event channel's page. */
export const EVENT_ENTRIES = 128;
/** Events that wait in the back-end for room in that page, and in a context of the front-end for the program. */
export const EVENTS_WAITING_MAX = 65536;
