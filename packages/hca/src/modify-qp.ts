/**
 * MODIFY_QP: writes attributes into the QP context and makes the transition.
 *
 * Which attributes a transition takes is the state table's business, in `verbs`; the device checks the transition itself and
 * carries out what it means for the queues.
 */
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import type { Hca } from './hca.ts';
import { Qpc, QpcState } from './layout.ts';
import type { AlternatePath } from './path-migration.ts';
import { servicePkey } from './pkey.ts';
import { packAddressVector, resolvePeer } from './resolve-peer.ts';

/** An address vector, as the QP context holds it. */
export interface AddressVector {
  readonly dgid: Uint8Array | null;
  readonly flowLabel: number;
  readonly sgidIndex: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly dlid: number;
  readonly sl: number;
  readonly srcPathBits: number;
  readonly staticRate: number;
  readonly portNum: number;
}

/** New values by word of {@link Qpc}, the address vector apart. */
export interface QpChange {
  readonly state?: number;
  readonly words: ReadonlyMap<number, number>;
  readonly av?: AddressVector;
  readonly alternate?: AlternatePath;
}

const { RESET, INIT, RTR, RTS, SQD, SQE, ERR } = QpcState;

/** States that can follow by command, for each. RESET and ERR always can. */
const NEXT: Readonly<Record<number, readonly number[]>> = {
  [RESET]: [INIT],
  [INIT]: [INIT, RTR],
  [RTR]: [RTS],
  [RTS]: [RTS, SQD],
  [SQD]: [RTS, SQD],
  [SQE]: [RTS],
  [ERR]: [],
};

/** Changes the QP at `q`. The lock must be held. */
export function modifyQp(engine: Engine, hca: Hca, q: number, change: QpChange): void {
  const { i32 } = engine.machine;
  const from = i32[q + Qpc.STATE];
  const to = change.state ?? from;
  if (to !== RESET && to !== ERR && !NEXT[from].includes(to)) {
    throw new DeviceError('EINVAL', `the device makes no transition from state ${from} to ${to}`);
  }
  checkPkeyIndex(i32, hca, q, change.words);
  if (to === RESET) {
    engine.states.reset(q);
    return;
  }
  checkSource(hca, q, change, i32);
  const migState = change.words.get(Qpc.PATH_MIG_STATE);
  engine.migration.check(hca, q, change.alternate, migState);
  // The notification is asked for by the modify that leads to SQD, and by no earlier one (source: Linux mthca_qp.c, sqd_event).
  if (to === SQD) i32[q + Qpc.EN_SQD_ASYNC_NOTIFY] = 0;
  for (const [word, value] of change.words) if (word !== Qpc.PATH_MIG_STATE) i32[q + word] = value;
  if (change.av !== undefined) packAddressVector(engine, q + Qpc.AV_DGID, change.av);
  if (change.av !== undefined || change.words.has(Qpc.DEST_QPN) || change.words.has(Qpc.PORT))
    resolvePeer(engine, hca, q);
  if (change.words.has(Qpc.PKEY_INDEX) || change.words.has(Qpc.PORT)) {
    i32[q + Qpc.SERVICE_PKEY] = servicePkey(i32[q + Qpc.TYPE], hca.pkey(i32[q + Qpc.PORT], i32[q + Qpc.PKEY_INDEX]));
  }
  engine.migration.change(q, change.alternate, migState);
  enter(engine, q, from, to);
}

/** The address that a QP sends from has to be one of its port. */
function checkSource(hca: Hca, q: number, change: QpChange, i32: Int32Array): void {
  if (change.av?.dgid == null) return;
  hca.checkGidIndex(change.words.get(Qpc.PORT) ?? i32[q + Qpc.PORT], change.av.sgidIndex);
}

/** The index is one of the table of the port that the QP is on, or is about to be on. */
function checkPkeyIndex(i32: Int32Array, hca: Hca, q: number, words: ReadonlyMap<number, number>): void {
  if (!words.has(Qpc.PKEY_INDEX) && !words.has(Qpc.PORT)) return;
  const port = words.get(Qpc.PORT) ?? i32[q + Qpc.PORT];
  const index = words.get(Qpc.PKEY_INDEX) ?? i32[q + Qpc.PKEY_INDEX];
  hca.checkPkeyIndex(port, index);
}

function enter(engine: Engine, q: number, from: number, to: number): void {
  const { i32 } = engine.machine;
  if (to === ERR) {
    engine.states.fail(q, -1);
    return;
  }
  if (from === SQE && to === RTS) {
    // What was posted in SQE is flushed, also when the device has not yet looked at it (IBTA 10.3.1).
    engine.states.flushSends(q);
    if (i32[q + Qpc.STATE] === ERR) {
      engine.states.flush(q); // its CQ was full
      return;
    }
  }
  if (to === SQD && from !== SQD) i32[q + Qpc.SQ_DRAINING] = 1;
  if (to === RTS) i32[q + Qpc.SQ_DRAINING] = 0;
  engine.states.set(q, to);
  if (from === RTR && to === RTS) engine.states.settle(q);
  if (to === SQD && i32[q + Qpc.WAITING] === 0) engine.states.drained(q);
  if (to === RTS) engine.runSq(q); // what was posted in SQD
}
