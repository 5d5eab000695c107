/** The first thread's view of the second one. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type ErrnoName, VerbsError } from '@openverbs/verbs';
import type { PingPongAddress } from './endpoint.ts';
import type { PingPongOptions } from './options.ts';
import type { FromPeer, PeerError, PeerStart, ToPeer } from './peer-protocol.ts';

/** How long the peer may take for one step of the handshake, and to end by itself. */
const HANDSHAKE_MS_MAX = 10_000;
const END_MS_MAX = 2_000;

/** The other end of the ping-pong, in a worker of its own that has joined this machine. */
export class PeerThread {
  readonly #worker: Worker;
  readonly #failed: Int32Array<SharedArrayBuffer>;
  readonly #inbox: FromPeer[] = [];
  readonly #exited: Promise<unknown>;
  #error: PeerError | undefined;
  #wake: () => void = () => {};

  /**
   * @param deviceIndex - the place of the device to use, instead of its name: each thread of the split driver is a guest of its own, with
   *   names of its own for the same devices
   */
  static start(machine: unknown, options: PingPongOptions, deviceIndex?: number): PeerThread {
    return new PeerThread({ machine, deviceIndex, options, failed: new Int32Array(new SharedArrayBuffer(4)) });
  }

  private constructor(start: PeerStart) {
    this.#failed = start.failed;
    this.#worker = new Worker(new URL('./peer-worker.js', import.meta.url), { workerData: start });
    this.#exited = once(this.#worker, 'exit').catch(() => {});
    this.#worker.on('message', (message: FromPeer) => this.#receive(message));
    this.#worker.on('error', (error: Error) =>
      this.#receive({ kind: 'error', error: { code: 'EIO', message: error.message, hint: '' } }),
    );
  }

  /** The peer has said that it is lost. Readable while this thread spins. */
  get hasFailed(): boolean {
    return Atomics.load(this.#failed, 0) !== 0;
  }

  async addresses(): Promise<readonly PingPongAddress[]> {
    return (await this.#expect('addresses')).addresses;
  }

  /** Resolves when the peer's QPs can send. */
  async connect(remotes: readonly PingPongAddress[]): Promise<void> {
    this.#send({ kind: 'connect', remotes });
    await this.#expect('connected');
  }

  /** Resolves when the peer is done, with the pages in which it found wrong contents. */
  async invalidPages(): Promise<readonly number[]> {
    return (await this.#expect('done')).invalidPages;
  }

  /** Ends the peer, and tells its own error if it has reported one by then. */
  async endWithError(): Promise<VerbsError | undefined> {
    await this.#end();
    return this.#error && toVerbsError(this.#error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  /** A peer that does not end by itself is ended. */
  async #end(): Promise<void> {
    Atomics.store(this.#failed, 0, 1);
    this.#send({ kind: 'end' });
    const timeout = new AbortController();
    const late = delay(END_MS_MAX, 'late', { signal: timeout.signal }).catch(() => {});
    if ((await Promise.race([this.#exited, late])) === 'late') await this.#worker.terminate();
    timeout.abort();
  }

  #send(message: ToPeer): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromPeer): void {
    if (message.kind === 'error') this.#error ??= message.error;
    else this.#inbox.push(message);
    this.#wake();
  }

  async #expect<K extends FromPeer['kind']>(kind: K): Promise<Extract<FromPeer, { kind: K }>> {
    const deadline = performance.now() + HANDSHAKE_MS_MAX;
    for (;;) {
      if (this.#error) throw toVerbsError(this.#error);
      const message = this.#inbox.shift();
      if (message?.kind === kind) return message as Extract<FromPeer, { kind: K }>;
      if (message) throw new Error(`the second thread said ${message.kind} instead of ${kind}`);
      await this.#nextMessage(deadline - performance.now(), kind);
    }
  }

  #nextMessage(timeoutMs: number, kind: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new VerbsError({ code: 'ETIMEDOUT', message: `the second thread is silent before ${kind}` })),
        Math.max(timeoutMs, 0),
      );
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function toVerbsError(error: PeerError): VerbsError {
  return new VerbsError({ ...error, code: error.code as ErrnoName });
}
