/** What a hostile guest does to queues, doorbells and keys: its own ones that live, its own ones that have ended, and those of others. */
import { expect } from 'chai';
import { DoorbellKind, Engine, EngineState } from '@openverbs/hca';
import { QpType, SendFlags, Sge, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { userHalfOf } from '@openverbs/verbs/driver';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { HostileFrontend, requestWords } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

const { BEGIN_REGION, ADD_PAGES, END_REGION, DEREG_MR, OPEN_CONTEXT, ALLOC_PD } = Commands;
const { CREATE_CQ, DESTROY_CQ, CREATE_QP, DESTROY_QP, CREATE_SRQ, DESTROY_SRQ, RESIZE_CQ, MODIFY_SRQ } = Commands;
const QUEUE_PAGES = 4;
const CQ = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false };
const QP = { recvCq: 0, srq: 0, xrcd: 0, qpType: QpType.RC, sqSigAll: false, cookie: 2 };
const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
const SRQ = { attr: { maxWr: 4, maxSge: 1, srqLimit: 0 }, xrcd: 0, cq: 0, cookie: 3 };

describe('queues, doorbells and keys of hostile guests', () => {
  let xen: XenMachine;
  let honest: HonestGuest;
  let front: HostileFrontend;
  let context: number;
  let pd: number;
  let before: Record<string, number>;

  beforeEach(() => {
    xen = new XenMachine();
    honest = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
    xen.destroy(xen.addGuest('bypass')); // the tables of its domain stay, for the next one
    before = xen.counts();
    front = new HostileFrontend(xen, xen.addGuest('bypass'));
    expect(front.connect()).to.equal(true);
    ({ context } = front.call(OPEN_CONTEXT, {}));
    ({ pd } = front.call(ALLOC_PD, { context }));
  });
  afterEach(() => {
    honest.pulse();
    xen.destroy(front.guest);
    expect(xen.counts()).to.deep.equal(before);
    honest.context[Symbol.dispose]();
    xen.close();
  });

  /** Registers pages of the hostile guest's. */
  function register(use: number, pages = QUEUE_PAGES): { frame: number; mr: number; lkey: number; rkey: number } {
    const frame = front.guest.domain.memory.allocPages(pages);
    const place = { iova: 0x10000, length: pages * 4096, firstOffset: 0, pages };
    const { region } = front.call(BEGIN_REGION, { context, use, mr: 0, flags: 0, pd, access: 7, ...place });
    front.call(ADD_PAGES, { region, pages: Array.from({ length: pages }, (_, n) => frame + n) });
    return { frame, ...front.call(END_REGION, { region }) };
  }

  it('memory of a queue pair, a CQ and an SRQ that live stays registered and pinned, and takes no second queue', () => {
    const makers = {
      cq: (key: number) => front.call(CREATE_CQ, { ...CQ, context, key }).cq,
      qp: (key: number) => front.call(CREATE_QP, { ...QP, context, pd, sendCq: cq, recvCq: cq, cap: CAP, key }).qp,
      srq: (key: number) => front.call(CREATE_SRQ, { ...SRQ, context, pd, key }).srq,
    };
    const ends = {
      cq: (handle: number) => front.refusal(DESTROY_CQ, { context, cq: handle }),
      qp: (handle: number) => front.refusal(DESTROY_QP, { context, qp: handle }),
      srq: (handle: number) => front.refusal(DESTROY_SRQ, { context, srq: handle }),
    };
    const { cq } = front.call(CREATE_CQ, { ...CQ, context, key: register(RegionUse.RINGS).mr });
    for (const kind of ['cq', 'qp', 'srq'] as const) {
      const { mr, frame } = register(RegionUse.RINGS);
      const queue = makers[kind](mr);
      expect(front.refusal(DEREG_MR, { context, mr }), kind).to.match(/^EBUSY/);
      for (const second of Object.values(makers)) expect(() => second(mr), kind).to.throw('EBUSY');
      expect(front.refusal(RESIZE_CQ, { context, cq, cqe: 16, consumed: 0, key: mr }), kind).to.match(/^EBUSY/);
      expect(() => {
        front.guest.domain.memory.freePages(frame);
      }, kind).to.throw('pinned');
      expect(ends[kind](queue)).to.equal('it is not refused');
      expect(front.refusal(DEREG_MR, { context, mr }), kind).to.equal('it is not refused');
      front.guest.domain.memory.freePages(frame);
    }
  });

  it('memory that is registered for programs takes no queue, and that of queues is no region for programs', () => {
    const memory = register(RegionUse.MEMORY).mr;
    const rings = register(RegionUse.RINGS).mr;
    const { cq } = front.call(CREATE_CQ, { ...CQ, context, key: 0 });
    const { srq } = front.call(CREATE_SRQ, { ...SRQ, context, pd, key: 0 });
    const notForQueues = `EINVAL: memory region ${memory} is not for queues`;
    expect(front.refusal(CREATE_CQ, { ...CQ, context, key: memory })).to.equal(notForQueues);
    const qp = { ...QP, context, pd, sendCq: cq, recvCq: cq, cap: CAP };
    expect(front.refusal(CREATE_QP, { ...qp, key: memory })).to.equal(notForQueues);
    expect(front.refusal(CREATE_SRQ, { ...SRQ, context, pd, key: memory })).to.equal(notForQueues);
    expect(front.refusal(RESIZE_CQ, { context, cq, cqe: 16, consumed: 0, key: memory })).to.equal(notForQueues);
    expect(front.refusal(MODIFY_SRQ, { context, srq, attr: { maxWr: 8 }, key: memory })).to.equal(notForQueues);
    const place = { iova: 0x10000, length: 4096, firstOffset: 0, pages: 1 };
    const change = { context, use: RegionUse.CHANGE, mr: rings, flags: 1, pd, access: 1, ...place };
    expect(front.refusal(BEGIN_REGION, change)).to.equal(`EINVAL: region ${rings} holds rings`);
  });

  it('memory that is too small for a queue is refused, and the queue is not made', () => {
    const { mr } = register(RegionUse.RINGS, 1);
    expect(front.refusal(CREATE_CQ, { ...CQ, cqe: 4096, context, key: mr })).to.match(/^EINVAL/);
    expect(front.refusal(CREATE_SRQ, { ...SRQ, attr: { maxWr: 4096, maxSge: 4 }, context, pd, key: mr })).to.match(
      /^EINVAL/,
    );
    expect(front.refusal(DEREG_MR, { context, mr })).to.equal('it is not refused');
  });

  it('a key of memory that was given back is good for nothing, also when the same pages are registered again', () => {
    const first = register(RegionUse.RINGS);
    front.call(DEREG_MR, { context, mr: first.mr });
    expect(front.refusal(CREATE_CQ, { ...CQ, context, key: first.mr })).to.contain('there is no memory region');
    front.guest.domain.memory.freePages(first.frame);
    const second = register(RegionUse.RINGS);
    expect(second.mr).not.to.equal(first.mr);
    expect(front.refusal(CREATE_CQ, { ...CQ, context, key: first.mr })).to.contain('there is no memory region');
  });

  it('a request that is replayed is one more request: what it ended is not there any more', () => {
    const { mr } = register(RegionUse.MEMORY);
    const place = { iova: 0, length: 4096, firstOffset: 0, pages: 1 };
    const { region } = front.call(BEGIN_REGION, { context, use: 0, mr: 0, flags: 0, pd, access: 1, ...place });
    front.call(ADD_PAGES, { region, pages: [front.guest.domain.memory.allocPages(1)] });
    const { cq } = front.call(CREATE_CQ, { ...CQ, context, key: 0 });
    const ends = [
      { number: END_REGION.number, words: requestWords(END_REGION, { region }) },
      { number: DEREG_MR.number, words: requestWords(DEREG_MR, { context, mr }) },
      { number: DESTROY_CQ.number, words: requestWords(DESTROY_CQ, { context, cq }) },
    ];
    for (const end of ends) {
      // Both are on the ring before the first is carried out.
      front.put(end);
      front.put(end);
      xen.settle();
      expect(front.lastReply().error?.message, `command ${end.number}`).to.contain('there is no ');
    }
  });

  it('entries that are shown again hold answers, and are no requests', () => {
    const before = front.call(ALLOC_PD, { context }).pd;
    front.show(32);
    xen.settle();
    // The ring has gone around, and is whole.
    expect(front.call(ALLOC_PD, { context }).pd).to.be.above(before);
  });

  describe('and the device', () => {
    let thief: HonestGuest;

    beforeEach(() => {
      xen.destroy(front.guest);
      front = new HostileFrontend(xen, xen.addGuest('bypass'));
      thief = new HonestGuest(xen, xen.deviceOf(front.guest));
    });

    /** UARs of the guests' contexts: a page each, and a number. */
    function uars(): { readonly page: number; readonly uar: number }[] {
      return xen.dom0.backend.guests.flatMap((guest) =>
        [...guest.contexts].map((each) => {
          const { pages, words } = userHalfOf(each.lower);
          return { page: pages[0], uar: words[0] };
        }),
      );
    }

    it('a doorbell in a page of its own that names a queue of another guest is dropped and counted', () => {
      const engine = Engine.of(xen.machine)!;
      const state = new EngineState(engine);
      const [, { uar }] = uars();
      const dropped = state.doorbellsDropped;
      for (const kind of [DoorbellKind.SQ, DoorbellKind.RQ, 2, 3]) {
        for (const { qpNum } of honest.qps) engine.uars.write(uar, kind, qpNum);
      }
      honest.pulse();
      expect(state.doorbellsDropped - dropped).to.equal(4 * honest.qps.length);
      thief.pulse();
    });

    it('a page gives the right to its own UAR alone', () => {
      const [mine, other] = uars();
      expect(mine.page).not.to.equal(other.page);
      const open = (page: number, words: readonly number[]): unknown =>
        xen.userDriver.open(
          { driver: xen.userDriver.name, pages: [page], words },
          { machine: xen.machine, inlineSource: () => -1 },
        );
      open(mine.page, [mine.uar, 0]);
      for (const words of [[other.uar, 0], [0, 0], [-1, 0], [1e9, 0], [mine.uar, 1], [mine.uar, -1], []]) {
        expect(() => open(mine.page, words), words.join(' ')).to.throw(/EINVAL|is not that of UAR|has no HCA/);
      }
      expect(() => open(mine.page + 4096, [mine.uar, 0])).to.throw('is not that of UAR');
    });

    it('keys that are forged, stale or of another guest break the connection of who uses them alone', () => {
      const [{ lkey, rkey, addr }] = honest.mrs;
      const stale = thief.pd.regMr(thief.buffers[0], 7);
      const forged = [lkey, lkey ^ 1, rkey, stale.lkey, 0, 1, 0xffffffff, thief.mrs[0].lkey ^ 0x100];
      stale.dereg();
      const wcs = WorkCompletion.array(1);
      for (const key of forged) {
        const qp = thief.pd.createQp({ qpType: QpType.RC, sendCq: thief.cq, recvCq: thief.cq, cap: CAP });
        qp.toInit();
        qp.toRtr(qp.endpoint());
        qp.toRts(qp.endpoint());
        const [own] = thief.mrs;
        const good = [new Sge(own.addr, 64, own.lkey)];
        const sgList = [new Sge(addr, 64, key)];
        const wrs = [
          { opcode: WrOpcode.RDMA_WRITE, sgList, remoteAddr: own.addr, rkey: own.rkey, status: WcStatus.LOC_PROT_ERR },
          { opcode: WrOpcode.RDMA_WRITE, sgList: good, remoteAddr: addr, rkey: key, status: WcStatus.REM_ACCESS_ERR },
        ];
        for (const { status, ...wr } of wrs) {
          qp.modify({ qpState: 0 });
          qp.toInit();
          qp.toRtr(qp.endpoint());
          qp.toRts(qp.endpoint());
          qp.postSend({ ...wr, wrId: 9, sendFlags: SendFlags.SIGNALED });
          for (let look = 0; look < 100 && thief.cq.poll(wcs) === 0; look++) xen.settle();
          expect([wcs[0].wrId, wcs[0].status], `key 0x${key.toString(16)}`).to.deep.equal([9, status]);
        }
        qp.destroy();
        honest.pulse();
      }
      thief.pulse();
    });
  });
});
