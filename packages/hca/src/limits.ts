/** Every limit of the device, by name. Table sizes are powers of two. */
import { HcaHeader } from './layout.ts';

/** HCAs of one machine. */
export const HCAS_MAX = 16;
/** Bytes of an HCA's name; a 0 follows. */
export const HCA_NAME_BYTES_MAX = HcaHeader.NAME_BYTES - 1;
/** UARs of one machine; number 0 is never given out. */
export const UARS_MAX = 1024;
/** Doorbells that a UAR page holds. */
export const UAR_DOORBELLS = 512;
/** Ports of an HCA. */
export const PORTS_MAX = 16;
/** GIDs of a port. */
export const PORT_GIDS_MAX = 16;

/** QPs of an HCA; numbers 0 and 1 belong to the management QPs. */
export const QPS_LOG2 = 16;
export const QPS_MAX = 1 << QPS_LOG2;
export const CQS_LOG2 = 16;
export const CQS_MAX = 1 << CQS_LOG2;
export const SRQS_LOG2 = 16;
export const SRQS_MAX = 1 << SRQS_LOG2;
/** XRC domains, counted as often as they are open. */
export const XRCDS_LOG2 = 12;
export const XRCDS_MAX = 1 << XRCDS_LOG2;
export const MPTS_LOG2 = 18;
export const MPTS_MAX = 1 << MPTS_LOG2;
export const PDS_MAX = 65536;
/** Entries of the P_Key table of a port. */
export const PKEYS_MAX = 128;
/** QPs of an HCA in multicast groups: each in a group of its own, or all in one. */
export const MCAST_ATTACHMENTS_MAX = 1024;
/** Address handles of an HCA. */
export const AHS_MAX = 1 << 15;
/** Entries of an event queue. */
export const EQ_ENTRIES_LOG2 = 13;

/** WRs of a send or a receive queue. */
export const QP_WR_MAX = 16384;
/** WRs of a shared receive queue. */
export const SRQ_WR_MAX = 16384;
/** SGEs of a WR. */
export const SGES_MAX = 32;
/** Bytes of inline data. */
export const INLINE_BYTES_MAX = 512;
/** Entries of a CQ. */
export const CQE_MAX = 1 << 20;
/** Outstanding RDMA READs and atomics of a QP, as requester and as responder. */
export const RD_ATOMIC_MAX = 128;
/** Bytes of a message (IBTA volume 1, 9.7.7: 2^31). */
export const MESSAGE_BYTES_MAX = 0x80000000;
/** Bytes of a packet's payload that a port takes, and so of a datagram. */
export const PORT_MTU_BYTES = 4096;
/** Bytes of a buffer, and so of a memory region: the longest run that machine memory hands out. */
export const MR_BYTES_MAX = 0x80000000;
/** Pages of a list that a region is registered by. */
export const MR_PAGES_MAX = MR_BYTES_MAX / 4096;

/** WQEs that one visit to a send queue executes before others get their turn. */
export const WQE_BUDGET = 64;
/** Turns that the engine thread looks for work before it sleeps. */
export const ENGINE_SPINS_MAX = 20000;
/** Longest sleep of the engine thread. */
export const ENGINE_SLEEP_MS_MAX = 100;
/** Completions, and time, that one event of a CQ waits for: 16 bits each, as in `ibv_moderate_cq`. */
export const CQ_MODERATION_COUNT_MAX = 0xffff;
export const CQ_MODERATION_PERIOD_US_MAX = 0xffff;
/** Timers of one machine: one a QP and one a CQ of each HCA. Pages of the queue that nobody touches cost nothing. */
export const TIMERS_MAX = HCAS_MAX * (QPS_MAX + CQS_MAX);
/** Records of a tracer that wait until the lock is released. */
export const TAP_RECORDS_MAX = 16384;
