/** What both sides of a copy have: a context of their own, a QP, and a window of bounce buffers that the QP can reach. */
import {
  AccessFlags,
  type CompletionQueue,
  type Context,
  type Device,
  type MemoryRegion,
  QpType,
  type QueuePair,
  VerbsError,
  WcStatus,
  type WorkCompletion,
} from 'openverbs';

/** Bytes of a bounce buffer, and so of a write. */
export const CHUNK_BYTES = 1 << 20;
/** Bounce buffers of a side, and so writes that can be under way. */
export const WINDOW = 8;

/** One side. Everything it makes belongs to its context and goes with it. */
export class Side {
  readonly context: Context;
  readonly cq: CompletionQueue;
  readonly qp: QueuePair;
  /** The bounce buffers, one behind the other. */
  readonly window: MemoryRegion;

  constructor(device: Device, access: number) {
    this.context = device.open();
    const pd = this.context.allocPd();
    this.cq = this.context.createCq({ cqe: 4 * WINDOW, channel: this.context.createCompChannel() });
    this.qp = pd.createQp({
      qpType: QpType.RC,
      sendCq: this.cq,
      recvCq: this.cq,
      cap: { maxSendWr: 2 * WINDOW, maxRecvWr: WINDOW },
      sqSigAll: true,
    });
    this.window = pd.regMr(this.context.allocBuf(WINDOW * CHUNK_BYTES), AccessFlags.LOCAL_WRITE | access);
  }

  /** One receive for each message that the other side can have under way; no bytes, as all there is is immediate data. */
  postReceives(): void {
    for (let i = 0; i < WINDOW; i++) this.qp.postRecv({ wrId: i });
  }

  /** The first `length` bytes of the bounce buffer that chunk number `chunk` goes through. */
  bounce(chunk: number, length: number): Uint8Array {
    const start = bounceOffset(chunk);
    return this.window.bytes.subarray(start, start + length);
  }

  /** The completions as they come; one that failed, or an abort, throws. */
  async *completions(signal: AbortSignal): AsyncGenerator<WorkCompletion, void> {
    for await (const batch of this.cq.completions({ signal })) {
      for (const wc of batch) {
        if (wc.status !== WcStatus.SUCCESS) throw new VerbsError({ code: 'EIO', message: wc.explain() });
        yield wc;
      }
    }
  }

  [Symbol.dispose](): void {
    this.context[Symbol.dispose]();
  }
}

/** Where in the window the bounce buffer of a chunk begins. */
export function bounceOffset(chunk: number): number {
  return (chunk % WINDOW) * CHUNK_BYTES;
}
