/**
 * Openings of a QP: an XRC_RECV QP is there for every process of its domain that opens it, and lives as long as one of them has it
 * open, its creator or another (ibv_open_qp(3); Linux ib_core verbs.c, ib_open_qp).
 *
 * An opening is an entry of the QP table with a number of its own, which is its handle. It stays in RESET, so that no message or
 * doorbell finds a queue there; it leads to the QP, and the QP to its openings, each of which hears of its events. Once the creator has
 * left, the QP has no UAR, and what it needed of the creator is the device's.
 */
import { QP_DOORBELL_RECORD_BYTES, QpDoorbellRecord } from '@openverbs/verbs/rings';
import type { CommandInterface } from './command-interface.ts';
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import { freeQp } from './free-objects.ts';
import { allocWords, OWNER_DEVICE, type Hca } from './hca.ts';
import { Mpt, Qpc, QpcType, UarControl } from './layout.ts';
import { QPS_LOG2, QPS_MAX } from './limits.ts';
import { openings, qps } from './table-entries.ts';

const { OPENED, NEXT_OPENING } = Qpc;
const RECORD_WORDS = QP_DOORBELL_RECORD_BYTES / 4;

/** What is opened, and for whom. */
export interface QpOpenInit {
  readonly uar: number;
  /** The opening of the XRC domain. */
  readonly xrcdn: number;
  readonly qpn: number;
}

/** Opens the XRC_RECV QP of a number once more; returns the number of the opening. The lock must be held. */
export function openQp(commands: CommandInterface, { uar, xrcdn, qpn }: QpOpenInit): number {
  const { engine, hca } = commands;
  const { i32 } = engine.machine;
  const domain = commands.xrcds.domain(xrcdn);
  const q = hca.qpTable + (qpn & (QPS_MAX - 1)) * Qpc.WORDS;
  const isThere = qpn > 0 && i32[q + Qpc.QPN] === qpn && i32[q + OPENED] === 0;
  if (!isThere || i32[q + Qpc.TYPE] !== QpcType.XRC_RECV || i32[q + Qpc.XRCD] !== domain) {
    throw new DeviceError('EINVAL', `the XRC domain has no XRC_RECV QP ${qpn}`, 'give the qpNum of xrcd.createQp()');
  }
  share(engine, q);
  const index = hca.qps.alloc();
  if (index < 0) throw new DeviceError('ENOMEM', `all ${QPS_MAX} QPs of the device are taken`);
  const o = hca.qpTable + index * Qpc.WORDS;
  const generation = commands.nextGeneration(o + Qpc.GENERATION);
  i32.fill(0, o, o + Qpc.GENERATION);
  i32[o + Qpc.TYPE] = QpcType.XRC_RECV;
  i32[o + Qpc.UAR] = uar;
  i32[o + Qpc.EQ] = i32[engine.uars.control(uar) + UarControl.EQ];
  i32[o + Qpc.HCA] = hca.header;
  i32[o + OPENED] = q;
  i32[o + NEXT_OPENING] = i32[q + NEXT_OPENING];
  i32[q + NEXT_OPENING] = o;
  const number = (generation << QPS_LOG2) | index;
  Atomics.store(i32, o + Qpc.QPN, number);
  return number;
}

/** Takes a QP, or an opening of one, from whom it is; the last one takes the QP with it. */
export function leaveQp(engine: Engine, hca: Hca, entry: number): void {
  const { i32 } = engine.machine;
  const q = i32[entry + OPENED];
  if (q !== 0) {
    endOpening(i32, hca, entry, q);
    settle(engine, hca, q);
  } else if (i32[entry + NEXT_OPENING] === 0) freeQp(engine, hca, entry);
  else orphan(i32, entry);
}

/** After a thread died in the middle of one of the above. All else is whole again. */
export function recoverOpenings(engine: Engine, hca: Hca): void {
  const { i32 } = engine.machine;
  for (const q of qps(i32, hca)) i32[q + NEXT_OPENING] = 0;
  for (const o of openings(i32, hca)) {
    const q = i32[o + OPENED];
    i32[o + NEXT_OPENING] = i32[q + NEXT_OPENING];
    i32[q + NEXT_OPENING] = o;
  }
  for (const q of qps(i32, hca)) {
    if (i32[q + Qpc.OWN_RECORD] !== 0) own(engine, q);
    settle(engine, hca, q);
  }
}

/** What the QP needs of memory belongs to the device from now on; a record of its own waits for the creator to go. */
function share(engine: Engine, q: number): void {
  const { machine } = engine;
  if (machine.i32[q + Qpc.OWN_RECORD] !== 0) return;
  machine.i32[q + Qpc.OWN_RECORD] = allocWords(machine, RECORD_WORDS, machine.threadIndex);
  own(engine, q);
}

function own(engine: Engine, q: number): void {
  const { i32, pages } = engine.machine;
  pages.give(i32[q + Qpc.OWN_RECORD] * 4, OWNER_DEVICE);
  if (i32[q + Qpc.TRANSPORT] !== 0) pages.give(i32[q + Qpc.TRANSPORT] * 4, OWNER_DEVICE);
}

/** The creator leaves, and others stay. */
function orphan(i32: Int32Array, q: number): void {
  const record = i32[q + Qpc.OWN_RECORD];
  const buffer = i32[q + Qpc.BUFFER_MPT];
  i32[record + QpDoorbellRecord.STATE] = i32[q + Qpc.STATE];
  i32[q + Qpc.RECORD] = record;
  i32[q + Qpc.EQ] = 0;
  i32[q + Qpc.UAR] = 0;
  i32[q + Qpc.BUFFER_MPT] = 0;
  i32[buffer + Mpt.PINS]--;
}

function endOpening(i32: Int32Array, hca: Hca, o: number, q: number): void {
  let before = q;
  while (i32[before + NEXT_OPENING] !== o) before = i32[before + NEXT_OPENING];
  i32[before + NEXT_OPENING] = i32[o + NEXT_OPENING];
  Atomics.store(i32, o + Qpc.QPN, 0);
  i32[o + OPENED] = 0;
  hca.qps.free((o - hca.qpTable) / Qpc.WORDS);
}

/** A QP that nobody has open is gone. */
function settle(engine: Engine, hca: Hca, q: number): void {
  const { i32 } = engine.machine;
  if (i32[q + Qpc.UAR] === 0 && i32[q + NEXT_OPENING] === 0) freeQp(engine, hca, q);
}
