/** An XRC connection: a sender, a receiver's XRC domain, and shared receive queues in it. */
import {
  QpType,
  SrqType,
  type CompletionQueue,
  type Context,
  type ProtectionDomain,
  type QpAttrInit,
  type QueuePair,
  type SharedReceiveQueue,
  type XrcDomain,
} from '@openverbs/verbs';
import type { Bench } from './bench.ts';
import { ACCESS_ALL, Side } from './side.ts';

/** A shared receive queue with everything that it needs; `side` has memory in its protection domain. */
export interface Receiver {
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly cq: CompletionQueue;
  readonly srq: SharedReceiveQueue;
  readonly side: Side;
}

/** See above. */
export interface Extended {
  readonly sender: Side;
  /** XRC_SEND, of `sender`. */
  readonly qp: QueuePair;
  readonly xrcd: XrcDomain;
  /** XRC_RECV. */
  readonly target: QueuePair;
  readonly receivers: readonly Receiver[];
}

/** Makes a connection, and as many shared receive queues. `attr` goes over what brings the sender to RTS, `access` is what the target allows. */
export function extend(
  bench: Bench,
  { count = 1, attr = {}, access = ACCESS_ALL }: { count?: number; attr?: QpAttrInit; access?: number } = {},
): Extended {
  const context = bench.open(bench.peerDevice);
  const xrcd = context.openXrcd();
  const receivers = Array.from({ length: count }, () => receiver(xrcd));
  const target = xrcd.createQp();
  const sender = bench.side();
  const qp = createSender(sender);
  connectExtended(qp, target, attr, access);
  return { sender, qp, xrcd, target, receivers };
}

/** An XRC SRQ of 8 work requests in a protection domain of its own. */
export function receiver(xrcd: XrcDomain): Receiver {
  const { context } = xrcd;
  const side = new Side(context, {});
  const { pd } = side;
  const cq = context.createCq({ cqe: 64 });
  const srq = pd.createSrq({ attr: { maxWr: 8, maxSge: 2 }, srqType: SrqType.XRC, xrcd, cq });
  return { context, pd, cq, srq, side };
}

/** The sending half. */
export function createSender({ pd, sendCq }: Side): QueuePair {
  return pd.createQp({ qpType: QpType.XRC_SEND, sendCq, cap: { maxSendWr: 32, maxSendSge: 2 } });
}

/** Brings the sending half to RTS and the receiving half to RTR. */
export function connectExtended(
  qp: QueuePair,
  target: QueuePair,
  attr: QpAttrInit = {},
  access: number = ACCESS_ALL,
): void {
  qp.toInit();
  target.toInit({ accessFlags: access });
  target.toRtr(qp.endpoint(), { minRnrTimer: 1 });
  qp.toRtr(target.endpoint());
  qp.toRts(undefined, attr);
}
