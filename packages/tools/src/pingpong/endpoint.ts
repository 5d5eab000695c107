/** A queue pair of a ping-pong: what its service asks of it on the way to RTS, and of each message. */
import { randomInt } from 'node:crypto';
import {
  type AhAttrInit,
  type CompletionQueue,
  type Context,
  type MemoryRegion,
  type QpAttrInit,
  QpState,
  type QueuePair,
  SendFlags,
  SendWr,
  type SharedReceiveQueue,
  WcFlags,
  type WorkCompletion,
  WrOpcode,
} from '@openverbs/verbs';
import { type PingPongOptions, pathMtuOf } from './options.ts';
import { serviceOf } from './service.ts';

/** `wr_id` of receives and of sends, as bits of what an endpoint waits for. */
export const RECV_WRID = 1;
export const SEND_WRID = 2;

/** The Q_Key of the datagrams, as in ud_pingpong.c. */
const QKEY = 0x1111_1111;

/** How far packets may go, as in the C tools. */
const HOP_LIMIT = { connected: 1, datagram: 64 };

/** What the other end must know. */
export interface PingPongAddress {
  readonly lid: number;
  readonly qpn: number;
  readonly psn: number;
  /** `::` written out when no GID is used. */
  readonly gid: string;
}

/** What the queue pairs of one side share. */
export interface SideResources {
  readonly options: PingPongOptions;
  readonly context: Context;
  readonly cq: CompletionQueue;
  readonly srq: SharedReceiveQueue | undefined;
  readonly mr: MemoryRegion;
  readonly lid: number;
  readonly gid: string;
  readonly gidIndex: number | undefined;
}

/** One queue pair, whose peer is one queue pair at the other end. */
export class Endpoint {
  readonly qp: QueuePair;
  readonly address: PingPongAddress;
  /** What must complete before the next message leaves: {@link RECV_WRID}, {@link SEND_WRID}. */
  pending = RECV_WRID;

  readonly #side: SideResources;
  readonly #sendWr: SendWr;
  #sends = 0;
  #receives = 0;

  /** Makes the QP and brings it to INIT. */
  constructor(side: SideResources) {
    const { options, cq, srq, mr } = side;
    const { qpType, headerBytes, isReliable } = serviceOf(options);
    this.#side = side;
    this.qp = mr.pd.createQp({
      qpType,
      sendCq: cq,
      recvCq: cq,
      ...(srq
        ? { srq, cap: { maxSendWr: 1, maxSendSge: 1 } }
        : { cap: { maxSendWr: 1, maxRecvWr: options.rxDepth, maxSendSge: 1, maxRecvSge: 1 } }),
    });
    const inline = this.qp.cap.maxInlineData >= options.size ? SendFlags.INLINE : 0;
    this.#sendWr = new SendWr({
      wrId: SEND_WRID,
      opcode: isReliable ? WrOpcode.SEND : WrOpcode.SEND_WITH_IMM,
      sendFlags: SendFlags.SIGNALED | inline,
      sgList: [mr.sge(headerBytes)],
    });
    this.qp.modify(initAttr(options));
    this.address = { lid: side.lid, qpn: this.qp.qpNum, psn: randomInt(1 << 24), gid: side.gid };
  }

  /** Brings the QP to RTS, towards `remote`. */
  connect(remote: PingPongAddress): void {
    const { options, mr } = this.#side;
    const path = this.#pathTo(remote);
    if (serviceOf(options).isDatagram) {
      this.#sendWr.ah = mr.pd.createAh(path);
      this.#sendWr.remoteQpn = remote.qpn;
      this.#sendWr.remoteQkey = QKEY;
    }
    this.qp.modify(rtrAttr(options, remote, path));
    this.qp.modify(rtsAttr(options, this.address.psn));
  }

  /** Sends a message; the next one waits for its completion and for the answer. */
  send(): void {
    this.pending = RECV_WRID | SEND_WRID;
    this.#sendWr.immData = this.#sends++;
    this.qp.postSend(this.#sendWr);
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

// What each transition needs, by type of QP. Source: ibv_modify_qp(3).

function initAttr(options: PingPongOptions): QpAttrInit {
  const common = { qpState: QpState.INIT, pkeyIndex: 0, portNum: options.port };
  return serviceOf(options).isDatagram ? { ...common, qkey: QKEY } : { ...common, qpAccessFlags: 0 };
}

function rtrAttr(options: PingPongOptions, remote: PingPongAddress, path: AhAttrInit): QpAttrInit {
  const { isDatagram, isReliable } = serviceOf(options);
  if (isDatagram) return { qpState: QpState.RTR };
  return {
    qpState: QpState.RTR,
    pathMtu: pathMtuOf(options),
    destQpNum: remote.qpn,
    rqPsn: remote.psn,
    ahAttr: path,
    ...(isReliable && { maxDestRdAtomic: 1, minRnrTimer: 12 }),
  };
}

function rtsAttr(options: PingPongOptions, sqPsn: number): QpAttrInit {
  const { isReliable } = serviceOf(options);
  return {
    qpState: QpState.RTS,
    sqPsn,
    ...(isReliable && { timeout: 14, retryCnt: 7, rnrRetry: 7, maxRdAtomic: 1 }),
  };
}
