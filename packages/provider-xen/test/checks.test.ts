/** Checks of the back-end, each attacked alone, that no other test here would miss: what ends in disorder, what is told too late, and floods. */
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { HypervisorError, XenbusState } from '@openverbs/hypervisor';
import type { Xenstore } from '@openverbs/hypervisor';
import { AccessFlags, Gid, QpType } from '@openverbs/verbs';
import { COMPLETION_EVENT } from '@openverbs/verbs/driver';
import type { ContextOps, DeviceOps, EventSource } from '@openverbs/verbs/driver';
import { Account } from '../src/backend/accounting.ts';
import { REQUESTS_PER_RUN } from '../src/backend/connection.ts';
import { EVENTS_PER_RUN, EventForwarder } from '../src/backend/event-forwarder.ts';
import type { Guest } from '../src/backend/guest.ts';
import { EventRingConsumer, EventRingProducer } from '../src/channel/event-ring.ts';
import { TURNS_PER_PAUSE } from '../src/dom0/inline-dom0.ts';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { EVENT_ENTRIES, EVENTS_WAITING_MAX, PAGES_PER_COMMAND } from '../src/protocol/limits.ts';
import { HostileFrontend, requestWords } from './support/hostile-frontend.ts';
import { replacing, replacingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { XenMachineInit } from './support/xen-machine.ts';

const { BEGIN_REGION, ADD_PAGES, END_REGION, ABORT_REGION, OPEN_CONTEXT, CLOSE_CONTEXT, ALLOC_PD, DEALLOC_PD } =
  Commands;
const { CREATE_CQ, RESIZE_CQ, REQ_NOTIFY_CQ, CREATE_QP, MODIFY_QP, ATTACH_MCAST, QUERY_PORT } = Commands;
const { OPEN_XRCD, CREATE_SRQ, MODIFY_SRQ, QUERY_QP } = Commands;
const QUOTAS = { attachments: 2, regions: 2 };
const PAGES = 4;
const CQ = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false, key: 0 };
const QP = { srq: 0, xrcd: 0, qpType: QpType.RC as number, sqSigAll: false, cookie: 2, key: 0 };
const SRQ = { attr: { maxWr: 4, maxSge: 1, srqLimit: 0 }, xrcd: 0, cq: 0, cookie: 3, key: 0 };
const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
/** Events of a device after which they have no end. */
const EVENTS_MAX = 100_000;
/** Turns in a row after which something goes on for ever. */
const TURNS_MAX = 1000;

describe('checks of the back-end', () => {
  let xen: XenMachine;
  let front: HostileFrontend;
  let context: number;
  let pd: number;
  let frame: number;

  function start(init: XenMachineInit = {}, mode: 'basic' | 'bypass' = 'bypass'): void {
    xen = new XenMachine({ quotas: QUOTAS, ...init });
    front = new HostileFrontend(xen, xen.addGuest(mode));
    expect(front.connect()).to.equal(true);
    ({ context } = front.call(OPEN_CONTEXT, {}));
    ({ pd } = front.call(ALLOC_PD, { context }));
    frame = front.guest.domain.memory.allocPages(PAGES);
  }

  function restart(init: XenMachineInit, mode: 'basic' | 'bypass' = 'bypass'): void {
    xen.close();
    start(init, mode);
  }

  function guest(): Guest {
    return xen.dom0.backend.guests.find(({ domid }) => domid === front.guest.domid)!;
  }

  const region = { use: RegionUse.MEMORY as number, mr: 0, flags: 0, access: 1, iova: 0x10000, firstOffset: 0 };

  function begin(changes: object = {}): number {
    return front.call(BEGIN_REGION, { context, pd, ...region, length: 4096, pages: 1, ...changes }).region;
  }

  function refusalOfBegin(changes: object): string {
    return front.refusal(BEGIN_REGION, { context, pd, ...region, length: 4096, pages: 1, ...changes });
  }

  /** A queue pair in the state INIT, which may be in groups. */
  function datagramQp(): number {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    return front.call(CREATE_QP, { ...QP, context, pd, sendCq: cq, recvCq: cq, qpType: QpType.UD, cap: CAP }).qp;
  }

  function group(n: number): Gid {
    return new Gid(Uint8Array.from([0xff, 0x0e, ...new Array<number>(13).fill(0), n]));
  }

  beforeEach(() => {
    start();
  });
  afterEach(() => {
    xen.close();
  });

  it('a region is of a known use, of a PD of its context, and a change is of a region that is there, from the beginning', () => {
    expect(refusalOfBegin({ use: 3 })).to.equal('EINVAL: a region has no use 3');
    expect(refusalOfBegin({ pd: pd + 1 })).to.contain('there is no PD');
    expect(refusalOfBegin({ use: RegionUse.CHANGE, mr: 77 })).to.contain('there is no memory region 77');
  });

  it('a region whose PD ends before it is made is given up, and its pages are let go', () => {
    const other = front.call(ALLOC_PD, { context }).pd;
    const number = begin({ pd: other });
    front.call(ADD_PAGES, { region: number, pages: [frame] });
    front.call(DEALLOC_PD, { context, pd: other });
    expect(front.refusal(END_REGION, { region: number })).to.contain(`there is no PD ${other}`);
    expect(front.refusal(ABORT_REGION, { region: number })).to.contain('there is no region');
    expect(guest().quota.used).to.deep.include({ pages: 0, pinnedRuns: 0, regions: 0 });
    front.guest.domain.memory.freePages(frame);
  });

  it('a region that is changed lets its former pages go, and holds the new ones', () => {
    const { memory } = front.guest.domain;
    const other = memory.allocPages(1);
    const first = begin();
    front.call(ADD_PAGES, { region: first, pages: [frame] });
    const { mr } = front.call(END_REGION, { region: first });
    const change = begin({ use: RegionUse.CHANGE, mr, flags: 1 });
    front.call(ADD_PAGES, { region: change, pages: [other] });
    front.call(END_REGION, { region: change });
    expect(() => {
      memory.freePages(other);
    }).to.throw('pinned');
    memory.freePages(frame);
    expect(guest().quota.used.pages).to.equal(1);
  });

  it('a region that is given up may be followed by another', () => {
    for (let n = 0; n < 2 * QUOTAS.regions; n++) front.call(ABORT_REGION, { region: begin() });
  });

  it('queue pairs are in so many groups and no more, and not any more when their context is closed', () => {
    const qp = datagramQp();
    for (const n of [1, 2]) front.call(ATTACH_MCAST, { context, qp, gid: group(n), lid: 0 });
    expect(front.refusal(ATTACH_MCAST, { context, qp, gid: group(3), lid: 0 })).to.contain('may have 2 attachments');
    front.call(ATTACH_MCAST, { context, qp, gid: group(2), lid: 0 });
    front.call(CLOSE_CONTEXT, { context });
    for (const [kind, count] of Object.entries(guest().quota.used)) expect(count, kind).to.equal(0);
  });

  it('values that are none of their field are refused, also where the handler would not look', () => {
    const qp = datagramQp();
    expect(refusalOfBegin({ firstOffset: 4096, length: 1, pages: 2 })).to.contain('firstOffset: 4096 is not 0 to 4095');
    expect(refusalOfBegin({ iova: 2 ** 53 })).to.contain('beyond 2^53 - 1');
    const pages = new Array<number>(PAGES_PER_COMMAND + 1).fill(frame);
    const words = Int32Array.from([begin(), pages.length, ...pages]);
    expect(front.send({ number: ADD_PAGES.number, words }).error?.message).to.contain('items are more than 8192');
    const attributes = [...requestWords(MODIFY_QP, { context, qp, attr: {} }).slice(0, 2), 1 << 30];
    expect(front.send({ number: MODIFY_QP.number, words: attributes }).error?.message).to.contain('do not exist');
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    const arm = { number: REQ_NOTIFY_CQ.number, words: [context, cq, 2] };
    expect(front.send(arm).error?.message).to.contain('neither 0 nor 1');
    expect(front.send({ number: 999, words: [] }).error?.message).to.equal('there is no command 999');
    expect(front.refusal(QUERY_PORT, { context, port: 200 })).to.match(/^EINVAL/);
  });

  it('access that no region may have is refused before a page is pinned for it', () => {
    const first = begin();
    front.call(ADD_PAGES, { region: first, pages: [frame] });
    const { mr } = front.call(END_REGION, { region: first });
    for (const use of [RegionUse.MEMORY, RegionUse.CHANGE, RegionUse.RINGS]) {
      const change = { use, mr: use === RegionUse.CHANGE ? mr : 0, flags: 7 };
      expect(refusalOfBegin({ ...change, access: AccessFlags.REMOTE_WRITE })).to.match(/^EINVAL.*need LOCAL_WRITE/);
      expect(refusalOfBegin({ ...change, access: 2 ** 30 })).to.match(/^EINVAL: access/);
    }
    expect(guest().quota.used.regions).to.equal(0);
  });

  it('what a queue has got is told, not what was asked for', () => {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    const asked = { ...CAP, maxInlineData: 1 };
    const { qp, cap } = front.call(CREATE_QP, { ...QP, context, pd, sendCq: cq, recvCq: cq, cap: asked });
    expect(cap).to.not.deep.equal(asked);
    expect(front.call(QUERY_QP, { context, qp }).cap).to.deep.equal(cap);
    expect(front.call(RESIZE_CQ, { context, cq, cqe: CQ.cqe - 3, consumed: 0, key: 0 }).cqe).to.equal(CQ.cqe);
  });

  it('in basic a guest gets no doorbells', () => {
    expect(front.call(OPEN_CONTEXT, {}).userHalf).not.to.equal(null);
    restart({}, 'basic');
    expect(front.call(OPEN_CONTEXT, {}).userHalf).to.equal(null);
  });

  /** What each command on memory of the guest's own for queues is refused with; all else in it is as it should be. */
  function refusalsOfDirectPath(key: number): string[] {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    const { srq } = front.call(CREATE_SRQ, { ...SRQ, context, pd });
    const { xrcd } = front.call(OPEN_XRCD, { context, inode: null, oflags: 0o100 });
    const qp = { ...QP, context, pd, sendCq: cq, recvCq: cq, cap: CAP, key };
    return [
      refusalOfBegin({ use: RegionUse.RINGS }),
      front.refusal(CREATE_CQ, { ...CQ, context, key }),
      front.refusal(RESIZE_CQ, { context, cq, cqe: 16, consumed: 0, key }),
      front.refusal(CREATE_QP, qp),
      front.refusal(CREATE_QP, { ...qp, xrcd }),
      front.refusal(CREATE_SRQ, { ...SRQ, context, pd, key }),
      front.refusal(MODIFY_SRQ, { context, srq, attr: { maxWr: 8 }, key }),
    ];
  }

  it('in basic a guest gets no queues in its own memory', () => {
    const missing = new Array<string>(6).fill('EINVAL: there is no memory region 77 in this context');
    expect(refusalsOfDirectPath(77)).to.deep.equal(['it is not refused', ...missing]);
    restart({}, 'basic');
    const number = begin();
    front.call(ADD_PAGES, { region: number, pages: [frame] });
    const { mr } = front.call(END_REGION, { region: number });
    for (const key of [mr, 77]) {
      const { used } = guest().quota;
      const before = { mrs: used.mrs, regions: used.regions, cqs: used.cqs + 1, qps: used.qps, srqs: used.srqs + 1 };
      const refusals = refusalsOfDirectPath(key);
      expect(refusals).to.have.length(7);
      for (const refusal of refusals) expect(refusal).to.match(/^EOPNOTSUPP: a guest in basic/);
      expect(guest().quota.used).to.deep.include(before);
    }
  });

  it('a guest that puts requests without end keeps nobody waiting', () => {
    xen.close();
    let carriedOut = 0;
    let flood = (): void => undefined;
    const wrapContext = (ops: ContextOps): ContextOps =>
      replacing(ops, {
        allocPd: () => {
          carriedOut++;
          flood();
          return ops.allocPd!();
        },
      });
    const wrapLower = (ops: DeviceOps): DeviceOps => replacing(ops, { open: () => wrapContext(ops.open()) });
    start({ wrapLower });
    const request = { number: ALLOC_PD.number, words: requestWords(ALLOC_PD, { context }) };
    carriedOut = 0;
    flood = () => {
      if (carriedOut < TURNS_MAX) front.put(request);
    };
    front.put(request);
    xen.dom0.backend.run();
    expect(carriedOut).to.be.within(1, 64);
    flood = () => undefined;
    xen.settle();
  });

  it('a guest that puts requests without end leaves the program of the thread its turns, and each is answered', async () => {
    xen.close();
    const floodMax = 64 * TURNS_PER_PAUSE * REQUESTS_PER_RUN;
    let carriedOut = 0;
    let flood = (): void => undefined;
    const wrapContext = (ops: ContextOps): ContextOps =>
      replacing(ops, {
        queryPort: (port) => {
          carriedOut++;
          flood();
          return ops.queryPort(port);
        },
      });
    const wrapLower = (ops: DeviceOps): DeviceOps => replacing(ops, { open: () => wrapContext(ops.open()) });
    start({ wrapLower });
    const request = { number: QUERY_PORT.number, words: requestWords(QUERY_PORT, { context, port: 1 }) };
    carriedOut = 0;
    let put = 1;
    flood = () => {
      if (++put < floodMax) front.put(request);
    };
    front.put(request);
    front.guest.domain.eventChannels.notify(front.port);
    let turns = 0;
    for (; carriedOut < floodMax - 1 && turns < TURNS_MAX; turns++) await setImmediate();
    expect(turns).to.be.within(10, TURNS_MAX - 1);
    expect(front.lastReply().error).to.equal(null);
  });

  it('a guest that changes xenstore without end keeps nobody waiting', () => {
    xen.close();
    let changes = 0;
    let flooding = false;
    start({
      wrapDom0: (dom0) => {
        const { xenstore } = dom0;
        const checkWatch: Xenstore['checkWatch'] = () => {
          if (flooding && ++changes < 5 * TURNS_MAX) front.write('state', '4');
          return xenstore.checkWatch();
        };
        return replacingPart(dom0, 'xenstore', { checkWatch });
      },
    });
    flooding = true;
    xen.dom0.backend.run();
    expect(changes).to.be.within(1, TURNS_MAX);
    flooding = false;
    xen.settle();
    front.call(ALLOC_PD, { context });
  });

  it('a guest whose device raises events as fast as they are taken keeps nobody waiting', () => {
    let taken = 0;
    let isFlooding = false;
    const wrapEvents = (events: EventSource): EventSource =>
      replacing(events, {
        next: (event) => {
          if (!isFlooding) return events.next(event);
          Object.assign(event, { type: COMPLETION_EVENT, id: lower });
          return ++taken < EVENTS_MAX;
        },
      });
    const wrapContext = (ops: ContextOps): ContextOps => replacing(ops, { events: wrapEvents(ops.events) });
    restart({ wrapLower: (ops) => replacing(ops, { open: () => wrapContext(ops.open()) }) });
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    const lower = guest().context(context).cqs.get(cq).cq.handle;
    isFlooding = true;
    xen.dom0.backend.run();
    expect(taken).to.be.within(EVENTS_PER_RUN, EVENTS_MAX - 1);
    isFlooding = false;
  });

  it('a step of the handshake that a full xenstore refuses ends that step alone', () => {
    xen.close();
    let isFull = false;
    start({
      wrapDom0: (dom0) => {
        const { xenstore } = dom0;
        const transaction: Xenstore['transaction'] = (step) => {
          if (isFull) throw new HypervisorError('ENOSPC', 'xenstore is full');
          return xenstore.transaction(step);
        };
        return replacingPart(dom0, 'xenstore', { transaction });
      },
    });
    isFull = true;
    front.setState(XenbusState.CLOSING);
    expect(guest()).to.equal(undefined);
    isFull = false;
    expect(front.connect()).to.equal(true);
  });

  it('an event ring that is full takes nothing more, and goes on when it is read', () => {
    const page = { i32: new Int32Array(1024), word: 0 } as ConstructorParameters<typeof EventRingProducer>[0];
    const producer = new EventRingProducer(page);
    const consumer = new EventRingConsumer(page);
    for (let n = 0; n < EVENT_ENTRIES; n++) expect(producer.put([n, 0, 0, 0])).to.equal(true);
    expect(producer.put([-1, 0, 0, 0])).to.equal(false);
    const event = [0, 0, 0, 0];
    for (let n = 0; n < EVENT_ENTRIES; n++) expect([consumer.take(event), event[0]]).to.deep.equal([true, n]);
    expect(consumer.take(event)).to.equal(false);
    expect(producer.put([7, 0, 0, 0])).to.equal(true);
  });

  describe('events of a guest', () => {
    /** A forwarder for a guest that takes none, and that has so many raised. */
    function forwarderOf(left: number): { readonly forwarder: EventForwarder; readonly counts: Float64Array } {
      const lower = {
        routing: { dispatch: () => undefined },
        tryGetAsyncEvent: () => (left-- > 0 ? { element: 'device', type: 1 } : null),
        ackAsyncEvent: () => undefined,
      };
      const contexts = [{ handle: 1, lower, channel: { tryGetCqEvent: () => null }, cookies: new Map() }];
      const counts = new Float64Array(Account.DOUBLES);
      const ring = { put: () => false } as unknown as EventRingProducer;
      return { forwarder: new EventForwarder({ contexts, counts } as unknown as Guest, ring), counts };
    }

    it('that takes none wait up to a limit, and are counted beyond it', () => {
      const { forwarder, counts } = forwarderOf(EVENTS_WAITING_MAX + 10);
      do expect(forwarder.run()).to.equal(false);
      while (forwarder.more);
      expect([counts[Account.EVENTS], counts[Account.EVENTS_LOST]]).to.deep.equal([0, 10]);
    });

    it('that has them raised without end keep nobody waiting', () => {
      const { forwarder, counts } = forwarderOf(100 * EVENTS_WAITING_MAX);
      let runs = 0;
      while (counts[Account.EVENTS_LOST] === 0 && runs++ < 2 * EVENTS_WAITING_MAX) forwarder.run();
      expect(runs).to.equal(EVENTS_WAITING_MAX / EVENTS_PER_RUN + 1);
      expect(forwarder.more).to.equal(true);
    });
  });
});
