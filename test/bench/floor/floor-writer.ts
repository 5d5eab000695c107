/** A program on the floor's device that writes to its peer. */
import { FloorQp, FloorWc, FloorWr, floorMemory, INBOX, keyOf, regionOf } from './floor.ts';

const i32 = new Int32Array(floorMemory.buffer);

/** The program of QP `id`, with messages of `size` bytes. */
export class FloorWriter {
  private readonly qp: FloorQp;
  private readonly wr = new FloorWr();
  private readonly wc = new FloorWc();
  /** Last words of what goes out and of what comes in. */
  private readonly tailOut: number;
  private readonly tailIn: number;
  private sequence = 0;

  constructor(id: number, size: number) {
    const { wr } = this;
    this.qp = new FloorQp(id);
    wr.wrId = 1;
    wr.sgList[0] = { addr: regionOf(id), length: size, lkey: keyOf(id) };
    wr.remoteAddr = regionOf(1 - id) + INBOX;
    wr.rkey = keyOf(1 - id);
    this.tailOut = (regionOf(id) + size - 4) >>> 2;
    this.tailIn = (regionOf(id) + INBOX + size - 4) >>> 2;
  }

  /** Posts and polls, one write at a time. */
  write(operations: number): void {
    const { wr } = this;
    for (let n = 0; n < operations; n++) {
      wr.wrId = n;
      this.qp.postSend(wr);
      this.drain();
    }
  }

  /** Sends, then waits for the answer, `rounds` times. */
  ping(rounds: number): void {
    const { tailOut, tailIn } = this;
    for (let n = 0; n < rounds; n++) {
      const sequence = (this.sequence = (this.sequence + 1) | 0);
      i32[tailOut] = sequence;
      this.qp.postSend(this.wr);
      this.drain();
      while (Atomics.load(i32, tailIn) !== sequence);
    }
  }

  /** The other side of {@link FloorWriter.ping}. */
  pong(rounds: number): void {
    const { tailOut, tailIn } = this;
    for (let n = 0; n < rounds; n++) {
      const sequence = (this.sequence = (this.sequence + 1) | 0);
      while (Atomics.load(i32, tailIn) !== sequence);
      i32[tailOut] = sequence;
      this.qp.postSend(this.wr);
      this.drain();
    }
  }

  private drain(): void {
    while (this.qp.poll(this.wc) === 0);
    if (this.wc.status !== 0) throw new Error(`the floor's write failed with status ${this.wc.status}`);
  }
}
