/** Guests that share one HCA through the back-end, each with as much to send as it can. */
import { expect } from 'chai';
import { VirtualClock } from '@openverbs/machine';
import { AccessFlags, connectPair, QpType, SendFlags, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { CompletionQueue, Context, Device, MemoryRegion, QueuePair } from '@openverbs/verbs';
import type { XenSettings } from '../../src/index.ts';
import { setShare } from '../../src/toolstack.ts';
import type { Share } from '../../src/toolstack.ts';
import { openXen } from './open-xen.ts';
import type { OpenedXen } from './open-xen.ts';

export const MESSAGE_BYTES = 16384;
/** More than the link takes between two looks, so that no guest runs dry. */
export const DEPTH = 64;
const MS_NS = 1e6;
const TOLERANCE = 0.05;
/** What all together may send. */
export const LINK_BYTES_PER_S = 320e6;

/** A claim: as many bytes as 32 bits name, several times. */
const CLAIMED_SGES = 4;
const CLAIMED_SGE_BYTES = 2 ** 32 - 1;

/** A guest that writes from one half of its memory into the other, and keeps its send queue full. */
export class Sender {
  readonly context: Context;
  readonly #cq: CompletionQueue;
  readonly #qp: QueuePair;
  readonly #mr: MemoryRegion;
  readonly #messageBytes: number;
  readonly #wcs = WorkCompletion.array(DEPTH);
  #outstanding = 0;
  #claimed = false;
  /** Bytes of the writes that have completed. */
  bytes = 0;

  constructor(device: Device, messageBytes: number) {
    this.#messageBytes = messageBytes;
    this.context = device.open();
    const pd = this.context.allocPd();
    this.#cq = this.context.createCq({ cqe: DEPTH });
    this.#mr = pd.regMr(this.context.allocBuf(2 * messageBytes), AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
    const cap = { maxSendWr: DEPTH, maxRecvWr: 1, maxSendSge: CLAIMED_SGES };
    this.#qp = pd.createQp({ sendCq: this.#cq, recvCq: this.#cq, qpType: QpType.RC, cap });
    connectPair(this.#qp, this.#qp);
  }

  post(): void {
    const { rkey, addr } = this.#mr;
    const write = {
      opcode: WrOpcode.RDMA_WRITE,
      sendFlags: SendFlags.SIGNALED,
      sgList: [this.#mr.sge(0, this.#messageBytes)],
      rkey,
      remoteAddr: addr + this.#messageBytes,
    };
    const wrs = Array.from({ length: DEPTH - this.#outstanding }, () => write);
    if (wrs.length > 0) this.#qp.postSend(wrs);
    this.#outstanding = DEPTH;
  }

  /** Modifies its queue pair, which changes nothing. */
  modify(): void {
    this.#qp.modify({});
  }

  /** Posts what names more bytes than any message has. The device takes it, and the queue pair fails. */
  claim(): void {
    if (this.#outstanding === DEPTH) return;
    this.#outstanding++;
    this.#claimed = true;
    const sgList = Array.from({ length: CLAIMED_SGES }, () => this.#mr.sge(0, this.#messageBytes));
    for (const sge of sgList) sge.length = CLAIMED_SGE_BYTES;
    this.#qp.postSend({ opcode: WrOpcode.RDMA_WRITE, sgList, rkey: this.#mr.rkey, remoteAddr: this.#mr.addr });
  }

  poll(): void {
    const polled = this.#cq.poll(this.#wcs);
    for (let n = 0; n < polled; n++) expect(this.#wcs[n].status === WcStatus.SUCCESS).to.equal(!this.#claimed);
    this.#outstanding -= polled;
    this.bytes += polled * this.#messageBytes;
  }
}

export class World {
  readonly #clock = new VirtualClock();
  readonly #xen: OpenedXen;
  readonly #senders: readonly Sender[];

  /** @param messageBytes - of each guest's messages */
  constructor(settings: XenSettings, messageBytes = (_guest: number): number => MESSAGE_BYTES) {
    this.#xen = openXen({ mode: 'basic', ...settings }, this.#clock);
    this.#senders = this.#xen.devices.map((device, guest) => new Sender(device, messageBytes(guest)));
  }

  /**
   * Lets time pass, and tells how many bytes each guest sent.
   *
   * @param ms - how much time, in milliseconds
   * @param post - what a guest posts then
   */
  pass(ms: number, post = (sender: Sender, _guest: number): void => sender.post()): number[] {
    const before = this.#senders.map(({ bytes }) => bytes);
    for (let at = 0; at < ms; at++) {
      for (const [guest, sender] of this.#senders.entries()) post(sender, guest);
      this.#clock.advance(MS_NS);
      for (const sender of this.#senders) sender.poll();
    }
    return this.#senders.map(({ bytes }, n) => bytes - before[n]);
  }

  setShare(guest: number, share: Partial<Share>): void {
    const whole = { weight: 1, rateBytesPerS: 0, burstBytes: 0, ...share };
    setShare(this.#xen.dom0.xenstore, this.#xen.domids[guest], 0, whole);
  }

  [Symbol.dispose](): void {
    for (const { context } of this.#senders) context[Symbol.dispose]();
    this.#xen[Symbol.dispose]();
  }
}

export function expectAbout(bytes: number, expected: number, what: string): void {
  expect(bytes, what).to.be.within(expected * (1 - TOLERANCE), expected * (1 + TOLERANCE));
}

/** That all together sent what the link takes, in `ms`, and each its part of it. */
export function expectShares(went: readonly number[], weights: readonly number[], ms: number): void {
  const total = weights.reduce((sum, each) => sum + each, 0);
  weights.forEach((weight, n) => {
    const fair = ((LINK_BYTES_PER_S * ms) / 1000) * (weight / total);
    expectAbout(went[n], fair, `guest ${n} of weight ${weight}`);
  });
}

/** Registers a test of so many guests. */
export function describeEqualWeights(guests: number): void {
  it(`${guests} of equal weights get equal shares`, () => {
    using world = new World({ guests, bandwidthBytesPerS: LINK_BYTES_PER_S });
    const ms = guests * 25;
    expectShares(world.pass(ms), new Array<number>(guests).fill(1), ms);
  }).timeout(30_000);
}
