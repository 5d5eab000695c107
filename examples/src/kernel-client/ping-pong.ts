/** Two queue pairs of one device that answer each other, driven by the completion handler. */
import * as ib from 'openverbs/kernel';
import { WorkCompletion, type CompletionQueue, type Device, type DmaBuffer, type MemoryRegion } from 'openverbs/kernel';
import type { ProtectionDomain, QueuePair } from 'openverbs/kernel';
import { connect } from './connect.ts';

const PAGE_BYTES = 4096;
const MESSAGE_BYTES = 64;
const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1 };

/** The game: `a` serves, and whoever receives sends back. */
export class PingPong {
  done = false;
  readonly #device: Device;
  readonly #pd: ProtectionDomain;
  readonly #cq: CompletionQueue;
  readonly #qps: readonly QueuePair[];
  readonly #pages: readonly DmaBuffer[];
  readonly #mr: MemoryRegion;
  readonly #completions = WorkCompletion.array(4);
  readonly #onDone: (seconds: number) => void;
  /** Messages that are still to be sent. */
  #left: number;
  #startedMs = 0;

  constructor(device: Device, iters: number, onDone: (seconds: number) => void) {
    this.#device = device;
    this.#onDone = onDone;
    this.#left = 2 * iters;
    this.#pd = ib.ib_alloc_pd(device);
    this.#cq = ib.ib_create_cq(device, () => this.#completed(), null, null, 16, 0);
    const init = { qpType: ib.IB_QPT_RC, sendCq: this.#cq, recvCq: this.#cq, cap: CAP };
    this.#qps = [ib.ib_create_qp(this.#pd, init), ib.ib_create_qp(this.#pd, init)];
    const [a, b] = this.#qps;
    connect(device, a, b);
    connect(device, b, a);
    // A page for what is sent and a page for what comes. They may lie anywhere; the region is one range of addresses from 0 on.
    const handles: ib.DmaHandle[] = [{}, {}];
    this.#pages = handles.map((handle) => ib.ib_dma_alloc_coherent(device, PAGE_BYTES, handle));
    const places = handles.map(({ addr }) => ({ addr: addr!, size: PAGE_BYTES }));
    this.#mr = ib.ib_reg_phys_mr(this.#pd, places, places.length, ib.IB_ACCESS_LOCAL_WRITE, 0);
  }

  start(): void {
    this.#startedMs = performance.now();
    ib.ib_req_notify_cq(this.#cq, ib.IB_CQ_NEXT_COMP);
    for (const index of this.#qps.keys()) this.#receive(index);
    this.#send(0);
  }

  end(): void {
    for (const qp of this.#qps) ib.ib_destroy_qp(qp);
    ib.ib_destroy_cq(this.#cq);
    ib.ib_dereg_mr(this.#mr);
    for (const page of this.#pages) ib.ib_dma_free_coherent(this.#device, PAGE_BYTES, page);
    ib.ib_dealloc_pd(this.#pd);
  }

  /** The handler: polls until arming finds nothing that came meanwhile. */
  #completed(): void {
    do {
      for (let count; (count = ib.ib_poll_cq(this.#cq, 4, this.#completions)) > 0;) {
        for (const wc of this.#completions.slice(0, count)) this.#take(wc);
      }
    } while (!this.done && ib.ib_req_notify_cq(this.#cq, ib.IB_CQ_NEXT_COMP | ib.IB_CQ_REPORT_MISSED_EVENTS) > 0);
    if (this.done) this.#onDone((performance.now() - this.#startedMs) / 1000);
  }

  #take(wc: WorkCompletion): void {
    if (wc.status !== ib.IB_WC_SUCCESS) throw new Error(wc.explain());
    if ((wc.opcode & ib.IB_WC_RECV) === 0) return;
    if (this.#left === 0) {
      this.done = true;
      return;
    }
    this.#receive(wc.wrId);
    this.#send(wc.wrId);
  }

  #receive(index: number): void {
    const sgList = [{ addr: PAGE_BYTES, length: MESSAGE_BYTES, lkey: this.#mr.lkey }];
    ib.ib_post_recv(this.#qps[index], { wrId: index, sgList });
  }

  #send(index: number): void {
    this.#left--;
    const sgList = [{ addr: 0, length: MESSAGE_BYTES, lkey: this.#mr.lkey }];
    ib.ib_post_send(this.#qps[index], {
      wrId: index,
      opcode: ib.IB_WR_SEND,
      sendFlags: ib.IB_SEND_SIGNALED,
      sgList,
    });
  }
}
