/** UD queue pairs that are ready, the way from one to the other, and what is sent along it. */
import { expect } from 'chai';
import {
  QpState,
  QpType,
  mtuToBytes,
  type AddressHandle,
  type AhAttrInit,
  type QueuePair,
  type SendWrInit,
} from '@openverbs/verbs';
import type { Bench } from './bench.ts';
import { expectCompletions, expectNoCompletion } from './completions.ts';
import { expectBytes, fillPattern, pattern } from './payload.ts';
import { send } from './requests.ts';
import type { Side, SideOptions } from './side.ts';

/** Bytes in front of a received datagram. */
export const GRH_BYTES = 40;
/** The Q_Key of tests that are about something else. */
export const QKEY = 0x11111111;

/** Attributes of a UD queue pair that tests vary. */
export interface DatagramAttr {
  readonly qkey?: number;
  readonly pkeyIndex?: number;
  readonly portNum?: number;
  readonly sqPsn?: number;
}

/** Brings a UD queue pair from RESET to `state`. */
export function bringDatagramsTo(state: QpState, qp: QueuePair, attr: DatagramAttr = {}): void {
  const { qkey = QKEY, pkeyIndex = 0, portNum = 1, sqPsn = 0 } = attr;
  if (state === QpState.RESET) return;
  qp.modify({ qpState: QpState.INIT, pkeyIndex, portNum, qkey });
  if (state === QpState.INIT) return;
  qp.modify({ qpState: QpState.RTR });
  if (state === QpState.RTR) return;
  qp.modify({ qpState: QpState.RTS, sqPsn });
  if (state !== QpState.RTS) qp.modify({ qpState: state });
}

/** A side with a UD queue pair in RTS. */
export function datagramSide(bench: Bench, options: SideOptions = {}, attr: DatagramAttr = {}): Side {
  const side = bench.side({ qpType: QpType.UD, ...options });
  bringDatagramsTo(QpState.RTS, side.qp, attr);
  return side;
}

/** Two of them, the second on the other device. */
export function datagramPair(bench: Bench, attr: DatagramAttr = {}): { a: Side; b: Side } {
  return { a: datagramSide(bench, {}, attr), b: datagramSide(bench, { device: bench.peerDevice }, attr) };
}

/** Address of a side's QP, for datagrams of another. */
export function addressOf(to: Side, overrides: Partial<AhAttrInit> = {}): AhAttrInit {
  const { gid, lid, port } = to.qp.endpoint();
  return { grh: { dgid: gid }, dlid: lid, portNum: port, ...overrides };
}

/** The way from one side to another. */
export function ahTo(from: Side, to: Side): AddressHandle {
  return from.pd.createAh({ ...addressOf(to), portNum: from.qp.portNum });
}

/** A datagram to a QP. */
export function datagram(
  wrId: number,
  sgList: NonNullable<SendWrInit['sgList']>,
  ah: AddressHandle,
  to: QueuePair,
  extras: Partial<SendWrInit> = {},
): SendWrInit {
  return send(wrId, sgList, { ah, remoteQpn: to.qpNum, remoteQkey: QKEY, ...extras });
}

/** Bytes of the longest datagram of a side. */
export function mtuOf({ context }: Side): number {
  return mtuToBytes(context.queryPort(1).activeMtu);
}

/** Posts `bad`, which completes and does nothing, and a datagram behind it, which arrives in the first receive. */
export async function expectDropped({ a, b }: { a: Side; b: Side }, bad: SendWrInit): Promise<void> {
  fillPattern(a.bytes, 1);
  b.bytes.fill(0xcc);
  b.qp.postRecv([{ wrId: 201, sgList: [b.sge(0, GRH_BYTES + 16)] }, { wrId: 202 }]);
  a.qp.postSend([bad, datagram(12, [a.sge(0, 16)], ahTo(a, b), b.qp)]);
  await expectCompletions(a.sendCq, { wrId: bad.wrId ?? 0, qp: a.qp }, { wrId: 12, qp: a.qp });
  await expectCompletions(b.recvCq, { wrId: 201, byteLen: GRH_BYTES + 16 });
  expectNoCompletion(b.recvCq);
  expectBytes(b.bytes.subarray(GRH_BYTES, GRH_BYTES + 16), pattern(1, 16), 'the message behind it');
  for (const { qp } of [a, b]) expect(qp.query().attr.qpState, 'state').to.equal(QpState.RTS);
}
