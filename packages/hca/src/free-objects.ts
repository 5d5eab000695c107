/**
 * Takes objects out of the tables: what the commands do at an object's end, and reaping for a thread that has ended. The word that
 * makes an entry exist is cleared first. All want the machine's lock.
 */
import type { Engine } from './engine.ts';
import type { Hca } from './hca.ts';
import { Cqc, CqcState, Mpt, MptKind, Qpc, QpcState, Srqc, SrqcState, UarControl, Xrcdc } from './layout.ts';
import { detachFromAll } from './multicast.ts';
import { cqsOf, hasSrq, qps } from './table-entries.ts';

/** Takes a QP out of the tables. */
export function freeQp(engine: Engine, hca: Hca, q: number): void {
  const { i32 } = engine.machine;
  engine.timers.stop(q);
  detachFromAll(i32, hca, q);
  const transport = i32[q + Qpc.TRANSPORT];
  if (transport !== 0) engine.packets?.forget(q);
  i32[q + Qpc.STATE] = QpcState.RESET;
  engine.receives.giveBack(q);
  const record = i32[q + Qpc.OWN_RECORD];
  if (record !== 0) takeMemory(engine, record, transport);
  Atomics.store(i32, q + Qpc.QPN, 0);
  for (const cq of cqsOf(i32, q)) i32[cq + Cqc.REFERENCES]--;
  if (hasSrq(i32, q)) i32[i32[q + Qpc.SRQ] + Srqc.REFERENCES]--;
  if (i32[q + Qpc.BUFFER_MPT] !== 0) i32[i32[q + Qpc.BUFFER_MPT] + Mpt.PINS]--;
  if (record !== 0) engine.machine.pages.free(record * 4);
  if (transport !== 0) engine.machine.pages.free(transport * 4);
  hca.qps.free((q - hca.qpTable) / Qpc.WORDS);
}

/** Memory of the device's becomes this thread's, so that it is not lost should the thread die before it frees it. */
function takeMemory({ machine }: Engine, record: number, transport: number): void {
  machine.pages.give(record * 4, machine.threadIndex);
  if (transport !== 0) machine.pages.give(transport * 4, machine.threadIndex);
}

/** Takes a CQ out of the tables. */
export function freeCq(engine: Engine, hca: Hca, c: number): void {
  const { i32 } = engine.machine;
  engine.timers.stop(c);
  Atomics.store(i32, c + Cqc.CQN, 0);
  i32[c + Cqc.STATE] = CqcState.FREE;
  i32[i32[c + Cqc.BUFFER_MPT] + Mpt.PINS]--;
  hca.cqs.free((c - hca.cqTable) / Cqc.WORDS);
}

/** Takes an SRQ out of the tables. */
export function freeSrq(engine: Engine, hca: Hca, s: number): void {
  const { i32 } = engine.machine;
  Atomics.store(i32, s + Srqc.SRQN, 0);
  i32[s + Srqc.STATE] = SrqcState.FREE;
  if (i32[s + Srqc.XRCD] !== 0) leaveXrcSrq(i32, hca, s);
  i32[i32[s + Srqc.BUFFER_MPT] + Mpt.PINS]--;
  hca.srqs.free((s - hca.srqTable) / Srqc.WORDS);
}

/** XRC: the CQ has one queue less, and QPs forget what their last message named. */
function leaveXrcSrq(i32: Int32Array, hca: Hca, s: number): void {
  i32[i32[s + Srqc.CQ] + Cqc.REFERENCES]--;
  for (const q of qps(i32, hca)) if (i32[q + Qpc.SRQ] === s) i32[q + Qpc.SRQ] = i32[q + Qpc.SRQ_WQE] = 0;
}

/** Takes an opening of an XRC domain out of the table. */
export function freeXrcd(engine: Engine, hca: Hca, x: number): void {
  Atomics.store(engine.machine.i32, x + Xrcdc.NUMBER, 0);
  hca.xrcds.free((x - hca.xrcdTable) / Xrcdc.WORDS);
}

/** Takes a region or a memory window out of the TPT. A window's pages are the region's, and go on. */
export function freeMpt(engine: Engine, hca: Hca, entry: number): void {
  const { i32, pages } = engine.machine;
  const { WINDOW_TYPE_1 } = MptKind;
  const isWindow = i32[entry + Mpt.KIND] >= WINDOW_TYPE_1;
  const region = i32[entry + Mpt.REGION];
  // The next key of the entry is another one than that which the window's owner chose last.
  if (isWindow) i32[entry + Mpt.VARIANT] = i32[entry + Mpt.KEY] & 0xff;
  Atomics.store(i32, entry + Mpt.KEY, 0);
  i32[entry + Mpt.REGION] = 0;
  if (region !== 0) i32[region + Mpt.PINS]--;
  if (!isWindow && i32[entry + Mpt.MTT] !== 0) pages.free(i32[entry + Mpt.MTT] * 4);
  i32[entry + Mpt.MTT] = 0;
  hca.mpts.free((entry - hca.mptTable) / Mpt.WORDS);
}

/** Frees a UAR and its event queue. */
export function freeUar(engine: Engine, uar: number): void {
  const { i32, pages, threadIndex } = engine.machine;
  const control = engine.uars.control(uar);
  const page = i32[control + UarControl.PAGE];
  if (page === 0) return;
  // This thread's until it is free: should it die in between, that is what its death frees.
  pages.give(page * 4, threadIndex);
  i32[control + UarControl.PAGE] = 0;
  pages.free(i32[control + UarControl.EQ] * 4);
  pages.free(page * 4);
  i32[control + UarControl.THREAD] = 0;
}
