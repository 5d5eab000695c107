/** Requests of a guest that are one step beside what an honest front-end asks for. */
import { expect } from 'chai';
import {
  AccessFlags,
  CreateCqFlags,
  Errno,
  Gid,
  QpDataInOrderFlags,
  QpState,
  QpType,
  VerbsError,
  WrOpcode,
} from '@openverbs/verbs';
import { Account } from '../src/backend/accounting.ts';
import type { Guest } from '../src/backend/guest.ts';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { HostileFrontend, requestWords } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

const { ALLOC_PD, DEALLOC_PD, BEGIN_REGION, ADD_PAGES, END_REGION, OPEN_CONTEXT, CREATE_CQ, CREATE_QP } = Commands;
const { ATTACH_MCAST, DETACH_MCAST, DESTROY_QP, MODIFY_QP, POST_RECV, POST_SEND, QUERY_PORT, RESIZE_CQ } = Commands;
const { QUERY_QP_DATA_IN_ORDER } = Commands;
const CQ = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false, key: 0 };
const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
const QP = { srq: 0, xrcd: 0, qpType: QpType.UD as number, sqSigAll: false, cap: CAP, cookie: 2, key: 0 };
const PLACE = { access: AccessFlags.LOCAL_WRITE, iova: 0x10000, firstOffset: 0, length: 4096, pages: 1 };
const NOTHING = { immData: 0, rkey: 0, remoteAddrLo: 0, remoteAddrHi: 0, compareAdd: 0n, swap: 0n };
const NO_DATAGRAM = { remoteQpn: 0, remoteQkey: 0, remoteSrqn: 0, ah: 0 };
const NO_FLUSH = { flushLength: 0, flushType: 0, flushLevel: 0 };
const SEND = { ...NOTHING, ...NO_DATAGRAM, ...NO_FLUSH, bind: null, inlineData: null, sgList: [], sendFlags: 0 };
/** What queues of the guest may take of the device domain’s memory. */
const QUEUE_BYTES = 2 ** 16;
const GROUPS = [1, 2, 3].map((n) => new Gid(Uint8Array.from([0xff, 0x0e, ...new Array<number>(13).fill(0), n])));

describe('a request of a guest', () => {
  let xen: XenMachine;
  let front: HostileFrontend;
  let context: number;
  let pd: number;
  let frame: number;

  beforeEach(() => {
    xen = new XenMachine({ quotas: { attachments: 2, queueBytes: QUEUE_BYTES } });
    front = new HostileFrontend(xen, xen.addGuest('bypass'));
    front.connect();
    ({ context } = front.call(OPEN_CONTEXT, {}));
    ({ pd } = front.call(ALLOC_PD, { context }));
    frame = front.guest.domain.memory.allocPages(4);
  });
  afterEach(() => {
    xen.close();
  });

  function guest(): Guest {
    return xen.dom0.backend.guests[0];
  }

  function begin(changes: object): string {
    return front.refusal(BEGIN_REGION, {
      ...{ context, pd, use: RegionUse.MEMORY, mr: 0, flags: 0 },
      ...PLACE,
      ...changes,
    });
  }

  /** A region of one page. */
  function region(changes: object = {}): { region: number; mr: number } {
    const request = { ...{ context, pd, use: RegionUse.MEMORY, mr: 0, flags: 0 }, ...PLACE, ...changes };
    const { region: number } = front.call(BEGIN_REGION, request);
    front.call(ADD_PAGES, { region: number, pages: [frame] });
    return { region: number, mr: front.call(END_REGION, { region: number }).mr };
  }

  function queuePair(): number {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    return front.call(CREATE_QP, { ...QP, context, pd, sendCq: cq, recvCq: cq }).qp;
  }

  it('to register nothing is refused, also where it begins within a page', () => {
    expect(begin({ length: 0 })).to.match(/^EINVAL: 0 bytes/);
    expect(begin({ length: 0, firstOffset: 5 })).to.match(/^EINVAL: 0 bytes/);
  });

  it('to change a region’s PD holds the new one, and lets the former go', () => {
    const other = front.call(ALLOC_PD, { context }).pd;
    const { mr } = region();
    expect(front.refusal(DEALLOC_PD, { context, pd })).to.match(/^EBUSY/);
    region({ use: RegionUse.CHANGE, mr, pd: other });
    front.call(DEALLOC_PD, { context, pd });
    expect(front.refusal(DEALLOC_PD, { context, pd: other })).to.match(/^EBUSY/);
  });

  it('to leave a group, or to end a queue pair that is in some, leaves room for as many', () => {
    const qps = [queuePair(), queuePair()];
    const attach = (qp: number, n: number): string =>
      front.refusal(ATTACH_MCAST, { context, qp, gid: GROUPS[n], lid: 0 });
    expect([attach(qps[0], 0), attach(qps[0], 1)]).to.deep.equal(['it is not refused', 'it is not refused']);
    expect(attach(qps[1], 2)).to.contain('may have 2 attachments');
    front.call(DETACH_MCAST, { context, qp: qps[0], gid: GROUPS[0], lid: 0 });
    expect(guest().quota.used.attachments).to.equal(1);
    expect(attach(qps[1], 2)).to.equal('it is not refused');
    front.call(DESTROY_QP, { context, qp: qps[0] });
    expect(guest().quota.used.attachments).to.equal(1);
    front.call(DESTROY_QP, { context, qp: qps[1] });
    expect(guest().quota.used.attachments).to.equal(0);
  });

  it('to end a queue pair that the device does not end gives the room in groups once', () => {
    const qp = queuePair();
    front.call(ATTACH_MCAST, { context, qp, gid: GROUPS[0], lid: 0 });
    const lower = guest().context(context).qps.get(qp).qp;
    const destroy = lower.destroy.bind(lower);
    lower.destroy = () => {
      throw new VerbsError({ code: 'EBUSY', message: 'it is busy' });
    };
    expect(front.refusal(DESTROY_QP, { context, qp })).to.match(/^EBUSY/);
    lower.destroy = destroy;
    front.call(DESTROY_QP, { context, qp });
    expect(guest().quota.used).to.include({ attachments: 0, qps: 0 });
  });

  it('to leave a group that it is not in is refused, and gives no room', () => {
    const qp = queuePair();
    front.call(ATTACH_MCAST, { context, qp, gid: GROUPS[0], lid: 0 });
    expect(front.refusal(DETACH_MCAST, { context, qp, gid: GROUPS[1], lid: 0 })).to.match(/^EINVAL/);
    expect(guest().quota.used.attachments).to.equal(1);
  });

  it('for a queue pair that only sends names no CQ for receives, and for any other does', () => {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    const request = { ...QP, context, pd, sendCq: cq, recvCq: 0 };
    expect(front.refusal(CREATE_QP, { ...request, qpType: QpType.XRC_SEND })).to.equal('it is not refused');
    expect(front.refusal(CREATE_QP, request)).to.match(/^EINVAL/);
  });

  it('for a CQ asks the device for what it says, and no more', () => {
    const asked: unknown[] = [];
    const { lower } = guest().context(context);
    const [plain, extended] = [lower.createCq.bind(lower), lower.createCqEx.bind(lower)];
    lower.createCq = (init) => {
      asked.push('plain');
      return plain(init);
    };
    lower.createCqEx = (init) => {
      asked.push(init.flags);
      return extended(init);
    };
    front.call(CREATE_CQ, { ...CQ, context });
    front.call(CREATE_CQ, { ...CQ, context, extended: true });
    front.call(CREATE_CQ, { ...CQ, context, extended: true, ignoreOverrun: true });
    expect(asked).to.deep.equal(['plain', 0, CreateCqFlags.IGNORE_OVERRUN]);
  });

  it('for what lies in order asks of the whole way, or of the device alone', () => {
    const qp = queuePair();
    const asked: unknown[] = [];
    guest().context(context).qps.get(qp).qp.queryDataInOrder = (_, flags) => {
      asked.push(flags);
      return 0;
    };
    for (const deviceOnly of [false, true])
      front.call(QUERY_QP_DATA_IN_ORDER, { context, qp, opcode: WrOpcode.SEND, deviceOnly });
    const { RETURN_CAPS, DEVICE_ONLY } = QpDataInOrderFlags;
    expect(asked).to.deep.equal([RETURN_CAPS, RETURN_CAPS | DEVICE_ONLY]);
  });

  it('to post several is refused for the first that is wrong: by the device, or by what it names', () => {
    const qp = queuePair();
    const post = (wrs: readonly object[]): unknown =>
      front.call(POST_SEND, {
        context,
        qp,
        consumed: 0,
        wrs: wrs.map((wr, n) => ({ ...SEND, wrId: n, opcode: WrOpcode.SEND, ...wr })),
      });
    const inReset = { errno: Errno.EINVAL, badWrIndex: 0 };
    expect(post([{}, {}, { ah: 77 }])).to.deep.equal(inReset);
    front.call(MODIFY_QP, { context, qp, attr: { qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qkey: 0x11111111 } });
    front.call(MODIFY_QP, { context, qp, attr: { qpState: QpState.RTR } });
    front.call(MODIFY_QP, { context, qp, attr: { qpState: QpState.RTS, sqPsn: 0 } });
    expect(post([{ ah: 77 }])).to.deep.equal({ errno: Errno.EINVAL, badWrIndex: 0 });
  });

  it('to post is told from others by what lies in its ring entry, of whatever length it says that this is', () => {
    const qp = queuePair();
    const words = requestWords(POST_RECV, { context, qp, consumed: 0, wrs: [] });
    const bytes = (): number => guest().counts[Account.RING_PAYLOAD_BYTES];
    front.send({ number: POST_RECV.number, words });
    expect(bytes()).to.equal(4 * words.length);
    for (const bulk of [0, 1])
      for (const length of [-1, -5, -1000, -(2 ** 31), 25 + bulk * 16384])
        expect(front.send({ number: POST_RECV.number, words, length, bulk }).error?.message, String(length)).to.contain(
          'malformed',
        );
    front.send({ number: POST_RECV.number, words, bulk: 1 });
    front.call(QUERY_PORT, { context, port: 1 });
    expect(bytes()).to.equal(4 * words.length);
  });

  it('that has no arguments is refused, too, when it says that it has some, of whatever length', () => {
    const before = { ...guest().quota.used };
    for (const bulk of [0, 1])
      for (const length of [-1, -(2 ** 31), 1, 25 + bulk * 16384])
        expect(front.send({ number: OPEN_CONTEXT.number, words: [], length, bulk }).error?.message).to.contain(
          'malformed',
        );
    expect(guest().quota.used).to.deep.equal(before);
  });

  it('to resize a queue in its own memory to one of the back-end’s is refused for that, and takes none', () => {
    const rings = { use: RegionUse.RINGS, length: 4096 };
    const { mr: key } = region(rings);
    const { cq } = front.call(CREATE_CQ, { ...CQ, context, key });
    const before = guest().quota.used.queueBytes;
    for (const cqe of [16, QUEUE_BYTES])
      expect(front.refusal(RESIZE_CQ, { context, cq, cqe, consumed: 0, key: 0 })).to.match(/^EINVAL.* lies in/);
    expect(guest().quota.used.queueBytes).to.equal(before);
  });
});
