/** The entries of the device's tables that exist. */
import type { Hca } from './hca.ts';
import { Ah, Cqc, Mpt, Qpc, QpcType, Srqc, Xrcdc } from './layout.ts';
import { AHS_MAX, CQS_MAX, MPTS_MAX, QPS_MAX, SRQS_MAX, XRCDS_MAX } from './limits.ts';

/** Contexts of the QPs that exist. */
export function qps(i32: Int32Array, hca: Hca): number[] {
  return qpEntries(i32, hca).filter((q) => i32[q + Qpc.OPENED] === 0);
}

/** Further openings of QPs. */
export function openings(i32: Int32Array, hca: Hca): number[] {
  return qpEntries(i32, hca).filter((q) => i32[q + Qpc.OPENED] !== 0);
}

function qpEntries(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.qpTable, Qpc.WORDS, QPS_MAX, hca.qps.highWater);
}

/** Contexts of the CQs that exist. */
export function cqs(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.cqTable, Cqc.WORDS, CQS_MAX, hca.cqs.highWater);
}

/** Contexts of the SRQs that exist. */
export function srqs(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.srqTable, Srqc.WORDS, SRQS_MAX, hca.srqs.highWater);
}

/** Openings of XRC domains. */
export function xrcds(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.xrcdTable, Xrcdc.WORDS, XRCDS_MAX, hca.xrcds.highWater);
}

/** The CQs that a QP completes to, one for each of its queues: an XRC QP has one or none. */
export function cqsOf(i32: Int32Array, q: number): number[] {
  return [i32[q + Qpc.SEND_CQ], i32[q + Qpc.RECV_CQ]].filter((cq) => cq !== 0);
}

/** Whether a QP was made with an SRQ. That of an XRC_RECV QP is only the one that its last message named. */
export function hasSrq(i32: Int32Array, q: number): boolean {
  return i32[q + Qpc.SRQ] !== 0 && i32[q + Qpc.TYPE] !== QpcType.XRC_RECV;
}

/** MPT entries that exist. */
export function mpts(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.mptTable, Mpt.WORDS, MPTS_MAX, hca.mpts.highWater);
}

/** Address handles that exist. */
export function ahs(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.ahTable, Ah.WORDS, AHS_MAX, hca.ahs.highWater);
}

/** In all these tables the first word is 0 in a free entry. */
function entries(i32: Int32Array, table: number, words: number, capacity: number, highWater: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < Math.min(capacity, highWater); index++) {
    if (i32[table + index * words] !== 0) found.push(table + index * words);
  }
  return found;
}
