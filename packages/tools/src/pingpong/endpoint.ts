/** A connection of a ping-pong: one queue pair, or over XRC one that sends and one that receives, and its messages. */
import { randomInt } from 'node:crypto';
import {
  type AhAttrInit,
  type CompletionQueue,
  type Context,
  type MemoryRegion,
  QpType,
  type QueuePair,
  SendFlags,
  SendWr,
  type SharedReceiveQueue,
  WcFlags,
  type WorkCompletion,
  WrOpcode,
  type XrcDomain,
} from '@openverbs/verbs';
import type { PingPongOptions } from './options.ts';
import { initAttr, QKEY, rtrAttr, rtsAttr } from './qp-attributes.ts';
import { serviceOf } from './service.ts';

/** The low bits of `wr_id` of receives and of sends, as bits of what an endpoint waits for. */
export const RECV_WRID = 1;
export const SEND_WRID = 2;

/** Above them the `wr_id` of a send says which endpoint it is of: over XRC it may leave through the queue pair of another one. */
const ENDPOINT_SHIFT = 2;

/** How far packets may go, as in the C tools. */
const HOP_LIMIT = { connected: 1, datagram: 64 };

/** What the other end must know. */
export interface PingPongAddress {
  readonly lid: number;
  /** The queue pair that receives. */
  readonly qpn: number;
  readonly psn: number;
  /** `::` written out when no GID is used. */
  readonly gid: string;
  /** The queue pair that sends, over XRC. */
  readonly sendQpn?: number;
  /** The shared receive queue that messages have to name, over XRC. */
  readonly srqn?: number;
}

/** What the queue pairs of one side share. */
export interface SideResources {
  readonly options: PingPongOptions;
  readonly context: Context;
  readonly cq: CompletionQueue;
  readonly srq: SharedReceiveQueue | undefined;
  readonly xrcd: XrcDomain | undefined;
  readonly mr: MemoryRegion;
  readonly lid: number;
  readonly gid: string;
  readonly gidIndex: number | undefined;
}

/** One connection, whose peer is one connection at the other end. */
export class Endpoint {
  /** Where messages leave. */
  readonly sendQp: QueuePair;
  /** Where they arrive; the same one but over XRC. */
  readonly recvQp: QueuePair;
  readonly address: PingPongAddress;
  /** What must complete before the next message leaves: {@link RECV_WRID}, {@link SEND_WRID}. */
  pending = RECV_WRID;
  /** Messages that were sent. */
  sends = 0;

  readonly #side: SideResources;
  readonly #sendWr: SendWr;
  #receives = 0;

  /** Makes the QPs and brings them to INIT. `index` is its place among the endpoints of the side. */
  constructor(side: SideResources, index: number) {
    const { options, mr, srq, xrcd } = side;
    const { qpType, headerBytes, isReliable } = serviceOf(options);
    this.#side = side;
    this.sendQp = mr.pd.createQp({ qpType, ...queuesOf(side) });
    this.recvQp = xrcd?.createQp() ?? this.sendQp;
    const inline = this.sendQp.cap.maxInlineData >= options.size ? SendFlags.INLINE : 0;
    this.#sendWr = new SendWr({
      wrId: (index << ENDPOINT_SHIFT) | SEND_WRID,
      opcode: isReliable ? WrOpcode.SEND : WrOpcode.SEND_WITH_IMM,
      sendFlags: SendFlags.SIGNALED | inline,
      sgList: [mr.sge(headerBytes)],
    });
    for (const qp of this.#qps) qp.modify(initAttr(qp.qpType, options));
    this.address = {
      lid: side.lid,
      qpn: this.recvQp.qpNum,
      psn: randomInt(1 << 24),
      gid: side.gid,
      ...(xrcd && { sendQpn: this.sendQp.qpNum, srqn: srq!.srqNum }),
    };
  }

  /** Brings the QPs to RTS, towards `remote`. */
  connect(remote: PingPongAddress): void {
    const { options, mr } = this.#side;
    const path = this.#pathTo(remote);
    const { qpn, psn, sendQpn = qpn, srqn = 0 } = remote;
    if (serviceOf(options).isDatagram) {
      this.#sendWr.ah = mr.pd.createAh(path);
      this.#sendWr.remoteQpn = qpn;
      this.#sendWr.remoteQkey = QKEY;
    }
    this.#sendWr.remoteSrqn = srqn;
    for (const qp of this.#qps) {
      const destination = qp.qpType === QpType.XRC_RECV ? sendQpn : qpn;
      qp.modify(rtrAttr(qp.qpType, options, { qpn: destination, psn, path }));
      // What only receives has nothing to do in RTS.
      if (qp === this.sendQp) qp.modify(rtsAttr(qp.qpType, this.address.psn));
    }
  }

  /** Sends a message through `qp`; the next one waits for its completion and for the answer. */
  send(qp: QueuePair): void {
    this.pending = RECV_WRID | SEND_WRID;
    this.#sendWr.immData = this.sends++;
    qp.postSend(this.#sendWr);
  }

  /**
   * Whether a receive holds the message that is waited for. An unreliable service may deliver a message twice, so its messages
   * are numbered, as immediate data; a peer that does not number them is believed.
   */
  accepts(wc: WorkCompletion): boolean {
    if ((wc.wcFlags & WcFlags.WITH_IMM) !== 0 && wc.immData !== this.#receives) return false;
    this.#receives++;
    return true;
  }

  get #qps(): readonly QueuePair[] {
    return this.recvQp === this.sendQp ? [this.sendQp] : [this.recvQp, this.sendQp];
  }

  #pathTo({ lid, gid }: PingPongAddress): AhAttrInit {
    const { options, gidIndex } = this.#side;
    const hopLimit = serviceOf(options).isDatagram ? HOP_LIMIT.datagram : HOP_LIMIT.connected;
    return {
      dlid: lid,
      sl: options.sl,
      portNum: options.port,
      ...(gidIndex !== undefined && { grh: { dgid: gid, sgidIndex: gidIndex, hopLimit } }),
    };
  }
}

/** The place of the endpoint whose send `wrId` is. */
export function endpointOfSend(wrId: number): number {
  return wrId >>> ENDPOINT_SHIFT;
}

/** Through the send queue of one XRC connection go messages of all. */
function queuesOf({
  options,
  cq,
  srq,
  xrcd,
}: SideResources): Pick<Parameters<MemoryRegion['pd']['createQp']>[0], 'sendCq' | 'recvCq' | 'srq' | 'cap'> {
  if (xrcd) return { sendCq: cq, cap: { maxSendWr: options.numQp, maxSendSge: 1 } };
  if (srq) return { sendCq: cq, recvCq: cq, srq, cap: { maxSendWr: 1, maxSendSge: 1 } };
  return {
    sendCq: cq,
    recvCq: cq,
    cap: { maxSendWr: 1, maxRecvWr: options.rxDepth, maxSendSge: 1, maxRecvSge: 1 },
  };
}
