/** One end of a connection between two threads: sends rounds, and checks every byte of what it receives. */
import {
  AccessFlags,
  QpType,
  SendFlags,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  type CompletionQueue,
  type Context,
  type Device,
  type MemoryRegion,
  type QpEndpoint,
  type QueuePair,
} from 'openverbs';
import { BUFFER_BYTES, byteOf, type Round } from './rounds.ts';
import { waitFor } from './wait.ts';

/** What the other end has to know; a message carries it. */
export interface EndAddress {
  readonly endpoint: QpEndpoint;
  /** Where its writes go. */
  readonly target: { readonly rkey: number; readonly addr: number };
  /** What it may read. */
  readonly source: { readonly rkey: number; readonly addr: number };
}

/** Around a message nothing may change. */
const CANARY = 0xc5;
const CANARY_BYTES = 8;

/** See above. */
export class End {
  readonly #context: Context;
  readonly #sendCq: CompletionQueue;
  readonly #recvCq: CompletionQueue;
  readonly #qp: QueuePair;
  readonly #source: MemoryRegion;
  readonly #target: MemoryRegion;
  readonly #wcs = WorkCompletion.array(1);
  #remote: EndAddress | undefined;

  constructor(device: Device) {
    this.#context = device.open();
    const pd = this.#context.allocPd();
    this.#sendCq = this.#context.createCq({ cqe: 16 });
    this.#recvCq = this.#context.createCq({ cqe: 16 });
    const access = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE | AccessFlags.REMOTE_READ;
    this.#source = pd.regMr(this.#context.allocBuf(BUFFER_BYTES), access);
    this.#target = pd.regMr(this.#context.allocBuf(BUFFER_BYTES), access);
    const cap = { maxSendWr: 8, maxRecvWr: 8 };
    this.#qp = pd.createQp({ sendCq: this.#sendCq, recvCq: this.#recvCq, qpType: QpType.RC, cap });
    this.#qp.toInit();
  }

  /** What the other end needs. */
  get address(): EndAddress {
    return { endpoint: this.#qp.endpoint(), target: keyOf(this.#target), source: keyOf(this.#source) };
  }

  connect(remote: EndAddress): void {
    this.#remote = remote;
    this.#qp.toRtr(remote.endpoint);
    this.#qp.toRts(remote.endpoint);
  }

  /** Makes the target ready for a round: its last byte differs from what will come, and around it lies the canary. */
  prepare(round: Round, way: number): void {
    const { bytes } = this.#target;
    bytes.fill(CANARY, round.to - CANARY_BYTES, round.to);
    bytes.fill(CANARY, round.to + round.length, round.to + round.length + CANARY_BYTES);
    const last = round.length - 1;
    Atomics.store(bytes, round.to + last, byteOf(round, way, last) ^ 0xff);
  }

  /** As {@link End.prepare}, for a message that takes a receive. */
  prepareReceive(round: Round, way: number): void {
    this.prepare(round, way);
    this.#qp.postRecv({ wrId: round.number, sgList: [this.#target.sge(round.to, round.length)] });
  }

  /** Writes a round into the other end's target. */
  write(round: Round, way: number): void {
    const { rkey, addr } = this.#peer().target;
    this.#fill(round, way);
    this.#post(round, { opcode: WrOpcode.RDMA_WRITE, rkey, remoteAddr: addr + round.to });
  }

  /** Sends a round into the other end's receive. */
  send(round: Round, way: number): void {
    this.#fill(round, way);
    this.#post(round, { opcode: WrOpcode.SEND });
  }

  /** Reads what the other end sent last out of its source, and checks it. */
  readBack(round: Round, way: number): void {
    const { rkey, addr } = this.#peer().source;
    this.prepare(round, way);
    const sgList = [this.#target.sge(round.to, round.length)];
    this.#qp.postSend({
      wrId: round.number,
      opcode: WrOpcode.RDMA_READ,
      sendFlags: SendFlags.SIGNALED,
      sgList,
      rkey,
      remoteAddr: addr + round.from,
    });
    this.#complete(this.#sendCq, round);
    this.#check(round, way);
  }

  /**
   * Waits for the last byte of a write, and looks at nothing else before. When it is there, all others must be.
   */
  receiveByMemory(round: Round, way: number): void {
    const last = round.length - 1;
    const expected = byteOf(round, way, last);
    const { bytes } = this.#target;
    // No verb is called here: a message arrives without any help of the program that it is for.
    waitFor(`the last byte of round ${round.number}`, () => Atomics.load(bytes, round.to + last) === expected);
    this.#check(round, way);
  }

  /** Waits for the completion of a receive: when it is there, the message is. */
  receiveByCompletion(round: Round, way: number): void {
    this.#complete(this.#recvCq, round);
    this.#check(round, way);
  }

  close(): void {
    this.#context[Symbol.dispose]();
  }

  #fill(round: Round, way: number): void {
    const { bytes } = this.#source;
    for (let index = 0; index < round.length; index++) bytes[round.from + index] = byteOf(round, way, index);
  }

  #post(round: Round, rest: { opcode: number; rkey?: number; remoteAddr?: number }): void {
    const sgList = [this.#source.sge(round.from, round.length)];
    this.#qp.postSend({ wrId: round.number, sendFlags: SendFlags.SIGNALED, sgList, ...rest });
    this.#complete(this.#sendCq, round);
  }

  #complete(cq: CompletionQueue, round: Round): void {
    waitFor(`the completion of round ${round.number}`, () => cq.poll(this.#wcs) === 1);
    const [wc] = this.#wcs;
    if (wc?.status !== WcStatus.SUCCESS || wc.wrId !== round.number) {
      throw new Error(`round ${round.number}: WR ${wc?.wrId}, ${wc?.explain()}`);
    }
  }

  #check(round: Round, way: number): void {
    const { bytes } = this.#target;
    for (let index = -CANARY_BYTES; index < round.length + CANARY_BYTES; index++) {
      const inside = index >= 0 && index < round.length;
      const expected = inside ? byteOf(round, way, index) : CANARY;
      const found = bytes[round.to + index];
      if (found === expected) continue;
      const { number, length, from, to } = round;
      const where = `round ${number}, ${length} bytes from ${from} to ${to}, way ${way}: byte ${index}`;
      throw new Error(`${where} is ${found}, expected ${expected}`);
    }
  }

  #peer(): EndAddress {
    if (this.#remote === undefined) throw new Error('this end is not connected');
    return this.#remote;
  }
}

function keyOf({ rkey, addr }: MemoryRegion): { rkey: number; addr: number } {
  return { rkey, addr };
}
