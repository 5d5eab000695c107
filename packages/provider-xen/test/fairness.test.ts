/** Guests that share one HCA through the back-end, each with as much to send as it can: who gets how much of the link. */
import { expect } from 'chai';
import { VirtualClock } from '@openverbs/machine';
import { AccessFlags, connectPair, QpType, SendFlags, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { CompletionQueue, Context, Device, MemoryRegion, QueuePair } from '@openverbs/verbs';
import type { XenSettings } from '../src/index.ts';
import { setShare } from '../src/toolstack.ts';
import type { Share } from '../src/toolstack.ts';
import { openXen } from './support/open-xen.ts';
import type { OpenedXen } from './support/open-xen.ts';

const MESSAGE_BYTES = 16384;
/** More than the link takes between two looks, so that no guest runs dry. */
const DEPTH = 64;
const MS_NS = 1e6;
const TOLERANCE = 0.05;
/** What all together may send. */
const LINK_BYTES_PER_S = 320e6;

/** A claim: as many bytes as 32 bits name, several times. */
const CLAIMED_SGES = 4;
const CLAIMED_SGE_BYTES = 2 ** 32 - 1;

/** A guest that writes from one half of its memory into the other, and keeps its send queue full. */
class Sender {
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

class World {
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

function expectAbout(bytes: number, expected: number, what: string): void {
  expect(bytes, what).to.be.within(expected * (1 - TOLERANCE), expected * (1 + TOLERANCE));
}

/** That all together sent what the link takes, in `ms`, and each its part of it. */
function expectShares(went: readonly number[], weights: readonly number[], ms: number): void {
  const total = weights.reduce((sum, each) => sum + each, 0);
  weights.forEach((weight, n) => {
    const fair = ((LINK_BYTES_PER_S * ms) / 1000) * (weight / total);
    expectAbout(went[n], fair, `guest ${n} of weight ${weight}`);
  });
}

describe('guests that share one HCA', () => {
  for (const guests of [2, 5, 16]) {
    it(`${guests} of equal weights get equal shares`, () => {
      using world = new World({ guests, bandwidthBytesPerS: LINK_BYTES_PER_S });
      const ms = guests * 25;
      expectShares(world.pass(ms), new Array<number>(guests).fill(1), ms);
    }).timeout(30_000);
  }

  it('get shares by weight, and by new ones while they send', () => {
    const guests = [1, 2, 3, 4].map((weight) => ({ weight }));
    using world = new World({ guests, bandwidthBytesPerS: LINK_BYTES_PER_S });
    expectShares(world.pass(200), [1, 2, 3, 4], 200);
    world.setShare(0, { weight: 5 });
    world.setShare(3, { weight: 1 });
    world.pass(2);
    expectShares(world.pass(200), [5, 2, 3, 1], 200);
  }).timeout(30_000);

  it('of which each of 16 has another weight get shares by weight, whatever the size of their messages', () => {
    const weights = Array.from({ length: 16 }, (_, n) => n + 1);
    const guests = weights.map((weight) => ({ weight }));
    using world = new World({ guests, bandwidthBytesPerS: LINK_BYTES_PER_S }, (guest) => 16384 << (guest % 4));
    // The end is within a round, of which each guest's part is as much as its weight: so there have to be many.
    const ms = 700;
    expectShares(world.pass(ms), weights, ms);
  }).timeout(30_000);

  it('in bypass have neither shares nor rates: the back-end is not asked for what they post', () => {
    const guests = [{ weight: 1, rateBytesPerS: 1e6 }, { weight: 9 }];
    using world = new World({ mode: 'bypass', guests, bandwidthBytesPerS: 1e6 });
    const ms = 10;
    const all = ms * DEPTH * MESSAGE_BYTES;
    expect(world.pass(ms)).to.deep.equal([all, all]);
  });

  it('keep to their rates, and to new ones while they send', () => {
    const limited = { rateBytesPerS: 40e6 };
    using world = new World({ guests: [limited, {}], bandwidthBytesPerS: 400e6 });
    const [slow, other] = world.pass(250);
    expectAbout(slow, 10e6, 'at 40 MB/s');
    expectAbout(other, 90e6, 'the other one');
    world.setShare(0, { rateBytesPerS: 80e6 });
    world.pass(2);
    expectAbout(world.pass(250)[0], 20e6, 'at 80 MB/s');
    world.setShare(0, {});
    world.pass(2);
    const [free, beside] = world.pass(250);
    expectAbout(free, 50e6, 'without a rate');
    expectAbout(beside, 50e6, 'beside it');
  }).timeout(30_000);

  it('keep to their rates, however often they modify their queue pairs', () => {
    using world = new World({ guests: [{ rateBytesPerS: 40e6 }, {}], bandwidthBytesPerS: 400e6 });
    const [slow, other] = world.pass(250, (sender) => {
      sender.post();
      sender.modify();
    });
    expectAbout(slow, 10e6, 'at 40 MB/s');
    expectAbout(other, 90e6, 'the other one');
  }).timeout(30_000);

  it('lose nothing to one that names more bytes than any message has', () => {
    using world = new World({ guests: [{}, {}], bandwidthBytesPerS: LINK_BYTES_PER_S });
    const post = (sender: Sender, guest: number): void => {
      if (guest === 0) sender.claim();
      else sender.post();
    };
    // It comes when the link is free and nobody waits, so it need not wait for its turn. Then what the link has saved up goes.
    world.pass(20, () => undefined);
    world.pass(10, post);
    const [, honest] = world.pass(100, post);
    expectAbout(honest, LINK_BYTES_PER_S / 10, 'the honest one');
  }).timeout(30_000);
});
