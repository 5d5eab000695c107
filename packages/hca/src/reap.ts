/** Reclaims what threads left behind that ended without closing: their QPs, CQs, SRQs, regions, PDs, UARs and buffers. */
import type { Machine } from '@openverbs/machine';
import { freeAh } from './address-handles.ts';
import type { Engine } from './engine.ts';
import { freeCq, freeMpt, freeSrq, freeUar, freeXrcd } from './free-objects.ts';
import type { Hca } from './hca.ts';
import { Ah, Cqc, EngineHeader, HcaHeader, Mpt, MptKind, Qpc, Srqc, UarControl, Xrcdc } from './layout.ts';
import { UARS_MAX } from './limits.ts';
import { leaveQp } from './qp-openings.ts';
import { ahs, cqs, mpts, openings, qps, srqs, xrcds } from './table-entries.ts';
import { end } from './serve.ts';
import { NoteKind } from './tap.ts';

/** Reclaims the objects of all threads that have ended; returns how many threads. Takes the lock. */
export function reap(engine: Engine): number {
  return engine.command(() => reapDead(engine));
}

/** The same with the lock held. */
export function reapDead(engine: Engine): number {
  return engine.machine.threads.reap((thread) => {
    reapThread(engine, thread);
  });
}

/** Whether a thread has ended that nobody has reaped yet. */
export function hasDied({ threads }: Machine): boolean {
  for (let thread = 1; thread <= threads.threadsMax; thread++) {
    if (threads.tid(thread) !== 0 && !threads.isAlive(thread)) return true;
  }
  return false;
}

/** QPs first, since they hold the others; counts that the thread tore are not looked at. */
function reapThread(engine: Engine, thread: number): void {
  const { i32, pages } = engine.machine;
  if (i32[engine.header + EngineHeader.ENGINE_THREAD] === thread) end(engine);
  const owned = uarsOf(engine, thread);
  for (const hca of engine.hcas) reapHca(engine, hca, owned);
  for (const uar of owned) freeUar(engine, uar);
  pages.freeOwned(thread);
  i32[engine.header + EngineHeader.THREADS_REAPED] = (i32[engine.header + EngineHeader.THREADS_REAPED] + 1) | 0;
  engine.events.tap.noteMachine(NoteKind.REAPED);
}

function reapHca(engine: Engine, hca: Hca, owned: ReadonlySet<number>): void {
  const { i32 } = engine.machine;
  for (const o of openings(i32, hca)) if (owned.has(i32[o + Qpc.UAR])) leaveQp(engine, hca, o);
  for (const q of qps(i32, hca)) if (owned.has(i32[q + Qpc.UAR])) leaveQp(engine, hca, q);
  for (const s of srqs(i32, hca)) if (owned.has(i32[s + Srqc.UAR])) freeSrq(engine, hca, s);
  for (const x of xrcds(i32, hca)) if (owned.has(i32[x + Xrcdc.UAR])) freeXrcd(engine, hca, x);
  for (const c of cqs(i32, hca)) if (owned.has(i32[c + Cqc.UAR])) freeCq(engine, hca, c);
  // Memory windows before the regions that they are bound to.
  const isWindow = (entry: number): boolean => i32[entry + Mpt.KIND] >= MptKind.WINDOW_TYPE_1;
  const entries = mpts(i32, hca).filter((entry) => owned.has(i32[entry + Mpt.UAR]));
  for (const entry of entries) if (isWindow(entry)) freeMpt(engine, hca, entry);
  for (const entry of entries) if (!isWindow(entry)) freeMpt(engine, hca, entry);
  for (const entry of ahs(i32, hca)) if (owned.has(i32[entry + Ah.UAR])) freeAh(engine, hca, entry);
  const pdTable = i32[hca.header + HcaHeader.PD_TABLE];
  for (let pd = 1; pd < hca.pds.highWater; pd++) {
    if (!owned.has(i32[pdTable + pd])) continue;
    i32[pdTable + pd] = 0;
    hca.pds.free(pd);
  }
}

function uarsOf(engine: Engine, thread: number): Set<number> {
  const { i32 } = engine.machine;
  const owned = new Set<number>();
  for (let uar = 1; uar < UARS_MAX; uar++) {
    const control = engine.uars.control(uar);
    if (i32[control + UarControl.PAGE] !== 0 && i32[control + UarControl.THREAD] === thread) owned.add(uar);
  }
  return owned;
}
