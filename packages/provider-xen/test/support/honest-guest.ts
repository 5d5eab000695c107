/** An honest guest's program: two connected queue pairs that send, write and read, and look at every byte. */
import { AccessFlags, connectPair, QpType, Sge, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type {
  CompletionQueue,
  Context,
  Device,
  DmaBuffer,
  MemoryRegion,
  ProtectionDomain,
  QueuePair,
} from '@openverbs/verbs';
import type { Settling } from './settling.ts';
import type { XenMachine } from './xen-machine.ts';

const BYTES = 64 * 1024;
const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ } = AccessFlags;
const LOOKS_MAX = 1000;

export class HonestGuest {
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly buffers: readonly DmaBuffer[];
  readonly mrs: readonly MemoryRegion[];
  readonly cq: CompletionQueue;
  readonly qps: readonly QueuePair[];
  readonly #xen: Settling;
  readonly #wcs = WorkCompletion.array(4);
  #round = 0;

  constructor(xen: Settling, device: Device) {
    this.#xen = xen;
    this.context = device.open();
    this.pd = this.context.allocPd();
    this.buffers = [this.context.allocBuf(BYTES), this.context.allocBuf(BYTES)];
    this.mrs = this.buffers.map((buffer) => this.pd.regMr(buffer, LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ));
    this.cq = this.context.createCq({ cqe: 64 });
    const cap = { maxSendWr: 8, maxRecvWr: 8, maxSendSge: 2, maxRecvSge: 2 };
    this.qps = [0, 1].map(() =>
      this.pd.createQp({ qpType: QpType.RC, sendCq: this.cq, recvCq: this.cq, cap, sqSigAll: true }),
    );
    connectPair(this.qps[0], this.qps[1]);
  }

  /** A message, a write and a read, with other bytes each time, and a registration that comes and goes. */
  pulse(): void {
    const round = ++this.#round;
    const length = 1 + ((round * 7919) % (BYTES - 1));
    const [from, to] = this.buffers;
    const [mr, remote] = this.mrs;
    const sgList = [new Sge(mr.addr, length, mr.lkey)];
    const rdma = { sgList, remoteAddr: remote.addr, rkey: remote.rkey };
    const receive = { wrId: 1, sgList: [new Sge(remote.addr, BYTES, remote.lkey)] };
    fill(from.bytes, round);
    this.qps[1].postRecv(receive);
    this.qps[0].postSend({ wrId: 2, opcode: WrOpcode.SEND, sgList });
    this.#complete(2);
    expectSame(to.bytes, from.bytes, length, `message ${round}`);
    fill(from.bytes, round + 1);
    this.qps[0].postSend({ wrId: 3, opcode: WrOpcode.RDMA_WRITE, ...rdma });
    this.#complete(1);
    expectSame(to.bytes, from.bytes, length, `write ${round}`);
    from.bytes.fill(0);
    this.qps[0].postSend({ wrId: 4, opcode: WrOpcode.RDMA_READ, ...rdma });
    this.#complete(1);
    expectSame(from.bytes, to.bytes, length, `read ${round}`);
    this.pd.regMr(from, LOCAL_WRITE).dereg();
  }

  #complete(count: number): void {
    let done = 0;
    for (let look = 0; done < count; look++) {
      if (look === LOOKS_MAX) throw new Error(`${done} of ${count} completions have come`);
      const n = this.cq.poll(this.#wcs);
      for (const wc of this.#wcs.slice(0, n)) {
        if (wc.status !== WcStatus.SUCCESS) throw new Error(`a completion of an honest guest has status ${wc.status}`);
      }
      done += n;
      if (n === 0) this.#xen.settle(() => true);
    }
  }
}

/** Has a guest allocate until it gets a page that is free; answers all that it took. */
export function takePage({ machine: { pages } }: XenMachine, { context }: HonestGuest, address: number): DmaBuffer[] {
  const taken: DmaBuffer[] = [];
  while (pages.ownerOf(address) === 0) taken.push(context.allocBuf(4096));
  const last = taken.at(-1);
  if (last === undefined || context.mapDma(last).pages[0] !== address) throw new Error('another has the page');
  return taken;
}

function fill(bytes: Uint8Array, seed: number): void {
  for (let n = 0; n < bytes.length; n++) bytes[n] = Math.imul(n + seed, 0x9e3779b1) >>> 24;
}

function expectSame(actual: Uint8Array, expected: Uint8Array, length: number, what: string): void {
  if (Buffer.compare(actual.subarray(0, length), expected.subarray(0, length)) !== 0) {
    throw new Error(`${what}: ${length} bytes have not arrived as they were sent`);
  }
}
