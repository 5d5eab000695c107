/**
 * Makes the device whole after the lock's holder died in the middle of something.
 *
 * Queues and CQs are always at a step boundary (see `completer.ts`). What may be torn is derived data, which is made anew from the
 * tables: allocators, the timer queue; and what may be lost is a doorbell or an event, so every queue is looked at and every
 * armed CQ that holds something gets its event. Both may happen once too often, which verbs allow.
 */
import { CqDoorbellRecord } from '@openverbs/verbs/rings';
import type { Engine } from './engine.ts';
import { RESERVED_PDS, RESERVED_QPS } from './hca.ts';
import type { Hca } from './hca.ts';
import { Cqc, EngineHeader, HcaHeader, Mpt, Qpc, QpcState, Waiting } from './layout.ts';
import { CQS_MAX, MPTS_MAX, QPS_MAX } from './limits.ts';

/** Called with the lock held, by the thread that took it over. */
export function recover(engine: Engine): void {
  const { i32 } = engine.machine;
  i32[engine.header + EngineHeader.RECOVERIES] = (i32[engine.header + EngineHeader.RECOVERIES] + 1) | 0;
  engine.completer.discard();
  for (const hca of engine.hcas) rebuildAllocators(i32, hca);
  engine.timers.rebuild(engine.hcas.flatMap((hca) => qps(i32, hca).filter((q) => hasTimer(i32, q))));
  for (const hca of engine.hcas) {
    for (const c of cqs(i32, hca)) completeArmed(engine, c);
    for (const q of qps(i32, hca)) {
      if (i32[q + Qpc.STATE] === QpcState.ERR) engine.states.flush(q);
      else if (i32[q + Qpc.STATE] === QpcState.RTS) engine.finishSq(q);
    }
  }
}

/** Contexts of the QPs that exist. */
export function qps(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.qpTable, Qpc.WORDS, QPS_MAX, hca.qps.highWater);
}

/** Contexts of the CQs that exist. */
export function cqs(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.cqTable, Cqc.WORDS, CQS_MAX, hca.cqs.highWater);
}

/** MPT entries that exist. */
export function mpts(i32: Int32Array, hca: Hca): number[] {
  return entries(i32, hca.mptTable, Mpt.WORDS, MPTS_MAX, hca.mpts.highWater);
}

/** In all three tables the first word is 0 in a free entry. */
function entries(i32: Int32Array, table: number, words: number, capacity: number, highWater: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < Math.min(capacity, highWater); index++) {
    if (i32[table + index * words] !== 0) found.push(table + index * words);
  }
  return found;
}

function rebuildAllocators(i32: Int32Array, hca: Hca): void {
  hca.qps.rebuild((index) => index < RESERVED_QPS || i32[hca.qpTable + index * Qpc.WORDS] !== 0);
  hca.cqs.rebuild((index) => i32[hca.cqTable + index * Cqc.WORDS] !== 0);
  hca.mpts.rebuild((index) => i32[hca.mptTable + index * Mpt.WORDS] !== 0);
  const pdTable = i32[hca.header + HcaHeader.PD_TABLE];
  hca.pds.rebuild((index) => index < RESERVED_PDS || i32[pdTable + index] !== 0);
}

/** A queue that waits has a timer, unless it waits for a response for ever. */
function hasTimer(i32: Int32Array, q: number): boolean {
  const waiting = i32[q + Qpc.WAITING];
  return waiting === Waiting.RNR || (waiting === Waiting.RESPONSE && i32[q + Qpc.TIMEOUT] !== 0);
}

/** Raises what an event queue had no room for: the events of armed CQs. The lock must be held. */
export function catchUp(engine: Engine, eq: number): void {
  const { i32 } = engine.machine;
  for (const hca of engine.hcas) {
    for (const c of cqs(i32, hca)) if (i32[c + Cqc.EQ] === eq) completeArmed(engine, c);
  }
}

function completeArmed(engine: Engine, c: number): void {
  const { i32 } = engine.machine;
  const consumer = Atomics.load(i32, i32[c + Cqc.RECORD] + CqDoorbellRecord.CONSUMER);
  if (i32[c + Cqc.PRODUCER] !== consumer) engine.completer.notify(c, true);
}
