/** A program on OpenVerbs that writes to its peer: what an application would write, with nothing but the public API. */
import { AccessFlags, QpType, SendFlags, SendWr, WcStatus, WorkCompletion, WrOpcode } from 'openverbs';
import type { CompletionQueue, Context, MemoryRegion, QpEndpoint, QueuePair } from 'openverbs';

const { RDMA_WRITE } = WrOpcode;
const { SIGNALED } = SendFlags;
const { SUCCESS } = WcStatus;
const PAGE_BYTES = 4096;
const DEPTH = 64;
/** Places of small messages in a buffer, for {@link VerbsWriter.writeAround}. */
const PLACE_BYTES = 8;
const PLACES_MASK = PAGE_BYTES / PLACE_BYTES - 1;

/** What the peer needs to know; it survives a message to another thread. */
export interface WriterAddress {
  readonly endpoint: QpEndpoint;
  /** Where to write. */
  readonly addr: number;
  readonly rkey: number;
}

/** Writes messages of `size` bytes. One buffer: its first half goes out, into the second half the peer writes. */
export class VerbsWriter {
  readonly address: WriterAddress;
  readonly context: Context;
  readonly qp: QueuePair;
  readonly cq: CompletionQueue;
  readonly mr: MemoryRegion;
  private readonly wr: SendWr;
  private readonly wcs = WorkCompletion.array(1);
  private readonly wc = this.wcs[0];
  private readonly size: number;
  private readonly words: Int32Array;
  /** Last words of what goes out and of what comes in. */
  private readonly tailOut: number;
  private readonly tailIn: number;
  private remote: Pick<WriterAddress, 'addr' | 'rkey'> = { addr: 0, rkey: 0 };
  private sequence = 0;

  constructor(context: Context, size: number) {
    const half = Math.max(size, PAGE_BYTES);
    const pd = context.allocPd();
    const buffer = context.allocBuf(2 * half);
    this.context = context;
    this.size = size;
    this.mr = pd.regMr(buffer, AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
    this.cq = context.createCq({ cqe: DEPTH });
    const cap = { maxSendWr: DEPTH, maxRecvWr: 1 };
    this.qp = pd.createQp({ qpType: QpType.RC, sendCq: this.cq, recvCq: this.cq, cap });
    this.qp.toInit();
    this.wr = new SendWr({ opcode: RDMA_WRITE, sendFlags: SIGNALED, sgList: [this.mr.sge(0, size)] });
    this.words = new Int32Array(buffer.bytes.buffer, buffer.bytes.byteOffset, buffer.length >>> 2);
    this.tailOut = (size - 4) >>> 2;
    this.tailIn = (half + size - 4) >>> 2;
    this.address = { endpoint: this.qp.endpoint(), addr: this.mr.addr + half, rkey: this.mr.rkey };
  }

  /** Both sides call it. */
  connect({ endpoint, addr, rkey }: WriterAddress): void {
    this.qp.toRtr(endpoint);
    this.qp.toRts(endpoint);
    this.wr.remoteAddr = addr;
    this.wr.rkey = rkey;
    this.remote = { addr, rkey };
  }

  /** Posts and polls, one write at a time; `wrId` counts from `firstWrId`. */
  write(operations: number, firstWrId = 0): void {
    const { wr } = this;
    for (let n = 0; n < operations; n++) {
      wr.wrId = firstWrId + n;
      this.qp.postSend(wr);
      this.drain();
    }
  }

  /** The same by the extended form. */
  writeExtended(operations: number, firstWrId = 0): void {
    const { qp, size } = this;
    const { addr, lkey } = this.mr;
    const { addr: to, rkey } = this.remote;
    for (let n = 0; n < operations; n++) {
      qp.wrStart();
      qp.wrId = firstWrId + n;
      qp.wrFlags = SIGNALED;
      qp.wrRdmaWrite(rkey, to);
      qp.wrSetSge(lkey, addr, size);
      qp.wrComplete();
      this.drain();
    }
  }

  /** As {@link VerbsWriter.write}, each time from and to another place: computed addresses are what V8 is tempted to box. */
  writeAround(operations: number, firstWrId: number): void {
    const { wr } = this;
    const [sge] = wr.sgList;
    const { addr } = this.mr;
    const { addr: to } = this.remote;
    for (let n = 0; n < operations; n++) {
      const offset = (n & PLACES_MASK) * PLACE_BYTES;
      wr.wrId = firstWrId + n;
      sge.addr = addr + offset;
      wr.remoteAddr = to + offset;
      this.qp.postSend(wr);
      this.drain();
    }
  }

  /** The same by the extended form. */
  writeExtendedAround(operations: number, firstWrId: number): void {
    const { qp, size } = this;
    const { addr, lkey } = this.mr;
    const { addr: to, rkey } = this.remote;
    for (let n = 0; n < operations; n++) {
      const offset = (n & PLACES_MASK) * PLACE_BYTES;
      qp.wrStart();
      qp.wrId = firstWrId + n;
      qp.wrFlags = SIGNALED;
      qp.wrRdmaWrite(rkey, to + offset);
      qp.wrSetSge(lkey, addr + offset, size);
      qp.wrComplete();
      this.drain();
    }
  }

  /** Sends, then waits for the answer, `rounds` times. */
  ping(rounds: number): void {
    const { words, tailOut, tailIn } = this;
    for (let n = 0; n < rounds; n++) {
      const sequence = (this.sequence = (this.sequence + 1) | 0);
      words[tailOut] = sequence;
      this.qp.postSend(this.wr);
      this.drain();
      while (Atomics.load(words, tailIn) !== sequence);
    }
  }

  /** The other side of {@link VerbsWriter.ping}. */
  pong(rounds: number): void {
    const { words, tailOut, tailIn } = this;
    for (let n = 0; n < rounds; n++) {
      const sequence = (this.sequence = (this.sequence + 1) | 0);
      while (Atomics.load(words, tailIn) !== sequence);
      words[tailOut] = sequence;
      this.qp.postSend(this.wr);
      this.drain();
    }
  }

  private drain(): void {
    while (this.cq.poll(this.wcs) === 0);
    if (this.wc.status !== SUCCESS) throw new Error(this.wc.explain());
  }
}
