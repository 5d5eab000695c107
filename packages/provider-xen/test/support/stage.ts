/** A guest's front-end with objects of all kinds, and a request of each command on them that is carried out. */
import { AccessFlags, Gid, MwType, QpState, QpType, WrOpcode } from '@openverbs/verbs';
import { Commands, RegionUse } from '../../src/protocol/commands.ts';
import type { CommandName } from '../../src/protocol/commands.ts';
import type { HostileFrontend } from './hostile-frontend.ts';

/** Requests of a stage. */
export const REQUESTS_OF_STAGE = 52;

const CREATE = 0o100;
const PAGE_BYTES = 4096;
const CQ = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false, key: 0 };
const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 16 };
const SRQ_ATTR = { maxWr: 4, maxSge: 1, srqLimit: 0 };
const INIT = { qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags: AccessFlags.REMOTE_WRITE };
const INIT_UD = { qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qkey: 0x11111111 };
const RTS = { qpState: QpState.RTS, sqPsn: 0, timeout: 14, retryCnt: 7, rnrRetry: 7, maxRdAtomic: 1 };
const ACCESS = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE;
const NOTHING = { immData: 0, rkey: 0, remoteAddrLo: 0, remoteAddrHi: 0, compareAdd: 0n, swap: 0n };
const NO_DATAGRAM = { remoteQpn: 0, remoteQkey: 0, remoteSrqn: 0, ah: 0 };
const SEND = { ...NOTHING, ...NO_DATAGRAM, flushLength: 0, flushType: 0, flushLevel: 0, bind: null, inlineData: null };
const GROUP = new Gid(Uint8Array.from([0xff, 0x0e, ...new Array<number>(13).fill(0), 1]));
const JOINED = new Gid(Uint8Array.from([0xff, 0x0e, ...new Array<number>(13).fill(0), 2]));

export type Request = Readonly<Record<string, unknown>>;

/** What the objects are called by. */
export interface Stage {
  readonly front: HostileFrontend;
  /** Pages of the guest. */
  readonly frame: number;
  readonly pages: number;
  readonly context: number;
  /** A queue pair that is connected with itself, another in RESET, and one for datagrams. */
  readonly qp: number;
  readonly fresh: number;
  readonly ud: number;
  readonly srq: number;
  readonly cq: number;
  readonly requests: readonly (readonly [CommandName, Request])[];
  /** By kind: numbers of objects that are no more, and of some in another context of the guest. */
  readonly stale: Readonly<Record<string, number>>;
  readonly elsewhere: Readonly<Record<string, number>>;
}

interface Objects {
  readonly context: number;
  readonly pd: number;
  readonly cq: number;
  readonly srq: number;
  readonly xrcd: number;
  readonly ah: number;
  readonly mw: number;
  readonly qp: number;
}

/** Calls commands, as long as they are carried out. */
class Maker {
  readonly #front: HostileFrontend;
  readonly frame: number;
  readonly pages = 8;
  #nextPage = 0;

  constructor(front: HostileFrontend) {
    this.#front = front;
    this.frame = front.guest.domain.memory.allocPages(this.pages);
  }

  call(name: CommandName, request: Request): Record<string, number> {
    return this.#front.call(Commands[name], request);
  }

  /** One of each kind that takes nothing else, in a context of its own. */
  objects(): Objects {
    const { context } = this.call('OPEN_CONTEXT', {});
    const { pd } = this.call('ALLOC_PD', { context });
    const { cq } = this.call('CREATE_CQ', { ...CQ, context });
    const { srq } = this.call('CREATE_SRQ', {
      ...{ context, pd, attr: SRQ_ATTR, xrcd: 0, cq: 0, cookie: 3, key: 0 },
    });
    const { xrcd } = this.call('OPEN_XRCD', { context, inode: null, oflags: CREATE });
    const { ah } = this.call('CREATE_AH', { context, pd, attr: this.ahAttr(context) });
    const { mw } = this.call('ALLOC_MW', { context, pd, type: MwType.TYPE_2 });
    return { context, pd, cq, srq, xrcd, ah, mw, qp: this.qp({ context, pd, cq }, QpType.RC) };
  }

  ahAttr(context: number): Request {
    const { gid } = this.call('QUERY_GID', { context, port: 1, index: 0 }) as unknown as { gid: Gid };
    const grh = { dgid: gid, flowLabel: 0, sgidIndex: 0, hopLimit: 64, trafficClass: 0 };
    return { dlid: 0, sl: 0, srcPathBits: 0, staticRate: 0, isGlobal: true, portNum: 1, grh };
  }

  qp(of: Pick<Objects, 'context' | 'pd' | 'cq'>, qpType: number): number {
    return this.call('CREATE_QP', createQp(of, qpType)).qp;
  }

  modify(context: number, qp: number, ...attrs: readonly Request[]): number {
    for (const attr of attrs) this.call('MODIFY_QP', { context, qp, attr });
    return qp;
  }

  /** A region that is told of, with so many of its two pages. */
  begun({ context, pd }: Pick<Objects, 'context' | 'pd'>, come: number): number {
    const { region } = this.call('BEGIN_REGION', beginRegion({ context, pd }, 2));
    const pages = Array.from({ length: come }, () => this.frame + (this.#nextPage++ % this.pages));
    if (come > 0) this.call('ADD_PAGES', { region, pages });
    return region;
  }

  region(of: Pick<Objects, 'context' | 'pd'>): number {
    return this.call('END_REGION', { region: this.begun(of, 2) }).mr;
  }
}

function createQp({ context, pd, cq }: Pick<Objects, 'context' | 'pd' | 'cq'>, qpType: number): Request {
  const queues = { sendCq: cq, recvCq: cq, srq: 0, xrcd: 0 };
  return { context, pd, ...queues, qpType, sqSigAll: false, cap: CAP, cookie: 2, key: 0 };
}

function beginRegion({ context, pd }: Pick<Objects, 'context' | 'pd'>, pages: number, change = 0): Request {
  const use = change === 0 ? RegionUse.MEMORY : RegionUse.CHANGE;
  const place = { iova: 0x10000, length: pages * PAGE_BYTES, firstOffset: 0, pages };
  return { context, use, mr: change, flags: change === 0 ? 0 : 1, pd, access: ACCESS, ...place };
}

/** Ends one of each kind. */
function ended(maker: Maker, { context, pd, cq }: Objects): Record<string, number> {
  const { srq } = maker.call('CREATE_SRQ', {
    ...{ context, pd, attr: SRQ_ATTR, xrcd: 0, cq: 0, cookie: 3, key: 0 },
  });
  const { xrcd } = maker.call('OPEN_XRCD', { context, inode: null, oflags: CREATE });
  const { ah } = maker.call('CREATE_AH', { context, pd, attr: maker.ahAttr(context) });
  const { mw } = maker.call('ALLOC_MW', { context, pd, type: MwType.TYPE_2 });
  const { cq: lastCq } = maker.call('CREATE_CQ', { ...CQ, context });
  const { pd: lastPd } = maker.call('ALLOC_PD', { context });
  const { context: lastContext } = maker.call('OPEN_CONTEXT', {});
  const qp = maker.qp({ context, pd, cq }, QpType.RC);
  const mr = maker.region({ context, pd });
  const region = maker.begun({ context, pd }, 1);
  maker.call('ABORT_REGION', { region });
  maker.call('DEREG_MR', { context, mr });
  maker.call('DESTROY_QP', { context, qp });
  maker.call('DESTROY_SRQ', { context, srq });
  maker.call('CLOSE_XRCD', { context, xrcd });
  maker.call('DESTROY_AH', { context, ah });
  maker.call('DEALLOC_MW', { context, mw });
  maker.call('DESTROY_CQ', { context, cq: lastCq });
  maker.call('DEALLOC_PD', { context, pd: lastPd });
  maker.call('CLOSE_CONTEXT', { context: lastContext });
  return { context: lastContext, pd: lastPd, cq: lastCq, srq, xrcd, ah, mw, qp, mr, region };
}

/** Sets the stage in a front-end that is connected. */
export function setStage(front: HostileFrontend): Stage {
  const maker = new Maker(front);
  const objects = maker.objects();
  const { context, pd, cq, srq, xrcd, ah, mw } = objects;
  const elsewhere = maker.objects();
  const ahAttr = maker.ahAttr(context);
  const fresh = objects.qp;
  const rtr = (destQpNum: number): Request => ({
    ...{ qpState: QpState.RTR, pathMtu: 3, destQpNum, rqPsn: 0, maxDestRdAtomic: 1, minRnrTimer: 12, ahAttr },
  });
  const inInit = maker.modify(context, maker.qp(objects, QpType.RC), INIT);
  const inRtr = maker.qp(objects, QpType.RC);
  maker.modify(context, inRtr, INIT, rtr(inRtr));
  const qp = maker.qp(objects, QpType.RC);
  maker.modify(context, qp, INIT, rtr(qp), RTS);
  const ud = maker.modify(context, maker.qp(objects, QpType.UD), INIT_UD);
  maker.call('ATTACH_MCAST', { context, qp: ud, gid: JOINED, lid: 0 });
  const mr = maker.region({ context, pd });
  const { lkey } = maker.call('END_REGION', { region: maker.begun({ context, pd }, 2) });
  const { cq: freeCq } = maker.call('CREATE_CQ', { ...CQ, context });
  const { pd: freePd } = maker.call('ALLOC_PD', { context });
  const { xrcd: freeXrcd } = maker.call('OPEN_XRCD', { context, inode: null, oflags: CREATE });
  const { xrcd: usedXrcd } = maker.call('OPEN_XRCD', { context, inode: null, oflags: CREATE });
  const { qp: xrcQp } = maker.call('CREATE_QP', {
    ...createQp(objects, QpType.XRC_RECV),
    xrcd: usedXrcd,
  });
  const sgList = [{ addr: 0x10000, length: 16, lkey }];
  const send = { ...SEND, wrId: 1, opcode: WrOpcode.SEND, sendFlags: 0, sgList };
  const requests: [CommandName, Request][] = [
    ['OPEN_CONTEXT', {}],
    ['CLOSE_CONTEXT', { context }],
    ['QUERY_DEVICE', { context }],
    ['QUERY_DEVICE_EX', { context }],
    ['QUERY_PORT', { context, port: 1 }],
    ['QUERY_GID', { context, port: 1, index: 0 }],
    ['QUERY_PKEY', { context, port: 1, index: 0 }],
    ['QUERY_HW_COUNTERS', { context, port: 1 }],
    ['QUERY_RT_VALUES', { context }],
    ['ALLOC_PD', { context }],
    ['DEALLOC_PD', { context, pd: freePd }],
    ['OPEN_XRCD', { context, inode: null, oflags: CREATE }],
    ['OPEN_XRCD', { context, inode: { dev: 5n, ino: 7n }, oflags: CREATE }],
    ['CLOSE_XRCD', { context, xrcd: freeXrcd }],
    ['BEGIN_REGION', beginRegion(objects, 2)],
    ['BEGIN_REGION', beginRegion(objects, 2, mr)],
    ['ADD_PAGES', { region: maker.begun(objects, 1), pages: [maker.frame] }],
    ['END_REGION', { region: maker.begun(objects, 2) }],
    ['ABORT_REGION', { region: maker.begun(objects, 1) }],
    ['DEREG_MR', { context, mr }],
    ['ALLOC_NULL_MR', { context, pd }],
    ['GET_DMA_MR', { context, pd, access: ACCESS }],
    ['ALLOC_MW', { context, pd, type: MwType.TYPE_1 }],
    ['DEALLOC_MW', { context, mw }],
    ['CREATE_AH', { context, pd, attr: ahAttr }],
    ['DESTROY_AH', { context, ah }],
    ['ATTACH_MCAST', { context, qp: ud, gid: GROUP, lid: 0 }],
    ['DETACH_MCAST', { context, qp: ud, gid: JOINED, lid: 0 }],
    ['CREATE_CQ', { context, ...CQ }],
    ['DESTROY_CQ', { context, cq: freeCq }],
    ['RESIZE_CQ', { context, cq, cqe: 16, consumed: 0, key: 0 }],
    ['MODIFY_CQ', { context, cq, cqCount: 1, cqPeriod: 1 }],
    ['DRAIN_CQ', { context, cq, max: 16, consumed: 0, taken: 0 }],
    ['REQ_NOTIFY_CQ', { context, cq, solicitedOnly: false }],
    ['CONSUME_CQ', { context, cq, consumed: 0 }],
    ['CREATE_QP', createQp(objects, QpType.RC)],
    ['MODIFY_QP', { context, qp: fresh, attr: INIT }],
    ['MODIFY_QP', { context, qp: inInit, attr: rtr(inInit) }],
    ['MODIFY_QP', { context, qp: inRtr, attr: RTS }],
    ['QUERY_QP', { context, qp }],
    ['DESTROY_QP', { context, qp: fresh }],
    ['QUERY_QP_DATA_IN_ORDER', { context, qp, opcode: WrOpcode.RDMA_WRITE, deviceOnly: false }],
    ['POST_SEND', { context, qp, consumed: 0, wrs: [send] }],
    ['POST_RECV', { context, qp, consumed: 0, wrs: [{ wrId: 1, sgList }] }],
    ['OPEN_QP', { context, xrcd: usedXrcd, qpNum: xrcQp, cookie: 2 }],
    ['CREATE_SRQ', { context, pd, attr: SRQ_ATTR, xrcd: 0, cq: 0, cookie: 3, key: 0 }],
    ['CREATE_SRQ', { context, pd, attr: SRQ_ATTR, xrcd, cq, cookie: 3, key: 0 }],
    ['MODIFY_SRQ', { context, srq, attr: { maxWr: 8 }, key: 0 }],
    ['MODIFY_SRQ', { context, srq, attr: { srqLimit: 2 }, key: 0 }],
    ['QUERY_SRQ', { context, srq }],
    ['DESTROY_SRQ', { context, srq }],
    ['POST_SRQ_RECV', { context, srq, wrs: [{ wrId: 1, sgList }] }],
  ];
  if (requests.length !== REQUESTS_OF_STAGE) throw new Error(`there are ${requests.length} requests`);
  const { frame, pages } = maker;
  const stale = ended(maker, objects);
  // The other context itself may be named.
  const { context: _, ...apart } = elsewhere;
  return { front, frame, pages, context, qp, fresh, ud, srq, cq, requests, stale, elsewhere: apart };
}
