/**
 * Two threads and one device: a worker joins by the handle of the machine, and the two play ping-pong by RDMA WRITE.
 *
 * Each side writes a counter into the memory of the other and watches its own for the answer, so no receive is posted and
 * no completion tells a side that a message has come.
 */
import { once } from 'node:events';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import {
  AccessFlags,
  type CompletionQueue,
  type Context,
  type MemoryRegion,
  type QpEndpoint,
  QpType,
  type QueuePair,
  SendFlags,
  SendWr,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  openVerbs,
} from 'openverbs';

const ROUNDS = 2_000;
/** Look so often without a pause, then pause for so long each time. */
const SPINS = 20_000;
const NAP_MS = 0.05;
/** Give up after this time without an answer. */
const ANSWER_MS_MAX = 5_000;
/** A write in this many asks for a completion, which frees the slots of those before it. */
const SIGNAL_EVERY = 16;

/** What a side tells the other. */
interface Invitation {
  readonly endpoint: QpEndpoint;
  readonly addr: number;
  readonly rkey: number;
}

/** One side: words 0 and 1 of its memory are what the other side wrote and what it writes itself. */
class Player {
  readonly invitation: Invitation;
  readonly #mr: MemoryRegion;
  readonly #words: Int32Array;
  readonly #cq: CompletionQueue;
  readonly #qp: QueuePair;
  readonly #completions = WorkCompletion.array(4);
  readonly #write = new SendWr({ opcode: WrOpcode.RDMA_WRITE });

  constructor(context: Context) {
    const pd = context.allocPd();
    this.#mr = pd.regMr(context.allocBuf(8), AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
    this.#words = new Int32Array(this.#mr.bytes.buffer, this.#mr.bytes.byteOffset, 2);
    this.#cq = context.createCq({ cqe: 4 * SIGNAL_EVERY });
    this.#qp = pd.createQp({
      qpType: QpType.RC,
      sendCq: this.#cq,
      recvCq: this.#cq,
      cap: { maxSendWr: 4 * SIGNAL_EVERY, maxRecvWr: 1 },
    });
    this.invitation = { endpoint: this.#qp.endpoint(), addr: this.#mr.addr, rkey: this.#mr.rkey };
  }

  accept({ endpoint, addr, rkey }: Invitation): void {
    this.#qp.toInit();
    this.#qp.toRtr(endpoint);
    this.#qp.toRts();
    this.#write.sgList = [this.#mr.sge(4, 4)];
    this.#write.remoteAddr = addr;
    this.#write.rkey = rkey;
  }

  /** Writes `value` into the other side's memory. */
  hit(value: number): void {
    this.#words[1] = value;
    this.#write.sendFlags = value % SIGNAL_EVERY === 0 ? SendFlags.SIGNALED : 0;
    this.#qp.postSend(this.#write);
    if (value % SIGNAL_EVERY === 0) this.#checkCompletions();
  }

  /** Waits until the other side has written `value`. */
  await(value: number): void {
    for (let spins = 0; spins < SPINS; spins++) if (Atomics.load(this.#words, 0) === value) return;
    // The other thread seems to have no core. A write by RDMA wakes nobody, so the nap is short.
    for (const start = performance.now(); Atomics.wait(this.#words, 0, value - 1, NAP_MS) !== 'not-equal';) {
      this.#checkCompletions();
      if (performance.now() - start > ANSWER_MS_MAX) throw new Error(`no answer to ${value}`);
    }
  }

  #checkCompletions(): void {
    const count = this.#cq.poll(this.#completions);
    for (const wc of this.#completions.slice(0, count)) {
      if (wc.status !== WcStatus.SUCCESS) throw new Error(wc.explain());
    }
  }
}

async function ping(): Promise<void> {
  using verbs = openVerbs();
  using context = verbs.device().open();
  const player = new Player(context);
  const worker = new Worker(new URL(import.meta.url), { workerData: verbs.machine });
  try {
    const [invitation] = (await once(worker, 'message')) as [Invitation];
    player.accept(invitation);
    worker.postMessage(player.invitation);
    await once(worker, 'message');
    const start = performance.now();
    for (let round = 1; round <= ROUNDS; round++) {
      player.hit(round);
      player.await(round);
    }
    const seconds = (performance.now() - start) / 1000;
    worker.postMessage('the last answer has come');
    await once(worker, 'exit');
    console.log(`${ROUNDS} round trips between two threads, ${((seconds * 1e6) / ROUNDS).toFixed(2)} us each`);
  } finally {
    await worker.terminate();
  }
}

async function pong(machine: unknown): Promise<void> {
  using verbs = openVerbs({ machine });
  using context = verbs.device().open();
  const player = new Player(context);
  parentPort!.postMessage(player.invitation);
  const [invitation] = (await once(parentPort!, 'message')) as [Invitation];
  player.accept(invitation);
  parentPort!.postMessage('ready');
  for (let round = 1; round <= ROUNDS; round++) {
    player.await(round);
    player.hit(round);
  }
  // The end of a QP is the end of the writes that it still has to make.
  await once(parentPort!, 'message');
}

await (isMainThread ? ping() : pong(workerData));
