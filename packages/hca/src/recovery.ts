/**
 * Makes the device whole after the lock's holder died in the middle of something.
 *
 * Queues and CQs are always at a step boundary (see `completer.ts`). What may be torn is derived data, which is made anew from the
 * tables: allocators, counts of references, the timer queue; and what may be lost is a doorbell, an event or an interrupt, so
 * every queue is looked at, every armed CQ that holds something gets its event and every reader of events is told. All of these
 * may happen once too often, which verbs allow.
 */
import { CqArm, CqDoorbellRecord } from '@openverbs/verbs/rings';
import { settleFaults } from './device-faults.ts';
import type { Engine } from './engine.ts';
import { RESERVED_MPTS, RESERVED_PDS, RESERVED_QPS } from './hca.ts';
import type { Hca } from './hca.ts';
import { Ah, Cqc, EngineHeader, HcaHeader, Mpt, Qpc, QpcState, Srqc, UarControl, Waiting, Xrcdc } from './layout.ts';
import { UARS_MAX } from './limits.ts';
import { recoverOpenings } from './qp-openings.ts';
import { cqs, cqsOf, hasSrq, mpts, qps, srqs } from './table-entries.ts';
import { NoteKind } from './tap.ts';

/** Called with the lock held, by the thread that took it over. */
export function recover(engine: Engine): void {
  const { i32, lock } = engine.machine;
  i32[engine.header + EngineHeader.RECOVERIES] = (i32[engine.header + EngineHeader.RECOVERIES] + 1) | 0;
  engine.events.tap.noteMachine(NoteKind.RECOVERED);
  engine.completer.discard();
  for (const hca of engine.hcas) {
    rebuildAllocators(i32, hca);
    recountReferences(i32, hca);
    for (const c of cqs(i32, hca)) i32[c + Cqc.TIMER_SLOT] = 0; // what was counted is told of below
  }
  const queues = engine.hcas.flatMap((hca) => qps(i32, hca));
  engine.timers.rebuild(queues, (q) => hasTimer(i32, q));
  for (const hca of engine.hcas) for (const c of cqs(i32, hca)) completeArmed(engine, c);
  settleFaults(engine);
  for (const q of queues) engine.migration.recover(q);
  engine.packets?.recover(queues);
  for (const q of queues) finish(engine, q);
  for (const hca of engine.hcas) recoverOpenings(engine, hca);
  for (const hca of engine.hcas) for (const s of srqs(i32, hca)) engine.receives.checkLimit(s);
  tellReaders(engine);
  i32[engine.header + EngineHeader.TAKEOVERS] = lock.takeovers | 0;
}

/** What a queue would have come to if nobody had died. */
function finish(engine: Engine, q: number): void {
  const { i32 } = engine.machine;
  const state = i32[q + Qpc.STATE];
  if (state === QpcState.ERR) engine.states.flush(q);
  else if (state === QpcState.SQE) engine.states.flushSends(q);
  else if (state === QpcState.RTS) engine.finishSq(q);
  else if (state === QpcState.SQD && i32[q + Qpc.WAITING] === Waiting.NOT) engine.states.drained(q);
}

function rebuildAllocators(i32: Int32Array, hca: Hca): void {
  hca.qps.rebuild((index) => index < RESERVED_QPS || i32[hca.qpTable + index * Qpc.WORDS] !== 0);
  hca.cqs.rebuild((index) => i32[hca.cqTable + index * Cqc.WORDS] !== 0);
  hca.srqs.rebuild((index) => i32[hca.srqTable + index * Srqc.WORDS] !== 0);
  hca.xrcds.rebuild((index) => i32[hca.xrcdTable + index * Xrcdc.WORDS] !== 0);
  hca.mpts.rebuild((index) => index < RESERVED_MPTS || i32[hca.mptTable + index * Mpt.WORDS] !== 0);
  hca.ahs.rebuild((index) => i32[hca.ahTable + index * Ah.WORDS] !== 0);
  const pdTable = i32[hca.header + HcaHeader.PD_TABLE];
  hca.pds.rebuild((index) => index < RESERVED_PDS || i32[pdTable + index] !== 0);
}

function recountReferences(i32: Int32Array, hca: Hca): void {
  const regions = mpts(i32, hca);
  const completionQueues = cqs(i32, hca);
  for (const entry of regions) i32[entry + Mpt.PINS] = 0;
  for (const window of regions) if (i32[window + Mpt.REGION] !== 0) i32[i32[window + Mpt.REGION] + Mpt.PINS]++;
  for (const c of completionQueues) i32[c + Cqc.REFERENCES] = 0;
  for (const c of completionQueues) i32[i32[c + Cqc.BUFFER_MPT] + Mpt.PINS]++;
  const sharedQueues = srqs(i32, hca);
  for (const s of sharedQueues) i32[s + Srqc.REFERENCES] = 0;
  for (const s of sharedQueues) i32[i32[s + Srqc.BUFFER_MPT] + Mpt.PINS]++;
  for (const s of sharedQueues) if (i32[s + Srqc.CQ] !== 0) i32[i32[s + Srqc.CQ] + Cqc.REFERENCES]++;
  for (const q of qps(i32, hca)) {
    if (hasSrq(i32, q)) i32[i32[q + Qpc.SRQ] + Srqc.REFERENCES]++;
    if (i32[q + Qpc.BUFFER_MPT] !== 0) i32[i32[q + Qpc.BUFFER_MPT] + Mpt.PINS]++;
    for (const cq of cqsOf(i32, q)) i32[cq + Cqc.REFERENCES]++;
  }
}

/** The dead thread may have raised events that it did not come to tell of. */
function tellReaders(engine: Engine): void {
  const { i32 } = engine.machine;
  for (let uar = 1; uar < UARS_MAX; uar++) {
    const control = engine.uars.control(uar);
    if (i32[control + UarControl.PAGE] !== 0) engine.events.tell(i32[control + UarControl.EQ]);
  }
}

/** A queue that waits has a timer, unless it waits for a response for ever. */
function hasTimer(i32: Int32Array, q: number): boolean {
  const waiting = i32[q + Qpc.WAITING];
  return waiting === Waiting.RNR || (waiting === Waiting.RESPONSE && i32[q + Qpc.TIMEOUT] !== 0);
}

/** Raises what an event queue had no room for: the events of armed CQs and SRQs. The lock must be held. */
export function catchUp(engine: Engine, eq: number): void {
  const { i32 } = engine.machine;
  for (const hca of engine.hcas) {
    for (const c of cqs(i32, hca)) if (i32[c + Cqc.EQ] === eq) completeArmed(engine, c);
    for (const s of srqs(i32, hca)) if (i32[s + Srqc.EQ] === eq) engine.receives.checkLimit(s);
  }
}

function completeArmed(engine: Engine, c: number): void {
  const { i32 } = engine.machine;
  const consumer = Atomics.load(i32, i32[c + Cqc.RECORD] + CqDoorbellRecord.CONSUMER);
  i32[c + Cqc.MODERATION_PENDING] = 0;
  if (i32[c + Cqc.PRODUCER] === consumer) return;
  // Who died may have said that an event is queued, and not have queued it: it is raised again.
  const claimed = Atomics.exchange(i32, c + Cqc.EVENT_QUEUED, 0) !== 0;
  if (claimed) Atomics.or(i32, i32[c + Cqc.RECORD] + CqDoorbellRecord.ARM, CqArm.NEXT);
  engine.moderation.raise(c);
}
