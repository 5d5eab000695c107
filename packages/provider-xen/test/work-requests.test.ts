/** What a guest posts becomes work requests of the lower device; what that refuses names the one, and a fault of the back-end's own stays one. */
import { expect } from 'chai';
import { Errno, MwType, SendWr, VerbsError, WrOpcode } from '@openverbs/verbs';
import type { MemoryRegion, MemoryWindow, QueuePair } from '@openverbs/verbs';
import type { GuestContext } from '../src/backend/guest-context.ts';
import { postRefusal } from '../src/backend/handlers/post-refusal.ts';
import { badWrIndexOf, postAll, toSendWrs } from '../src/backend/work-requests.ts';
import type { SendWrValue } from '../src/protocol/attributes.ts';
import { Commands } from '../src/protocol/commands.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { setStage } from './support/stage.ts';
import { XenMachine } from './support/xen-machine.ts';

const FAULT = new TypeError('a fault of the back-end');
const BUSY = new VerbsError({ code: 'EBUSY', message: 'it is busy' });
const NOTHING = { sendFlags: 0, immData: 0, rkey: 0, remoteAddrLo: 0, remoteAddrHi: 0, compareAdd: 0n, swap: 0n };
const NO_DATAGRAM = { remoteQpn: 0, remoteQkey: 0, remoteSrqn: 0, ah: 0 };
const NO_FLUSH = { flushLength: 0, flushType: 0, flushLevel: 0 };
const REST = { bind: null, inlineData: null, sgList: [] };
const SEND: SendWrValue = { wrId: 1, opcode: WrOpcode.SEND, ...NOTHING, ...NO_DATAGRAM, ...NO_FLUSH, ...REST };
const BIND = { mw: 7, rkey: 0x700, mr: 7, addr: 4096, length: 64, access: 2 };

/** What is asked for objects of a guest that has none, and at handle 99 finds that the back-end has a fault. */
const nothing = {
  get: (handle: number): never => {
    throw handle === 99 ? FAULT : new VerbsError({ code: 'EINVAL', message: `there is no ${handle}` });
  },
};
const owner = { ahs: nothing, mws: nothing, mrs: nothing } as unknown as GuestContext;

function connected(xen: XenMachine): HostileFrontend {
  const front = new HostileFrontend(xen, xen.addGuest('basic'));
  expect(front.connect()).to.equal(true);
  return front;
}

/** A lower QP that notes what is posted, and throws at the n-th. */
function qpThatThrows(error: Error, nth: number): { readonly qp: QueuePair; readonly posted: string[] } {
  const posted: string[] = [];
  const post = (what: string): void => {
    if (posted.length === nth) throw error;
    posted.push(what);
  };
  const qp = {
    postSend: (wrs: SendWr | readonly SendWr[]) => {
      for (const wr of Array.isArray(wrs) ? (wrs as SendWr[]) : [wrs as SendWr]) post(`send ${wr.wrId}`);
    },
    bindMw: (_window: MemoryWindow, { wrId }: { wrId: number }) => {
      post(`bind ${wrId}`);
    },
  };
  return { qp: qp as unknown as QueuePair, posted };
}

function bindOf(type: number, wrId: number): SendWr {
  const wr = new SendWr({ wrId, opcode: WrOpcode.BIND_MW });
  wr.bindMw = { mw: { type } as MemoryWindow, rkey: 0, mr: null, addr: 0, length: 0, access: 0 };
  return wr;
}

const sendOf = (wrId: number): SendWr => new SendWr({ wrId, opcode: WrOpcode.SEND });

describe('work requests of a guest', () => {
  it('name objects of the guest, or none', () => {
    const xen = new XenMachine();
    try {
      const { front, requests, context } = setStage(connected(xen));
      const { pd, attr } = requests.find(([name]) => name === 'CREATE_AH')![1] as { pd: number; attr: never };
      const { ah } = front.call(Commands.CREATE_AH, { context, pd, attr });
      const { mr } = requests.find(([name]) => name === 'DEREG_MR')![1] as { mr: number };
      const [mw1, mw2] = [MwType.TYPE_1, MwType.TYPE_2].map(
        (type) => front.call(Commands.ALLOC_MW, { context, pd, type }).mw,
      );
      const [guest] = xen.dom0.backend.guests;
      const own = guest.context(context);
      const region = own.mrs.get(mr).object as MemoryRegion;
      const bind = { mw: mw2, mr, rkey: own.mws.get(mw2).rkey, addr: region.addr, length: 64, access: 2 };
      const toNothing = { ...bind, mw: mw1, mr: 0, addr: 0, length: 0 };
      const values = [SEND, { ...SEND, ah }, { ...SEND, bind }, { ...SEND, bind: toNothing }];
      const { wrs, fault } = toSendWrs(own, values);
      expect(fault).to.equal(null);
      expect(wrs.map((wr) => wr.ah === own.ahs.get(ah))).to.deep.equal([false, true, false, false]);
      expect(wrs.map(({ bindMw }) => bindMw?.mw.handle ?? null)).to.deep.equal([null, null, mw2, mw1]);
      expect(wrs.map(({ bindMw }) => bindMw?.mr?.handle ?? null)).to.deep.equal([null, null, mr, null]);
    } finally {
      xen.close();
    }
  });

  it('end before the one that names what the guest has not', () => {
    for (const bad of [{ ah: 7 }, { bind: BIND }]) {
      const { wrs, fault } = toSendWrs(owner, [SEND, { ...SEND, ...bad }, SEND]);
      expect(wrs).to.have.length(1);
      expect(fault?.message).to.equal('there is no 7');
    }
  });

  it('do not end where the back-end has a fault of its own, which passes', () => {
    expect(() => toSendWrs(owner, [{ ...SEND, ah: 99 }])).to.throw(FAULT);
  });

  it('that bind windows of type 1 are posted as binds, all in their order', () => {
    const { qp, posted } = qpThatThrows(FAULT, Infinity);
    postAll(qp, [sendOf(1), bindOf(MwType.TYPE_1, 2), bindOf(MwType.TYPE_2, 3), sendOf(4)]);
    expect(posted).to.deep.equal(['send 1', 'bind 2', 'send 3', 'send 4']);
  });

  it('that are no binds are posted as what they are, whatever they say of a window', () => {
    const { qp, posted } = qpThatThrows(FAULT, Infinity);
    const write = bindOf(MwType.TYPE_1, 1);
    write.opcode = WrOpcode.RDMA_WRITE;
    postAll(qp, [write, bindOf(MwType.TYPE_1, 2)]);
    expect(posted).to.deep.equal(['send 1', 'bind 2']);
  });

  it('are named by their place in the list when they are refused, also among binds', () => {
    const wrs = [sendOf(1), bindOf(MwType.TYPE_1, 2), sendOf(3)];
    const refuse = (error: Error) => (): void => {
      postAll(qpThatThrows(error, 1).qp, wrs);
    };
    expect(postRefusal(refuse(BUSY))).to.deep.equal({ errno: Errno.EBUSY, badWrIndex: 1 });
    expect(refuse(FAULT)).to.throw(FAULT);
  });
});

describe('what a post is refused with', () => {
  function refusalOf(error: Error): unknown {
    return postRefusal(() => {
      throw error;
    });
  }

  it('is an errno and a place where the error names a work request', () => {
    const error = new VerbsError({ code: 'ENOMEM', message: 'it is full', details: { badWrIndex: 3 } });
    expect(refusalOf(error)).to.deep.equal({ errno: Errno.ENOMEM, badWrIndex: 3 });
  });

  it('is no answer where the error names none, or is no refusal: that would tell the guest that all are posted', () => {
    expect(() => refusalOf(BUSY)).to.throw(BUSY);
    expect(() => refusalOf(FAULT)).to.throw(FAULT);
    const nameless = new VerbsError({ code: 'EINVAL', message: 'which?', details: { badWrIndex: '3' } });
    expect(() => refusalOf(nameless)).to.throw(nameless);
    expect([FAULT, BUSY, nameless].map(badWrIndexOf)).to.deep.equal([undefined, undefined, undefined]);
  });
});
