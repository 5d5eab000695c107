/** Everything that a program does with verbs, in an order that a seed chooses, without end. */
import { Xoshiro128, type Prng } from '@openverbs/machine';
import {
  AccessFlags,
  QpState,
  QpType,
  SendFlags,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  connectPair,
  type CompletionQueue,
  type Context,
  type Device,
  type MemoryRegion,
  type ProtectionDomain,
  type QpEndpoint,
  type QueuePair,
  type SendWrInit,
} from '@openverbs/verbs';
import { BOTH_HALVES, type PartnerAddress } from './victim-protocol.ts';

const REGIONS_MAX = 6;
const PAIRS_MAX = 4;
const REGION_BYTES_MAX = 512 * 1024;
const WRITES = 12;
const CQE = 64;
/** Others have the processors too, and a dead owner of the lock has to be found out; but then it goes on. */
const WAIT_MS_MAX = 30_000;
const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC } = AccessFlags;
const ACCESS = LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC;
const WORD_BYTES = 8;
/** READs and atomics that are under way at once, outward. */
const OUTWARD_MAX = 4;
const CAP = { maxSendWr: 16, maxRecvWr: 16 };

/** Two QPs that are connected with each other. */
type Pair = readonly [QueuePair, QueuePair];

/** See above. */
export class Chaos {
  readonly #prng: Prng;
  readonly #devices: readonly Device[];
  readonly #partner: PartnerAddress;
  readonly #wcs = WorkCompletion.array(CQE);
  /** Takes what READs and atomics bring from the partner. */
  #outwardMr!: MemoryRegion;
  #context!: Context;
  #pd!: ProtectionDomain;
  #cq!: CompletionQueue;
  #regions: MemoryRegion[] = [];
  #pairs: Pair[] = [];
  /** The QP that is connected with the partner, and its CQ. */
  #outward!: QueuePair;
  #outwardCq!: CompletionQueue;

  constructor(devices: readonly Device[], seed: number, partner: PartnerAddress) {
    this.#devices = devices;
    this.#prng = new Xoshiro128(seed);
    this.#partner = partner;
    this.#open();
    this.#connectOutward();
  }

  /** Which QP the partner is to connect to. */
  get endpoint(): QpEndpoint {
    return this.#outward.endpoint();
  }

  /** One thing or another. */
  step(): void {
    const doings = [
      () => this.#register(),
      () => this.#deregister(),
      () => this.#createPair(),
      () => this.#destroyPair(),
      () => this.#breakPair(),
      () => this.#resize(),
      () => this.#write(64),
      () => this.#write(REGION_BYTES_MAX),
      () => this.#send(),
      () => this.#read(),
      () => this.#fetchAndAdd(),
      () => this.#writeOutward(),
      () => this.#readOutward(),
      () => this.#fetchAndAddOutward(),
      () => {
        if (this.#prng.nextInt(10) === 0) this.#reopen();
      },
    ];
    doings[this.#prng.nextInt(doings.length)]?.();
  }

  #open(): void {
    const device = this.#devices[this.#prng.nextInt(this.#devices.length)];
    if (device === undefined) throw new TypeError('there are devices');
    this.#context = device.open();
    this.#pd = this.#context.allocPd();
    this.#cq = this.#context.createCq({ cqe: CQE });
    this.#regions = [];
    this.#pairs = [];
    this.#register();
    this.#createPair();
  }

  /** Closes the context with everything in it; the QP outward is of another one and stays. */
  #reopen(): void {
    this.#context[Symbol.dispose]();
    this.#open();
  }

  #connectOutward(): void {
    const context = this.#devices[0]?.open();
    if (context === undefined) throw new TypeError('there are devices');
    this.#outwardCq = context.createCq({ cqe: CQE });
    const cq = this.#outwardCq;
    const pd = context.allocPd();
    this.#outward = pd.createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: CAP });
    this.#outwardMr = pd.regMr(context.allocBuf(OUTWARD_MAX * this.#partner.length), ACCESS);
    this.#outward.toInit();
    this.#outward.toRtr(this.#partner.endpoint);
    this.#outward.toRts(this.#partner.endpoint);
  }

  #register(): void {
    if (this.#regions.length === REGIONS_MAX) return;
    const buffer = this.#context.allocBuf(64 + this.#prng.nextInt(REGION_BYTES_MAX));
    this.#regions.push(this.#pd.regMr(buffer, ACCESS));
  }

  #deregister(): void {
    if (this.#regions.length < 2) return;
    const [region] = this.#regions.splice(this.#prng.nextInt(this.#regions.length), 1);
    region?.dereg();
  }

  #createPair(): void {
    if (this.#pairs.length === PAIRS_MAX) return;
    const init = { sendCq: this.#cq, recvCq: this.#cq, qpType: QpType.RC, cap: CAP };
    const pair = [this.#pd.createQp(init), this.#pd.createQp(init)] as const;
    connectPair(...pair);
    this.#pairs.push(pair);
  }

  #destroyPair(): void {
    if (this.#pairs.length < 2) return;
    const [pair] = this.#pairs.splice(this.#prng.nextInt(this.#pairs.length), 1);
    for (const qp of pair ?? []) qp.destroy();
  }

  #breakPair(): void {
    const pair = this.#anyPair();
    pair[0].postRecv({ wrId: 1 });
    for (const state of [QpState.ERR, QpState.RESET]) for (const qp of pair) qp.modify({ qpState: state });
    connectPair(...pair);
  }

  #resize(): void {
    this.#cq.resize(CQE + this.#prng.nextInt(CQE));
  }

  /** A few writes, of which the last one is looked at. */
  #write(lengthMax: number): void {
    const [region, [qp]] = [this.#anyRegion(), this.#anyPair()];
    const half = region.length >> 1;
    const length = 1 + this.#prng.nextInt(Math.min(half, lengthMax));
    const mark = 1 + this.#prng.nextInt(255);
    region.bytes.fill(mark, 0, length);
    const { rkey } = region;
    const wr = { opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, rkey, remoteAddr: region.addr + half };
    const sgList = [region.sge(0, length)];
    for (let wrId = 0; wrId < WRITES; wrId++) qp.postSend({ ...wr, wrId, sgList });
    this.#complete(WRITES);
    for (const index of [half, half + length - 1]) {
      if (region.bytes[index] !== mark) throw new Error(`byte ${index} is ${region.bytes[index]}, expected ${mark}`);
    }
  }

  #send(): void {
    const [region, [from, to]] = [this.#anyRegion(), this.#anyPair()];
    const half = region.length >> 1;
    to.postRecv({ wrId: 1, sgList: [region.sge(half)] });
    from.postSend({ wrId: 2, sendFlags: SendFlags.SIGNALED, sgList: [region.sge(0, half)] });
    this.#complete(2);
  }

  /** Reads the first half into the second. */
  #read(): void {
    const [region, [qp]] = [this.#anyRegion(), this.#anyPair()];
    const half = region.length >> 1;
    const mark = 1 + this.#prng.nextInt(255);
    region.bytes.fill(mark, 0, half);
    const { rkey, addr: remoteAddr } = region;
    qp.postSend({
      opcode: WrOpcode.RDMA_READ,
      sendFlags: SendFlags.SIGNALED,
      rkey,
      remoteAddr,
      sgList: [region.sge(half, half)],
    });
    this.#complete(1);
    for (const index of [half, 2 * half - 1]) {
      if (region.bytes[index] !== mark) throw new Error(`byte ${index} is ${region.bytes[index]}, expected ${mark}`);
    }
  }

  /** A few, of which each fetches what the one before has left. */
  #fetchAndAdd(): void {
    const [region, [qp]] = [this.#anyRegion(), this.#anyPair()];
    const { rkey, addr: remoteAddr } = region;
    region.bytes.fill(0, 0, WORD_BYTES);
    const wr = {
      opcode: WrOpcode.ATOMIC_FETCH_AND_ADD,
      sendFlags: SendFlags.SIGNALED,
      rkey,
      remoteAddr,
      compareAdd: 1n,
    };
    const sgList = [region.sge(WORD_BYTES, WORD_BYTES)];
    for (let wrId = 0; wrId < WRITES; wrId++) qp.postSend({ ...wr, wrId, sgList });
    this.#complete(WRITES);
    const found = [region.bytes[0], region.bytes[WORD_BYTES]];
    if (found[0] !== WRITES || found[1] !== WRITES - 1)
      throw new Error(`${WRITES} additions have come to ${String(found)}`);
  }

  /** Into memory of the one who survives. */
  #writeOutward(): void {
    const { addr: remoteAddr, length, rkey } = this.#partner;
    this.#postOutward({ opcode: WrOpcode.RDMA_WRITE, rkey, remoteAddr: remoteAddr + this.#prng.nextInt(length) });
  }

  /** All of that memory, several times at once: some of it is under way when the thread ends. */
  #readOutward(): void {
    const { addr: remoteAddr, length, rkey } = this.#partner;
    for (let n = 0; n < OUTWARD_MAX; n++) {
      const sgList = [this.#outwardMr.sge(n * length, length)];
      this.#postOutward({ opcode: WrOpcode.RDMA_READ, rkey, remoteAddr, sgList });
    }
  }

  /** Counts in both halves of a word of that memory, which therefore stay equal. */
  #fetchAndAddOutward(): void {
    const { addr: remoteAddr, rkey } = this.#partner;
    const sgList = [this.#outwardMr.sge(0, WORD_BYTES)];
    const wr = { opcode: WrOpcode.ATOMIC_FETCH_AND_ADD, rkey, remoteAddr, compareAdd: BOTH_HALVES, sgList };
    for (let n = 0; n < OUTWARD_MAX; n++) this.#postOutward(wr);
  }

  /** Whether it is connected already does not matter. */
  #postOutward(wr: SendWrInit): void {
    this.#outwardCq.poll(this.#wcs);
    if (this.#outward.state !== QpState.RTS) return;
    try {
      this.#outward.postSend({ wrId: 3, sendFlags: SendFlags.SIGNALED, ...wr });
    } catch {
      // The queue is full while the partner does not answer.
    }
  }

  #complete(count: number): void {
    const deadlineMs = performance.now() + WAIT_MS_MAX;
    for (let found = 0; found < count;) {
      const polled = this.#cq.poll(this.#wcs, count - found);
      for (let index = 0; index < polled; index++) {
        const wc = this.#wcs[index];
        if (wc !== undefined && wc.status !== WcStatus.SUCCESS) throw new Error(`WR ${wc.wrId}: ${wc.explain()}`);
      }
      found += polled;
      if (polled === 0 && performance.now() > deadlineMs) throw new Error(`${found} of ${count} completions came`);
    }
  }

  #anyRegion(): MemoryRegion {
    const region = this.#regions[this.#prng.nextInt(this.#regions.length)];
    if (region === undefined) throw new TypeError('there is a region');
    return region;
  }

  #anyPair(): Pair {
    const pair = this.#pairs[this.#prng.nextInt(this.#pairs.length)];
    if (pair === undefined) throw new TypeError('there is a pair');
    return pair;
  }
}
