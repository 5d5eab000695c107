/** One of the two ends of a ping-pong: a QP that sends when its last message has left and the answer to it has come. */
import {
  AccessFlags,
  type CompletionChannel,
  type CompletionQueue,
  type Context,
  Gid,
  LinkLayer,
  type MemoryRegion,
  QpState,
  QpType,
  type QueuePair,
  RecvWr,
  SendFlags,
  SendWr,
  VerbsError,
  WcStatus,
  WorkCompletion,
  WrOpcode,
} from '@openverbs/verbs';
import { type PingPongOptions, pathMtuOf } from './options.ts';

/** `wr_id` of receives and of sends, as bits of what a side waits for. */
const RECV_WRID = 1;
const SEND_WRID = 2;

/** What a buffer holds before anything came, as in C. */
const FILL_BYTE = 0x7b;
const PAGE_BYTES = 4096;

/** What the other end must know. */
export interface PingPongAddress {
  readonly lid: number;
  readonly qpn: number;
  readonly psn: number;
  /** `::` written out when no GID is used. */
  readonly gid: string;
}

/** One end of the ping-pong. Everything it makes belongs to `context` and goes with it. */
export class PingPongSide {
  readonly address: PingPongAddress;
  sent = 0;
  received = 0;

  readonly #options: PingPongOptions;
  readonly #gidIndex: number | undefined;
  readonly #channel: CompletionChannel | undefined;
  readonly #cq: CompletionQueue;
  readonly #qp: QueuePair;
  readonly #mr: MemoryRegion;
  readonly #sendWr: SendWr;
  readonly #recvWr: RecvWr;
  readonly #completions = WorkCompletion.array(2);
  #receivesPosted = 0;
  #pending = RECV_WRID;

  /** Makes the QP, brings it to INIT and posts the receives. `psn` is the number of the first packet sent. */
  constructor(context: Context, options: PingPongOptions, psn: number) {
    const { port, size, rxDepth, events } = options;
    this.#options = options;
    const portAttr = context.queryPort(port);
    this.#gidIndex = options.gidIndex ?? (portAttr.linkLayer === LinkLayer.ETHERNET ? 0 : undefined);
    const pd = context.allocPd();
    this.#mr = pd.regMr(context.allocBuf(size), AccessFlags.LOCAL_WRITE);
    this.#mr.bytes.fill(FILL_BYTE);
    this.#channel = events ? context.createCompChannel() : undefined;
    this.#cq = context.createCq({ cqe: rxDepth + 1, ...(this.#channel && { channel: this.#channel }) });
    this.#qp = pd.createQp({
      qpType: QpType.RC,
      sendCq: this.#cq,
      recvCq: this.#cq,
      cap: { maxSendWr: 1, maxRecvWr: rxDepth, maxSendSge: 1, maxRecvSge: 1 },
    });
    const inline = this.#qp.cap.maxInlineData >= size ? SendFlags.INLINE : 0;
    this.#sendWr = new SendWr({
      wrId: SEND_WRID,
      opcode: WrOpcode.SEND,
      sendFlags: SendFlags.SIGNALED | inline,
      sgList: [this.#mr.sge()],
    });
    this.#recvWr = new RecvWr({ wrId: RECV_WRID, sgList: [this.#mr.sge()] });
    this.#qp.modify({ qpState: QpState.INIT, pkeyIndex: 0, portNum: port, qpAccessFlags: 0 });
    this.#postReceives();
    if (this.#channel) this.#cq.reqNotify();
    this.address = {
      lid: portAttr.lid,
      qpn: this.#qp.qpNum,
      psn,
      gid: (this.#gidIndex === undefined ? new Gid() : context.queryGid(port, this.#gidIndex)).toString(),
    };
  }

  /** Brings the QP to RTS, towards `remote`. */
  connect(remote: PingPongAddress): void {
    const { port, sl } = this.#options;
    this.#qp.modify({
      qpState: QpState.RTR,
      pathMtu: pathMtuOf(this.#options),
      destQpNum: remote.qpn,
      rqPsn: remote.psn,
      maxDestRdAtomic: 1,
      minRnrTimer: 12,
      ahAttr: {
        dlid: remote.lid,
        sl,
        portNum: port,
        ...(this.#gidIndex !== undefined && {
          grh: { dgid: remote.gid, sgidIndex: this.#gidIndex, hopLimit: 1 },
        }),
      },
    });
    this.#qp.modify({
      qpState: QpState.RTS,
      timeout: 14,
      retryCnt: 7,
      rnrRetry: 7,
      sqPsn: this.address.psn,
      maxRdAtomic: 1,
    });
  }

  /** Sends the first message; one of the two ends does, after both are connected. */
  serve(): void {
    if (this.#options.check) fillPattern(this.#mr.bytes);
    this.#send();
    this.#pending |= SEND_WRID;
  }

  /** All exchanges are made. */
  get isDone(): boolean {
    return this.sent >= this.#options.iters && this.received >= this.#options.iters;
  }

  /** Handles the completions that are there and returns their number. */
  step(): number {
    const count = this.#cq.poll(this.#completions);
    for (let i = 0; i < count; i++) this.#complete(this.#completions[i]);
    return count;
  }

  /** Waits for completion events and handles what they announce, until {@link isDone}. */
  async stepByEvents(onProgress: () => void, signal: AbortSignal): Promise<void> {
    const channel = this.#channel!;
    while (!this.isDone) {
      const cq = await channel.getCqEvent({ signal });
      cq.ackEvents(1);
      cq.reqNotify();
      while (this.step() > 0) onProgress();
    }
  }

  /** With `check`: numbers of the pages that do not hold the pattern. */
  invalidPages(): number[] {
    if (!this.#options.check) return [];
    const { bytes } = this.#mr;
    const invalid = new Set<number>();
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== patternByte(i)) invalid.add(Math.floor(i / PAGE_BYTES));
    }
    return [...invalid];
  }

  /** What to say when nothing moves any more. */
  describe(): string {
    return `QP ${this.#qp.qpNum}: ${this.sent} sent, ${this.received} received, ${this.#receivesPosted} receives posted`;
  }

  #complete(wc: WorkCompletion): void {
    if (wc.status !== WcStatus.SUCCESS) {
      throw new VerbsError({ code: 'EIO', verb: 'ibv_poll_cq', message: `a message failed: ${wc.explain()}` });
    }
    if (wc.wrId === SEND_WRID) {
      this.sent++;
    } else {
      this.received++;
      // Refilled in bulk, when the last but one is gone.
      if (--this.#receivesPosted <= 1) this.#postReceives();
    }
    this.#pending &= ~wc.wrId;
    if (this.#pending === 0 && this.sent < this.#options.iters) {
      this.#send();
      this.#pending = RECV_WRID | SEND_WRID;
    }
  }

  #send(): void {
    this.#qp.postSend(this.#sendWr);
  }

  #postReceives(): void {
    for (; this.#receivesPosted < this.#options.rxDepth; this.#receivesPosted++) this.#qp.postRecv(this.#recvWr);
  }
}

/** Differs from byte to byte, and from page to page. */
function patternByte(index: number): number {
  return (index + Math.floor(index / PAGE_BYTES)) & 0xff;
}

function fillPattern(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = patternByte(i);
}
