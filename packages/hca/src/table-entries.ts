/** The entries of the device's tables that exist. */
import type { Hca } from './hca.ts';
import { Ah, Cqc, Mpt, Qpc, Srqc } from './layout.ts';
import { AHS_MAX, CQS_MAX, MPTS_MAX, QPS_MAX, SRQS_MAX } from './limits.ts';

/** Contexts of the QPs that exist. */
export function qps(i32: Int32Array, hca: Hca): number[] {
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
