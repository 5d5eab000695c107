/** The survivor's half of a connection with a victim: it must not hang on the dead, and no byte beyond its region may change. */
import { setImmediate } from 'node:timers/promises';
import {
  AccessFlags,
  QpState,
  QpType,
  SendFlags,
  WcStatus,
  WorkCompletion,
  type CompletionQueue,
  type Context,
  type Device,
  type DmaBuffer,
  type MemoryRegion,
  type QpEndpoint,
  type QueuePair,
} from 'openverbs';
import type { PartnerAddress } from './victim-protocol.ts';

const REGION_BYTES = 4096;
const CANARY = 0xc5;
const WAIT_MS_MAX = 30_000;
/** The dead do not answer: 4.096 us * 2^10 is 4 ms, RNR timer code 1 is 10 us. */
const IMPATIENT = { timeout: 10, retryCnt: 1, rnrRetry: 1 };

/** See above. */
export class Partner {
  readonly #context: Context;
  readonly #cq: CompletionQueue;
  readonly #qp: QueuePair;
  readonly #buffer: DmaBuffer;
  readonly #mr: MemoryRegion;

  constructor(device: Device) {
    this.#context = device.open();
    const pd = this.#context.allocPd();
    this.#cq = this.#context.createCq({ cqe: 64 });
    // The region in the middle: what is before and behind it is not registered.
    this.#buffer = this.#context.allocBuf(3 * REGION_BYTES);
    this.#buffer.bytes.fill(CANARY);
    const middle = this.#buffer.bytes.subarray(REGION_BYTES, 2 * REGION_BYTES);
    const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC } = AccessFlags;
    this.#mr = pd.regMr(middle, LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC);
    middle.fill(0);
    const cap = { maxSendWr: 4, maxRecvWr: 4 };
    this.#qp = pd.createQp({ sendCq: this.#cq, recvCq: this.#cq, qpType: QpType.RC, cap });
  }

  /** Makes ready for a victim, and tells where to find this end. */
  invite(): PartnerAddress {
    this.#qp.modify({ qpState: QpState.RESET });
    this.#qp.toInit();
    const { rkey, addr, length } = this.#mr;
    return { endpoint: this.#qp.endpoint(), rkey, addr, length };
  }

  connect(victim: QpEndpoint): void {
    this.#qp.toRtr(victim, { minRnrTimer: 1 });
    this.#qp.toRts(victim, IMPATIENT);
  }

  /** After the victim's death: a request to it comes to an end, and the memory around the region is as it was. */
  async mourn(): Promise<void> {
    if (this.#qp.state === QpState.RTS) {
      this.#qp.postSend({ wrId: 1, sendFlags: SendFlags.SIGNALED });
      await this.#expectFailure();
    }
    this.#buffer.bytes.forEach((byte, index) => {
      const inside = index >= REGION_BYTES && index < 2 * REGION_BYTES;
      if (!inside && byte !== CANARY) throw new Error(`byte ${index} beside the region is ${byte}`);
    });
  }

  /** Times that the dead have added to the first word, all of them. @throws Error when one of them has added to half of it */
  get additions(): number {
    const { buffer, byteOffset } = this.#mr.bytes;
    const [low, high] = new Uint32Array(buffer, byteOffset, 2);
    if (low !== high) throw new Error(`half an atomic: ${low} and ${high}`);
    return low;
  }

  close(): void {
    this.#context[Symbol.dispose]();
  }

  async #expectFailure(): Promise<void> {
    const wcs = WorkCompletion.array(1);
    const deadlineMs = performance.now() + WAIT_MS_MAX;
    while (this.#cq.poll(wcs) === 0) {
      if (performance.now() > deadlineMs) throw new Error('a request to a QP of the dead does not end');
      await setImmediate();
    }
    // It has no receives, so whether its QP is still there or not, the request fails.
    if (wcs[0]?.status === WcStatus.SUCCESS) throw new Error('a QP of the dead took a message');
  }
}
