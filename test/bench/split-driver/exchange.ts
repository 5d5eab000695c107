/** The program that is measured: public API, and nothing that knows where it runs. */
import { AccessFlags, connectPair, QpType, RecvWr, SendFlags, SendWr, WorkCompletion, WrOpcode } from 'openverbs';
import type { CompletionQueue, Context, Device, MemoryRegion, QueuePair } from 'openverbs';
import { takeCompletions } from '../take-completions.ts';

const { SIGNALED } = SendFlags;
const DEPTH = 64;
const ACCESS = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE;
/** Writes of one chain, for bandwidth; the last one is signalled. */
export const WINDOW = 16;

/** One end, on a context of its own. */
class End {
  readonly qp: QueuePair;
  readonly cq: CompletionQueue;
  readonly mr: MemoryRegion;
  readonly sendWr: SendWr;
  readonly recvWr: RecvWr;
  private readonly wcs = WorkCompletion.array(1);

  constructor(context: Context, size: number) {
    const pd = context.allocPd();
    this.mr = pd.regMr(context.allocBuf(Math.max(size, 4096)), ACCESS);
    this.cq = context.createCq({ cqe: 2 * DEPTH });
    const cap = { maxSendWr: DEPTH, maxRecvWr: DEPTH };
    this.qp = pd.createQp({ qpType: QpType.RC, sendCq: this.cq, recvCq: this.cq, cap });
    const sgList = [this.mr.sge(0, size)];
    this.sendWr = new SendWr({ opcode: WrOpcode.SEND, sendFlags: SIGNALED, sgList });
    this.recvWr = new RecvWr({ sgList });
  }

  take(completions: number): void {
    takeCompletions(this.cq, this.wcs, completions);
  }
}

/** Two connected ends on one thread. */
export class Exchange {
  private readonly contexts: readonly Context[];
  private readonly a: End;
  private readonly b: End;
  private readonly writes: SendWr[];
  private readonly burst: SendWr[];

  constructor(device: Device, size: number, burst = 1) {
    this.contexts = [device.open(), device.open()];
    [this.a, this.b] = this.contexts.map((context) => new End(context, size));
    connectPair(this.a.qp, this.b.qp);
    const write = { opcode: WrOpcode.RDMA_WRITE, sgList: [this.a.mr.sge(0, size)] };
    const to = { remoteAddr: this.b.mr.addr, rkey: this.b.mr.rkey };
    const writes = (count: number, sendFlags: (n: number) => number): SendWr[] =>
      Array.from({ length: count }, (_, n) => new SendWr({ ...write, ...to, sendFlags: sendFlags(n) }));
    this.writes = writes(WINDOW, (n) => (n === WINDOW - 1 ? SIGNALED : 0));
    this.burst = writes(burst, () => SIGNALED);
  }

  /** SEND there and back; each end takes both its completions. */
  roundTrips(count: number): void {
    const { a, b } = this;
    for (let n = 0; n < count; n++) {
      a.qp.postRecv(a.recvWr);
      b.qp.postRecv(b.recvWr);
      a.qp.postSend(a.sendWr);
      b.take(1);
      b.qp.postSend(b.sendWr);
      a.take(2);
      b.take(1);
    }
  }

  /** Chains of RDMA WRITEs. */
  windows(count: number): void {
    for (let n = 0; n < count; n++) {
      this.a.qp.postSend(this.writes);
      this.a.take(1);
    }
  }

  /** As many writes as the burst has, all signalled; `onPosted` is called before their completions are polled, one by one. */
  bursts(count: number, onPosted: () => void, onPolled: () => void): void {
    for (let n = 0; n < count; n++) {
      this.a.qp.postSend(this.burst);
      onPosted();
      this.a.take(this.burst.length);
      onPolled();
    }
  }

  close(): void {
    for (const context of this.contexts) context[Symbol.dispose]();
  }
}
