/** A side of a ping-pong: its QPs send when their last message has left and the answer to it has come. */
import {
  AccessFlags,
  type CompletionChannel,
  type CompletionQueue,
  type Context,
  Gid,
  LinkLayer,
  type MemoryRegion,
  type PortAttr,
  type ProtectionDomain,
  type QueuePair,
  RecvWr,
  type SharedReceiveQueue,
  SrqType,
  VerbsError,
  WcStatus,
  WorkCompletion,
  type XrcDomain,
  mtuToBytes,
} from '@openverbs/verbs';
import { Endpoint, endpointOfSend, type PingPongAddress, RECV_WRID, SEND_WRID } from './endpoint.ts';
import { type PingPongOptions, totalIters } from './options.ts';
import { serviceOf } from './service.ts';

/** What a buffer holds before anything came, as in C. */
const FILL_BYTE = 0x7b;
const PAGE_BYTES = 4096;

/** Queue pairs with one completion queue and one buffer. Everything it makes belongs to `context` and goes with it. */
export class PingPongSide {
  sent = 0;
  received = 0;

  readonly #options: PingPongOptions;
  /** Exchanges of all QPs together. */
  readonly #iters: number;
  readonly #channel: CompletionChannel | undefined;
  readonly #cq: CompletionQueue;
  readonly #mr: MemoryRegion;
  readonly #endpoints: readonly Endpoint[];
  readonly #endpointOf: ReadonlyMap<number, Endpoint>;
  readonly #receiver: { postRecv(wr: RecvWr): void };
  readonly #recvWr: RecvWr;
  readonly #completions: WorkCompletion[];
  #sendsPosted = 0;
  #receivesPosted = 0;

  /** Makes the QPs, brings them to INIT and posts the receives. `xrcd` makes it a side of XRC. */
  constructor(context: Context, options: PingPongOptions, xrcd?: XrcDomain) {
    const { port, size, rxDepth, numQp } = options;
    const { headerBytes } = serviceOf(options);
    this.#options = options;
    this.#iters = totalIters(options);
    const portAttr = context.queryPort(port);
    checkSize(options, portAttr);
    const pd = context.allocPd();
    const access = AccessFlags.LOCAL_WRITE | (options.odp ? AccessFlags.ON_DEMAND : 0);
    this.#mr = pd.regMr(context.allocBuf(headerBytes + size), access);
    this.#mr.bytes.fill(FILL_BYTE);
    this.#channel = options.events ? context.createCompChannel() : undefined;
    this.#cq = context.createCq({ cqe: rxDepth + numQp, ...(this.#channel && { channel: this.#channel }) });
    const srq = createSrq(pd, this.#cq, options, xrcd);
    const gidIndex = options.gidIndex ?? (portAttr.linkLayer === LinkLayer.ETHERNET ? 0 : undefined);
    const gid = (gidIndex === undefined ? new Gid() : context.queryGid(port, gidIndex)).toString();
    const resources = { options, context, cq: this.#cq, srq, xrcd, mr: this.#mr, lid: portAttr.lid, gid, gidIndex };
    this.#endpoints = Array.from({ length: numQp }, (_, index) => new Endpoint(resources, index));
    this.#endpointOf = new Map(this.#endpoints.map((endpoint) => [endpoint.recvQp.qpNum, endpoint]));
    this.#receiver = srq ?? this.#endpoints[0].recvQp;
    this.#recvWr = new RecvWr({ wrId: RECV_WRID, sgList: [this.#mr.sge()] });
    this.#completions = WorkCompletion.array(2 * numQp);
    this.#postReceives();
    if (this.#channel) this.#cq.reqNotify();
  }

  /** What the other end must know of each QP. */
  get addresses(): readonly PingPongAddress[] {
    return this.#endpoints.map((endpoint) => endpoint.address);
  }

  /** Brings the QPs to RTS, each towards its peer in `remotes`. */
  connect(remotes: readonly PingPongAddress[]): void {
    this.#endpoints.forEach((endpoint, index) => endpoint.connect(remotes[index]));
  }

  /** Sends the first message of each QP. */
  serve(): void {
    if (this.#options.check) fillPattern(this.#messageBytes);
    for (const endpoint of this.#endpoints) this.#send(endpoint);
  }

  /** All exchanges are made. */
  get isDone(): boolean {
    return this.sent >= this.#iters && this.received >= this.#iters;
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
    const bytes = this.#messageBytes;
    const invalid = new Set<number>();
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== patternByte(i)) invalid.add(Math.floor(i / PAGE_BYTES));
    }
    return [...invalid];
  }

  /** What to say when nothing moves any more. */
  describe(): string {
    const [first, ...more] = this.#endpoints;
    const qps = more.length === 0 ? `QP ${first.recvQp.qpNum}` : `QP ${first.recvQp.qpNum} and ${more.length} more`;
    return `${qps}: ${this.sent} sent, ${this.received} received, ${this.#receivesPosted} receives posted`;
  }

  get #messageBytes(): Uint8Array {
    return this.#mr.bytes.subarray(serviceOf(this.#options).headerBytes);
  }

  #complete(wc: WorkCompletion): void {
    if (wc.status !== WcStatus.SUCCESS) {
      throw new VerbsError({ code: 'EIO', verb: 'ibv_poll_cq', message: `a message failed: ${wc.explain()}` });
    }
    const isSend = wc.wrId !== RECV_WRID;
    const endpoint = isSend ? this.#endpoints[endpointOfSend(wc.wrId)] : this.#receiverOf(wc);
    if (isSend) {
      this.sent++;
    } else {
      // Refilled in bulk, while there is still one for each QP.
      if (--this.#receivesPosted <= this.#endpoints.length) this.#postReceives();
      if (!endpoint.accepts(wc)) return;
      this.received++;
    }
    endpoint.pending &= ~(isSend ? SEND_WRID : RECV_WRID);
    if (endpoint.pending === 0) this.#send(endpoint);
  }

  /** A side with one QP takes all: a client of XRC may be reached through the QP of another client. */
  #receiverOf({ qpNum }: WorkCompletion): Endpoint {
    return this.#endpoints.length === 1 ? this.#endpoints[0] : this.#endpointOf.get(qpNum)!;
  }

  /** The last messages of several QPs are under way together, so sends are counted when they are posted. */
  #send(endpoint: Endpoint): void {
    if (this.#sendsPosted >= this.#iters || endpoint.sends >= this.#options.iters) return;
    this.#sendsPosted++;
    endpoint.send(this.#sendQpOf(endpoint));
  }

  /** Over XRC each message to a client takes the next connection, as in xsrq_pingpong.c: what it names, and not its way, says for whom it is. */
  #sendQpOf(endpoint: Endpoint): QueuePair {
    if (!serviceOf(this.#options).isExtended) return endpoint.sendQp;
    const index = this.#endpoints.indexOf(endpoint) + endpoint.sends;
    return this.#endpoints[index % this.#endpoints.length].sendQp;
  }

  #postReceives(): void {
    for (; this.#receivesPosted < this.#options.rxDepth; this.#receivesPosted++) this.#receiver.postRecv(this.#recvWr);
  }
}

function createSrq(
  pd: ProtectionDomain,
  cq: CompletionQueue,
  options: PingPongOptions,
  xrcd: XrcDomain | undefined,
): SharedReceiveQueue | undefined {
  const attr = { maxWr: options.rxDepth, maxSge: 1 };
  if (xrcd) return pd.createSrq({ attr, srqType: SrqType.XRC, xrcd, cq });
  return serviceOf(options).hasSrq ? pd.createSrq({ attr }) : undefined;
}

/** A datagram is one packet. */
function checkSize(options: PingPongOptions, { activeMtu }: PortAttr): void {
  const { service, size, port } = options;
  const mtu = mtuToBytes(activeMtu);
  if (!serviceOf(options).isDatagram || size <= mtu) return;
  throw new VerbsError({
    code: 'EINVAL',
    message: `a message of ${size} bytes is larger than the MTU of port ${port}, ${mtu} bytes`,
    hint: `${service} sends each message as one packet: ask for a size of ${mtu} or less`,
  });
}

/** Differs from byte to byte, and from page to page. */
function patternByte(index: number): number {
  return (index + Math.floor(index / PAGE_BYTES)) & 0xff;
}

function fillPattern(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = patternByte(i);
}
