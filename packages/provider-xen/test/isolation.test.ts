/** Each check of the back-end, attacked alone: what `test/mutations` removes, a test here misses. */
import { expect } from 'chai';
import { SharedRing, XenbusState } from '@openverbs/hypervisor';
import { connectPair, QpType, SendFlags, Sge, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { Account } from '../src/backend/accounting.ts';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { BULK_WORDS, ENTRY_ARGUMENT_WORDS } from '../src/protocol/limits.ts';
import { GUEST_ADDRESS_BASE } from '../src/frontend/guest-memory.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend, requestWords } from './support/hostile-frontend.ts';
import { replacingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { XenMachineInit } from './support/xen-machine.ts';

const { BEGIN_REGION, ADD_PAGES, END_REGION, DEREG_MR, OPEN_CONTEXT, CLOSE_CONTEXT, ALLOC_PD, DEALLOC_PD } = Commands;
const { CREATE_CQ, DESTROY_CQ, DRAIN_CQ, CONSUME_CQ, RESIZE_CQ, OPEN_XRCD, QUERY_GID } = Commands;
const { CREATE_QP, DESTROY_QP, CREATE_SRQ, MODIFY_SRQ, DESTROY_SRQ } = Commands;
const PAGES = 64;
const QUOTAS = { pds: 4, regions: 2, pages: 32, pinnedRuns: 8 };
const CQ = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false };
const CREATE = 0o100;
const EXCLUSIVE = 0o200;

describe('isolation of guests', () => {
  let xen: XenMachine;
  let front: HostileFrontend;
  let context: number;
  let pd: number;
  /** The first of the hostile guest's own pages, which follow each other. */
  let frame: number;

  function start(init: XenMachineInit = {}): void {
    xen = new XenMachine({ quotas: QUOTAS, ...init });
    front = connected();
    ({ context } = front.call(OPEN_CONTEXT, {}));
    ({ pd } = front.call(ALLOC_PD, { context }));
    frame = front.guest.domain.memory.allocPages(PAGES);
  }

  function connected(mode: 'basic' | 'bypass' = 'bypass'): HostileFrontend {
    const made = new HostileFrontend(xen, xen.addGuest(mode));
    expect(made.connect()).to.equal(true);
    return made;
  }

  function region(pages: number, use: number = RegionUse.MEMORY): Parameters<typeof front.call<never, never>>[1] {
    const place = { iova: 0x10000, length: pages * 4096, firstOffset: 0, pages };
    return { context, use, mr: 0, flags: 0, pd, access: 1, ...place } as never;
  }

  function begin(pages: number, use: number = RegionUse.MEMORY): number {
    return front.call(BEGIN_REGION, region(pages, use)).region;
  }

  function register(use: number): number {
    const number = begin(1, use);
    front.call(ADD_PAGES, { region: number, pages: [frame] });
    return front.call(END_REGION, { region: number }).mr;
  }

  function expectFree(): void {
    front.guest.domain.memory.freePages(frame);
    frame = front.guest.domain.memory.allocPages(PAGES);
  }

  beforeEach(() => {
    start();
  });
  afterEach(() => {
    xen.close();
  });

  it('pages of another guest, of dom0 and of nobody are refused, and those before them in the list let go', () => {
    const other = connected();
    const strange = [other.guest.domain.memory.allocPages(1), 0, 1, 2 ** 32 - 1, 2 ** 18 - 1];
    for (const bad of strange) {
      const number = begin(2);
      expect(front.refusal(ADD_PAGES, { region: number, pages: [frame, bad] }), String(bad)).to.match(/^EINVAL: frame/);
      front.call(Commands.ABORT_REGION, { region: number });
      expectFree();
    }
  });

  it('a region has the pages that were told of: no more, no fewer, and as many as its bytes lie in', () => {
    const number = begin(2);
    const three = [frame, frame + 1, frame + 2];
    expect(front.refusal(ADD_PAGES, { region: number, pages: three })).to.contain('more than the 2 pages');
    expect(front.refusal(ADD_PAGES, { region: number, pages: [] })).to.contain('no page is named');
    front.call(ADD_PAGES, { region: number, pages: [frame] });
    expect(front.refusal(ADD_PAGES, { region: number, pages: three.slice(1) })).to.contain('more than the 2 pages');
    expect(front.refusal(END_REGION, { region: number })).to.contain('1 of 2 pages have come');
    const lies = { ...(region(1) as object), length: 8192 } as never;
    expect(front.refusal(BEGIN_REGION, lies)).to.contain('lie in 2 pages, not 1');
  });

  it('lengths that lie reach no words of an earlier message', () => {
    const number = begin(PAGES);
    const pages = Array.from({ length: 30 }, (_, n) => frame + n);
    const words = requestWords(ADD_PAGES, { region: number, pages });
    expect(front.send({ number: ADD_PAGES.number, words }).error).to.equal(null);
    // All of it still stands in the back-end's copy, behind what an entry can hold.
    const long = {
      number: ADD_PAGES.number,
      words: requestWords(ADD_PAGES, { region: number, pages: [frame, frame + 1] }),
    };
    for (const lie of [
      { ...long, words: [number, 30], length: 2 },
      { ...long, words: [number, 30, ...pages].slice(0, ENTRY_ARGUMENT_WORDS), length: words.length, bulk: 0 },
      { ...long, length: BULK_WORDS + 1, bulk: 1 },
      { ...long, length: -1, bulk: 1 },
      { ...long, length: -1 },
      { ...long, words: [...long.words, 0] },
      { ...long, words: long.words.slice(0, -1) },
    ]) {
      expect(front.send(lie).error?.code, JSON.stringify({ ...lie, words: 0 })).to.equal('EINVAL');
    }
  });

  it('quotas hold, and what is given back may be had again', () => {
    for (let round = 0; round < 10; round++)
      front.call(DEALLOC_PD, { context, pd: front.call(ALLOC_PD, { context }).pd });
    for (let n = 1; n < QUOTAS.pds; n++) front.call(ALLOC_PD, { context });
    expect(front.refusal(ALLOC_PD, { context })).to.contain('ENOMEM: this guest may have 4 pds');
    const numbers = [begin(40), begin(40)];
    expect(front.refusal(BEGIN_REGION, region(1))).to.contain('may have 2 regions');
    const all = Array.from({ length: 33 }, (_, n) => frame + n);
    expect(front.refusal(ADD_PAGES, { region: numbers[0], pages: all })).to.contain('may have 32 pages');
    const scattered = Array.from({ length: 9 }, (_, n) => frame + 2 * n);
    expect(front.refusal(ADD_PAGES, { region: numbers[0], pages: scattered })).to.contain('may have 8 pinnedRuns');
    expectFree();
  });

  it('the queues of basic take no more of the device domain than the quota allows, whatever is asked for', () => {
    start({ quotas: { queueBytes: 65536 } });
    front = connected('basic');
    ({ context } = front.call(OPEN_CONTEXT, {}));
    ({ pd } = front.call(ALLOC_PD, { context }));
    const createCq = (cqe: number): number => front.call(CREATE_CQ, { ...CQ, context, cqe, key: 0 }).cq;
    const over = (refusal: string): void => {
      expect(refusal).to.match(/^ENOMEM: this guest may have 65536 queueBytes, and has \d+$/);
    };
    const cap = { maxSendWr: 16, maxRecvWr: 16, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
    for (let round = 0; round < 10; round++) {
      const cq = createCq(256);
      const qp = { context, pd, sendCq: cq, recvCq: cq, srq: 0, xrcd: 0, qpType: QpType.RC, sqSigAll: false, cap };
      const srq = { context, pd, attr: { maxWr: 16, maxSge: 1, srqLimit: 0 }, xrcd: 0, cq: 0, cookie: 3, key: 0 };
      const made = front.call(CREATE_QP, { ...qp, cookie: 2, key: 0 }).qp;
      const shared = front.call(CREATE_SRQ, srq).srq;
      for (const cqe of [1024, 2 ** 20, 0x7fffffff]) {
        over(front.refusal(CREATE_CQ, { ...CQ, context, cqe, key: 0 }));
        over(front.refusal(RESIZE_CQ, { context, cq, cqe, consumed: 0, key: 0 }));
      }
      const huge = { ...cap, maxSendWr: 0xffffffff, maxInlineData: 0xffffffff };
      over(front.refusal(CREATE_QP, { ...qp, cap: huge, cookie: 2, key: 0 }));
      over(front.refusal(CREATE_SRQ, { ...srq, attr: { maxWr: 2 ** 31, maxSge: 1, srqLimit: 0 } }));
      over(front.refusal(MODIFY_SRQ, { context, srq: shared, attr: { maxWr: 2 ** 14 }, key: 0 }));
      front.call(RESIZE_CQ, { context, cq, cqe: 64, consumed: 0, key: 0 });
      front.call(MODIFY_SRQ, { context, srq: shared, attr: { maxWr: 64 }, key: 0 });
      if (round % 2 === 0) {
        front.call(CLOSE_CONTEXT, { context });
        ({ context } = front.call(OPEN_CONTEXT, {}));
        ({ pd } = front.call(ALLOC_PD, { context }));
      } else {
        front.call(DESTROY_QP, { context, qp: made });
        front.call(DESTROY_SRQ, { context, srq: shared });
        front.call(DESTROY_CQ, { context, cq });
      }
      const [{ quota }] = xen.dom0.backend.guests.filter(({ domid }) => domid === front.guest.domid);
      expect(quota.used.queueBytes).to.equal(0);
    }
  });

  it('objects are found in their own context alone', () => {
    const other = connected();
    const theirs = other.call(OPEN_CONTEXT, {}).context;
    const mine = front.call(OPEN_CONTEXT, {}).context;
    const strange = other.call(ALLOC_PD, { context: theirs }).pd;
    expect(front.refusal(DEALLOC_PD, { context, pd: strange })).to.contain(`there is no PD ${strange}`);
    expect(front.refusal(DEALLOC_PD, { context: mine, pd })).to.contain(`there is no PD ${pd}`);
    expect(front.refusal(QUERY_GID, { context: 77, port: 1, index: 0 })).to.contain('there is no context 77');
    const key = register(RegionUse.RINGS);
    expect(front.refusal(CREATE_CQ, { ...CQ, context: mine, key })).to.contain(`there is no memory region ${key}`);
    expect(other.refusal(CREATE_CQ, { ...CQ, context: theirs, key })).to.contain(`there is no memory region ${key}`);
  });

  it('memory of a queue that lives stays registered and pinned', () => {
    const key = register(RegionUse.RINGS);
    const { cq } = front.call(CREATE_CQ, { ...CQ, context, key });
    expect(front.refusal(DEREG_MR, { context, mr: key })).to.match(/^EBUSY/);
    expect(front.refusal(CREATE_CQ, { ...CQ, context, key })).to.match(/^EBUSY/);
    expect(() => {
      front.guest.domain.memory.freePages(frame);
    }).to.throw('pinned');
    front.call(DESTROY_CQ, { context, cq });
    front.call(DEREG_MR, { context, mr: key });
    expect(front.refusal(DEREG_MR, { context, mr: key })).to.contain('there is no memory region');
    expectFree();
  });

  it('a context that is closed takes back what was registered and what was under way', () => {
    register(RegionUse.MEMORY);
    front.call(ADD_PAGES, { region: begin(2), pages: [frame + 1] });
    front.call(CLOSE_CONTEXT, { context });
    expectFree();
  });

  it('XRC domains of two guests are two, though they name the same file', () => {
    const other = connected();
    const theirs = other.call(OPEN_CONTEXT, {}).context;
    // A name that no file of this system has: the back-end looks for none.
    const inode = { dev: 2n ** 64n - 1n, ino: 7n };
    const { xrcd } = front.call(OPEN_XRCD, { context, inode, oflags: CREATE | EXCLUSIVE });
    expect(front.refusal(OPEN_XRCD, { context, inode, oflags: CREATE | EXCLUSIVE })).to.match(/^EINVAL/);
    expect(front.refusal(OPEN_XRCD, { context, inode: { ...inode, dev: 7n }, oflags: 0 })).to.match(/^EAGAIN/);
    expect(other.refusal(OPEN_XRCD, { context: theirs, inode, oflags: 0 })).to.match(/^EAGAIN/);
    other.call(OPEN_XRCD, { context: theirs, inode, oflags: CREATE | EXCLUSIVE });
    front.call(Commands.CLOSE_XRCD, { context, xrcd });
    expect(front.refusal(OPEN_XRCD, { context, inode, oflags: 0 })).to.match(/^EAGAIN/);
  });

  it('XRC domains of two processes of a guest are one when they name the same file', () => {
    const inode = { dev: 1n, ino: 2n };
    const another = front.call(OPEN_CONTEXT, {}).context;
    const { xrcd } = front.call(OPEN_XRCD, { context, inode, oflags: CREATE | EXCLUSIVE });
    front.call(OPEN_XRCD, { context: another, inode, oflags: 0 });
    front.call(Commands.CLOSE_XRCD, { context, xrcd });
    front.call(OPEN_XRCD, { context, inode, oflags: 0 });
  });

  it('an XRC domain that is refused leaves no file open', () => {
    const before = xen.counts();
    for (const ino of [1n, 2n, 3n])
      expect(front.refusal(OPEN_XRCD, { context, inode: { dev: 1n, ino }, oflags: 0 })).to.match(/^EAGAIN/);
    expect(xen.counts()).to.deep.equal(before);
  });

  it('a file that is not open in the guest names no XRC domain, and the back-end is not asked', () => {
    const guest = xen.deviceOf(xen.addGuest('basic')).open();
    const asked = (): number => xen.dom0.backend.guests.at(-1)!.counts[Account.COMMANDS];
    const before = asked();
    expect(() => guest.openXrcd({ fd: 1e6 })).to.throw('fd 1000000 is no open file');
    expect(asked()).to.equal(before);
    guest[Symbol.dispose]();
  });

  it('nobody has polled more than was given, or less than before', () => {
    front = connected('basic');
    ({ context } = front.call(OPEN_CONTEXT, {}));
    const { cq } = front.call(CREATE_CQ, { ...CQ, context, key: 0 });
    const on = { context, cq };
    for (const consumed of [1, 8, 0x7fffffff, 0x80000000, 0xffffffff]) {
      const refusal = `EINVAL: consumed is ${consumed}: CQ ${cq} has given 0, and 0 were consumed before`;
      expect(front.refusal(CONSUME_CQ, { ...on, consumed })).to.equal(refusal);
      expect(front.refusal(DRAIN_CQ, { ...on, max: 8, consumed, taken: 8 })).to.equal(refusal);
      expect(front.refusal(RESIZE_CQ, { ...on, cqe: 16, consumed, key: 0 })).to.equal(refusal);
    }
    front.call(CONSUME_CQ, { ...on, consumed: 0 });
    expect(front.call(DRAIN_CQ, { ...on, max: 8, consumed: 0, taken: 0xffffffff }).completions).to.deep.equal([]);
    front.call(CONSUME_CQ, { ...on, consumed: 0 });
  });

  it('a resize whose memory is none says nothing of what was polled', () => {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context, key: 0 });
    const resize = { context, cq, cqe: 16, key: 77 };
    // Of both mistakes the one that is told is of what comes first.
    expect(front.refusal(RESIZE_CQ, { ...resize, consumed: 5 })).to.contain('there is no memory region 77');
    expect(front.refusal(RESIZE_CQ, { ...resize, consumed: 5, key: 0 })).to.contain('consumed is 5');
  });

  it('a ring whose index runs away is closed, and may be connected again', () => {
    const { i32, word } = front.page(0);
    for (const ahead of [33, 1000, -1, 0x7fffffff]) {
      Atomics.add(i32, word + SharedRing.REQ_PROD, ahead);
      xen.settle();
      expect(front.state, `${ahead} ahead`).to.equal(XenbusState.CLOSED);
      expect(front.connect()).to.equal(true);
    }
    front.call(OPEN_CONTEXT, {});
  });

  it('an event index that the front-end makes up does no harm', () => {
    const { i32, word } = front.page(1);
    for (const index of [0x7fffffff, -1, 1000]) {
      Atomics.store(i32, word, index);
      xen.settle();
    }
    front.call(ALLOC_PD, { context });
  });

  it('the same virtual address of two guests is two places', () => {
    xen.close();
    start({ quotas: {} });
    const guests = [0, 1].map(() => new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass'))));
    const [a, b] = guests;
    expect(a.buffers[0].addr).to.equal(b.buffers[0].addr).and.to.be.at.least(GUEST_ADDRESS_BASE);
    a.buffers[0].bytes.fill(0xaa);
    b.buffers[0].bytes.fill(0xbb);
    for (const guest of guests) guest.pulse();
    expect(a.mrs[0].lkey).not.to.equal(b.mrs[0].lkey);
    a.buffers[1].bytes.fill(1);
    b.pulse();
    expect(a.buffers[1].bytes.every((byte) => byte === 1)).to.equal(true);
    for (const { context: each } of guests) each[Symbol.dispose]();
  });

  it('a key of another guest opens nothing, and breaks the connection of who used it alone', () => {
    xen.close();
    start({ quotas: {} });
    const guests = [0, 1].map(() => new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass'))));
    const [victim, thief] = guests;
    const init = { qpType: QpType.RC, sendCq: thief.cq, recvCq: thief.cq, cap: { maxSendWr: 2, maxRecvWr: 2 } };
    const [qp, sink] = [thief.pd.createQp(init), thief.pd.createQp(init)];
    connectPair(qp, sink);
    const { addr, lkey } = victim.mrs[0];
    const own = thief.mrs[1];
    sink.postRecv({ wrId: 7, sgList: [new Sge(own.addr, 64, own.lkey)] });
    const sgList = [new Sge(addr, 64, lkey)];
    qp.postSend({ wrId: 8, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList });
    const wcs = WorkCompletion.array(1);
    for (let look = 0; look < 100 && thief.cq.poll(wcs) === 0; look++) xen.settle();
    expect([wcs[0].wrId, wcs[0].status]).to.deep.equal([8, WcStatus.LOC_PROT_ERR]);
    for (const guest of guests) guest.pulse();
    for (const { context: each } of guests) each[Symbol.dispose]();
  });

  it('a request that is changed while it is carried out is carried out as it was', () => {
    xen.close();
    let scribble = (): void => undefined;
    const pinned: number[][] = [];
    start({
      wrapDom0: (dom0) =>
        replacingPart(dom0, 'memory', {
          pinPages: (domid, frames) => {
            scribble();
            pinned.push(Array.from(frames));
            return dom0.memory.pinPages(domid, frames);
          },
        }),
    });
    const number = begin(30);
    const pages = Array.from({ length: 30 }, (_, n) => frame + n);
    scribble = () => {
      for (let index = 2; index < 4; index++) {
        const { i32, word } = front.page(index);
        i32.fill(-1, word, word + 1024);
      }
      const { i32, word } = front.page(0);
      i32.fill(-1, word + SharedRing.ENTRIES, word + 1024);
    };
    expect(
      front.send({ number: ADD_PAGES.number, words: requestWords(ADD_PAGES, { region: number, pages }) }).error,
    ).to.equal(null);
    expect(pinned).to.deep.equal([pages]);
    scribble = () => undefined;
    front.call(END_REGION, { region: number });
  });

  it('a guest that sends events without end keeps nobody waiting', () => {
    xen.close();
    let sent = 0;
    let flood = (): void => undefined;
    start({
      wrapDom0: (dom0) => {
        const { eventChannels } = dom0;
        return replacingPart(dom0, 'eventChannels', {
          unmask: (port) => {
            eventChannels.unmask(port);
            if (++sent % 1000 === 0) throw new Error('the back-end takes events for ever');
            flood();
          },
        });
      },
    });
    sent = 0;
    flood = () => {
      front.guest.domain.eventChannels.notify(front.port);
    };
    flood();
    front.put({ number: ALLOC_PD.number, words: requestWords(ALLOC_PD, { context }) });
    for (let turn = 0; turn < 10; turn++) xen.dom0.run();
    expect(front.lastReply().error).to.equal(null);
    expect(sent).to.be.within(1, 10);
  });
});
