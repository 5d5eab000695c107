/** Memory windows of a test: regions that allow them, binds, and whether a key of one works. */
import { expect } from 'chai';
import {
  AccessFlags,
  incRkey,
  MwType,
  QpState,
  SendFlags,
  WcOpcode,
  WcStatus,
  WrOpcode,
  type MemoryRegion,
  type MemoryWindow,
  type QueuePair,
  type SendWrInit,
} from '@openverbs/verbs';
import type { Bench } from './bench.ts';
import { expectCompletions } from './completions.ts';
import { connect } from './connect.ts';
import { expectBytes, fillPattern, pattern, snapshot } from './payload.ts';
import { read, write, type RequestExtras } from './requests.ts';
import { ACCESS_ALL, type Side } from './side.ts';

const { REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, MW_BIND } = AccessFlags;

/** What a window can give. */
export const WINDOW_ACCESS = REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC;
/** What a region needs for any window. */
export const BINDABLE = ACCESS_ALL | MW_BIND;

/** Which part of a region a window is to show, and how. */
export interface Part {
  readonly offset?: number;
  readonly length?: number;
  readonly access?: number;
}

/** BIND_MW of a part of a region, signaled. */
export function bindMw(
  wrId: number,
  mw: MemoryWindow,
  rkey: number,
  mr: MemoryRegion,
  part: Part = {},
  extras: RequestExtras = {},
): SendWrInit {
  const { offset = 0, length = mr.length - offset, access = WINDOW_ACCESS } = part;
  const bind = { mw, rkey, mr, addr: mr.iova + offset, length, access };
  return { wrId, opcode: WrOpcode.BIND_MW, sendFlags: SendFlags.SIGNALED, bindMw: bind, ...extras };
}

/** LOCAL_INV, signaled. */
export function localInv(wrId: number, invalidateRkey: number, extras: RequestExtras = {}): SendWrInit {
  return { wrId, opcode: WrOpcode.LOCAL_INV, sendFlags: SendFlags.SIGNALED, invalidateRkey, ...extras };
}

/** A window of type 2 of the side's QP, bound; its key is kept in `mw.rkey`. */
export async function boundType2(side: Side, mr: MemoryRegion, part: Part = {}, qp = side.qp): Promise<MemoryWindow> {
  const mw = side.pd.allocMw(MwType.TYPE_2);
  const rkey = incRkey(mw.rkey);
  qp.postSend(bindMw(701, mw, rkey, mr, part));
  await expectCompletions(side.sendCq, { wrId: 701, opcode: WcOpcode.BIND_MW, qp });
  mw.rkey = rkey;
  return mw;
}

/** A window of type 1, bound. */
export async function boundType1(side: Side, mr: MemoryRegion, part: Part = {}): Promise<MemoryWindow> {
  const mw = side.pd.allocMw(MwType.TYPE_1);
  const { offset = 0, length = mr.length - offset, access = WINDOW_ACCESS } = part;
  const bind = { mr, addr: mr.iova + offset, length, access };
  side.qp.bindMw(mw, { wrId: 702, sendFlags: SendFlags.SIGNALED, ...bind });
  await expectCompletions(side.sendCq, { wrId: 702, opcode: WcOpcode.BIND_MW, qp: side.qp });
  return mw;
}

/** Writes 16 bytes through a key to where they are 16 bytes of `there`, and reads them back. */
export async function expectWindow(
  a: Side,
  b: Side,
  rkey: number,
  remoteAddr: number,
  there: Uint8Array,
): Promise<void> {
  fillPattern(a.bytes.subarray(0, 16), remoteAddr % 251);
  const place = { rkey, remoteAddr };
  a.qp.postSend([write(703, [a.sge(0, 16)], b, 0, place), read(704, [a.sge(16, 16)], b, 0, place)]);
  await expectCompletions(a.sendCq, { wrId: 703 }, { wrId: 704 });
  expectBytes(there.subarray(0, 16), pattern(remoteAddr % 251, 16), 'through the window');
  expectBytes(a.bytes.subarray(16, 32), pattern(remoteAddr % 251, 16), 'what was read back');
}

/** Expects that 8 bytes can't be written by a key to `b`: by a QP of their own, of no use afterwards. Nothing changes. */
export async function expectNoWindow(
  bench: Bench,
  b: Side,
  mr: MemoryRegion,
  rkey: number,
  remoteAddr: number,
): Promise<void> {
  const a = bench.side();
  connect(a.qp, b.createQp());
  await expectNoAccess(a, b, mr, rkey, remoteAddr);
}

/** The same through a pair that is connected; the pair is of no use afterwards. */
export async function expectNoAccess(
  a: Side,
  b: Side,
  mr: MemoryRegion,
  rkey: number,
  remoteAddr: number,
  qp: QueuePair = a.qp,
): Promise<void> {
  const before = snapshot(mr.bytes, 'the region');
  qp.postSend(write(705, [a.sge(0, 8)], b, 0, { rkey, remoteAddr }));
  await expectCompletions(a.sendCq, { wrId: 705, status: WcStatus.REM_ACCESS_ERR, qp });
  before.expectUnchanged();
}

/** The bind with `wrId` 1 fails, what was posted behind it with `wrId` 2 is flushed, and its queue pair is in error; the peer is not. */
export async function expectBindFailed(binder: Side, peer: Side): Promise<void> {
  await expectCompletions(
    binder.sendCq,
    { wrId: 1, status: WcStatus.MW_BIND_ERR, qp: binder.qp },
    { wrId: 2, status: WcStatus.WR_FLUSH_ERR },
  );
  expect(binder.qp.query().attr.qpState, 'state').to.equal(QpState.ERR);
  expect(peer.qp.query().attr.qpState, 'state of the peer').to.equal(QpState.RTS);
}
