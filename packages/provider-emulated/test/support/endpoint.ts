/** A queue pair with all that it needs, on a device as the provider hands it out: no dispatcher, no events. */
import { hostClock } from '@openverbs/machine';
import { Device, QpType, RecvWr, SendFlags, SendWr, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { Context, QpEndpoint, QueuePair } from '@openverbs/verbs';
import type { DeviceOps, EventDispatcherOps } from '@openverbs/verbs/driver';

const WAIT_NS = 5e9;

/** Where an RDMA write to an endpoint goes. */
export interface Target {
  readonly addr: number;
  readonly rkey: number;
}

const noEvents: EventDispatcherOps = {
  attach: () => ({
    dropped: 0,
    add: () => undefined,
    remove: () => undefined,
    dispatch: () => undefined,
    hold: () => undefined,
    release: () => undefined,
    detach: () => undefined,
  }),
};

export class Endpoint {
  readonly context: Context;
  readonly target: Target;
  #qp: QueuePair;
  readonly #port: number;
  readonly #words: Int32Array;
  readonly #cq;
  readonly #mr;
  readonly #pd;
  #remote: Target = { addr: 0, rkey: 0 };

  constructor(ops: DeviceOps, port: number) {
    this.context = new Device(ops, 'emulated', noEvents).open();
    this.#port = port;
    this.#pd = this.context.allocPd();
    const buffer = this.context.allocBuf(64);
    this.#words = new Int32Array(buffer.bytes.buffer, buffer.bytes.byteOffset, 16);
    this.#mr = this.#pd.regMr(buffer, 0b111);
    this.target = { addr: this.#mr.addr, rkey: this.#mr.rkey };
    this.#cq = this.context.createCq({ cqe: 64 });
    this.#qp = this.#createQp();
  }

  get address(): { readonly remote: QpEndpoint; readonly target: Target } {
    return { remote: this.#qp.endpoint(), target: this.target };
  }

  connect(to: Endpoint): void {
    const { remote, target } = to.address;
    this.connectTo(remote, target);
  }

  connectTo(remote: QpEndpoint, target: Target): void {
    this.#remote = target;
    this.#qp.toRtr(remote);
    this.#qp.toRts(remote);
  }

  /** A new queue pair, not connected. */
  reset(): void {
    this.#qp.destroy();
    this.#qp = this.#createQp();
  }

  /** Writes a word into the first word of the peer's memory, from the second one of its own. */
  post(word: number): void {
    this.#words[1] = word;
    const wr = { opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList: [this.#mr.sge(4, 4)] };
    const { addr, rkey } = this.#remote;
    this.#qp.postSend(new SendWr({ ...wr, remoteAddr: addr, rkey }));
    this.#await(() => this.poll() === 1, 'the completion');
  }

  writeTo(to: Endpoint, word: number): void {
    this.post(word);
    to.awaitWord(word);
  }

  awaitWord(word: number): void {
    this.#await(() => {
      this.poll(); // in inline placement it may be this thread's to execute
      return Atomics.load(this.#words, 0) === word;
    }, `word ${word}`);
  }

  /** The first word of this endpoint's memory. */
  get word(): number {
    return Atomics.load(this.#words, 0);
  }

  postSend(): void {
    this.#qp.postSend(new SendWr({ opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [] }));
  }

  postRecv(): void {
    this.#qp.postRecv(new RecvWr({ sgList: [] }));
  }

  /** Takes completions, all of which must be good ones. */
  poll(): number {
    const wcs = [new WorkCompletion(), new WorkCompletion(), new WorkCompletion()];
    const count = this.#cq.poll(wcs);
    for (const wc of wcs.slice(0, count)) if (wc.status !== WcStatus.SUCCESS) throw new Error(wc.explain());
    return count;
  }

  #createQp(): QueuePair {
    const cap = { maxSendWr: 8, maxRecvWr: 8, maxSendSge: 1, maxRecvSge: 1 };
    const qp = this.#pd.createQp({ qpType: QpType.RC, sendCq: this.#cq, recvCq: this.#cq, cap });
    qp.toInit({ port: this.#port, accessFlags: 0b111 });
    return qp;
  }

  #await(condition: () => boolean, what: string): void {
    const deadlineNs = hostClock.nowNs() + WAIT_NS;
    while (!condition()) if (hostClock.nowNs() > deadlineNs) throw new Error(`${what} did not come`);
  }
}
