/** Two connected queue pairs that move one message after the other between two buffers. */
import { AccessFlags, connectPair, QpType, RecvWr, SendFlags, SendWr, WorkCompletion, WrOpcode } from 'openverbs';
import type { CompletionQueue, Context, QueuePair } from 'openverbs';
import { takeCompletions } from '../take-completions.ts';

const { SIGNALED } = SendFlags;
const DEPTH = 16;
const ACCESS = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE | AccessFlags.REMOTE_READ;

export class TransferPair {
  /** Offsets in machine memory of what is read and of what is written. */
  readonly source: number;
  readonly destination: number;
  private readonly a: QueuePair;
  private readonly b: QueuePair;
  private readonly sendCq: CompletionQueue;
  private readonly recvCq: CompletionQueue;
  private readonly writeWr: SendWr;
  private readonly readWr: SendWr;
  private readonly sendWr: SendWr;
  private readonly recvWr: RecvWr;
  private readonly wcs = WorkCompletion.array(1);

  constructor(context: Context, size: number) {
    const pd = context.allocPd();
    const from = context.allocBuf(size);
    const to = context.allocBuf(size);
    const source = pd.regMr(from, ACCESS);
    const destination = pd.regMr(to, ACCESS);
    this.source = from.bytes.byteOffset;
    this.destination = to.bytes.byteOffset;
    this.sendCq = context.createCq({ cqe: DEPTH });
    this.recvCq = context.createCq({ cqe: DEPTH });
    const cap = { maxSendWr: DEPTH, maxRecvWr: DEPTH };
    const init = { qpType: QpType.RC, sendCq: this.sendCq, recvCq: this.recvCq, cap };
    this.a = pd.createQp(init);
    this.b = pd.createQp(init);
    connectPair(this.a, this.b);
    const outgoing = {
      sendFlags: SIGNALED,
      sgList: [source.sge()],
      remoteAddr: destination.addr,
      rkey: destination.rkey,
    };
    this.writeWr = new SendWr({ ...outgoing, opcode: WrOpcode.RDMA_WRITE });
    this.sendWr = new SendWr({ ...outgoing, opcode: WrOpcode.SEND });
    this.recvWr = new RecvWr({ sgList: [destination.sge()] });
    this.readWr = new SendWr({
      opcode: WrOpcode.RDMA_READ,
      sendFlags: SIGNALED,
      sgList: [destination.sge()],
      remoteAddr: source.addr,
      rkey: source.rkey,
    });
  }

  write(operations: number): void {
    for (let n = 0; n < operations; n++) {
      this.a.postSend(this.writeWr);
      takeCompletions(this.sendCq, this.wcs, 1);
    }
  }

  read(operations: number): void {
    for (let n = 0; n < operations; n++) {
      this.a.postSend(this.readWr);
      takeCompletions(this.sendCq, this.wcs, 1);
    }
  }

  send(operations: number): void {
    for (let n = 0; n < operations; n++) {
      this.b.postRecv(this.recvWr);
      this.a.postSend(this.sendWr);
      takeCompletions(this.sendCq, this.wcs, 1);
      takeCompletions(this.recvCq, this.wcs, 1);
    }
  }
}
