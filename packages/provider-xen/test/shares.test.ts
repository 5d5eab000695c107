/** What is one for all guests, shared out: one that takes all it may have leaves the others theirs. */
import { expect } from 'chai';
import { limits as hca } from '@openverbs/hca';
import { DEFAULT_LIMITS, XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import { provider as emulated } from '@openverbs/provider-emulated';
import { Gid, MwType, QpType } from '@openverbs/verbs';
import type { DeviceAttr } from '@openverbs/verbs';
import type { ContextOps, DeviceOps } from '@openverbs/verbs/driver';
import { QUOTAS } from '../src/backend/quota.ts';
import type { QuotaKind } from '../src/backend/quota.ts';
import { RESERVED_SHARE, shareOf } from '../src/backend/shares.ts';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { GUESTS_AT_QUOTA } from '../src/protocol/limits.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { replacing } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';

const { OPEN_CONTEXT, ALLOC_PD, CREATE_AH, CREATE_CQ, CREATE_QP, CREATE_SRQ, OPEN_XRCD, ALLOC_MW, ATTACH_MCAST } =
  Commands;
const { BEGIN_REGION, ADD_PAGES, END_REGION, GET_DMA_MR, QUERY_DEVICE, QUERY_GID } = Commands;

/** The memory of a machine whose configuration says nothing. */
const { memoryBytes: MACHINE_BYTES } = emulated.parseConfig({}) as { readonly memoryBytes: number };
/** Of that, what queues in the device domain may take, and what lists of pages, four bytes each. */
const QUEUES_BYTES = MACHINE_BYTES / 2;
const PAGE_LISTS_BYTES = MACHINE_BYTES / 16;

/** What there is for all guests: of kinds that are in one table together, the table. */
const TABLES: readonly (readonly [limit: number, kinds: readonly QuotaKind[]])[] = [
  [hca.UARS_MAX - 1, ['contexts']],
  [hca.PDS_MAX - 1, ['pds']],
  [hca.MPTS_MAX - 1, ['mrs', 'mws']],
  [hca.CQS_MAX, ['cqs']],
  [hca.QPS_MAX - 2, ['qps']],
  [hca.SRQS_MAX, ['srqs']],
  [hca.AHS_MAX, ['ahs']],
  [hca.XRCDS_MAX, ['xrcds']],
  [hca.MCAST_ATTACHMENTS_MAX, ['attachments']],
  [PAGE_LISTS_BYTES / 4, ['pages']],
  [DEFAULT_LIMITS.pinnedRunsMax, ['pinnedRuns']],
  [QUEUES_BYTES, ['queueBytes']],
  // Nothing but a number, of a guest's own.
  [Infinity, ['regions']],
];

const CAP = { maxSendWr: 1, maxRecvWr: 1, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
const CREATE = 0o100;
const CQ = { compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false, key: 0 };

/** A guest that makes whatever there is, by commands. */
class Maker {
  readonly front: HostileFrontend;
  readonly context: number;
  readonly #pd: number;
  readonly #cq: number;
  readonly #frame: number;
  #pinned = 0;
  readonly #pages: number;

  constructor(xen: XenMachine, pages = 64) {
    this.front = new HostileFrontend(xen, xen.addGuest('basic'));
    expect(this.front.connect()).to.equal(true);
    ({ context: this.context } = this.front.call(OPEN_CONTEXT, {}));
    ({ pd: this.#pd } = this.front.call(ALLOC_PD, { context: this.context }));
    ({ cq: this.#cq } = this.#makeCq(1));
    this.#pages = pages;
    this.#frame = this.front.guest.domain.memory.allocPages(pages);
  }

  /** By what is counted: makes one more of it. The last kinds are made of several of the others. */
  readonly make: Readonly<Record<QuotaKind, () => unknown>> = {
    contexts: () => this.front.call(OPEN_CONTEXT, {}),
    pds: () => this.front.call(ALLOC_PD, { context: this.context }),
    mrs: () => this.front.call(GET_DMA_MR, { context: this.context, pd: this.#pd, access: 1 }),
    mws: () => this.front.call(ALLOC_MW, { context: this.context, pd: this.#pd, type: MwType.TYPE_1 }),
    cqs: () => this.#makeCq(1),
    qps: () => this.#makeQp(),
    srqs: () => {
      const attr = { maxWr: 1, maxSge: 1, srqLimit: 0 };
      const { context } = this;
      return this.front.call(CREATE_SRQ, { context, pd: this.#pd, attr, xrcd: 0, cq: 0, cookie: 3, key: 0 });
    },
    ahs: () => this.#makeAh(),
    xrcds: () => this.front.call(OPEN_XRCD, { context: this.context, inode: null, oflags: CREATE }),
    attachments: () => {
      const gid = new Gid(Uint8Array.from([0xff, 0x0e, ...new Array<number>(13).fill(0), 1]));
      return this.front.call(ATTACH_MCAST, { context: this.context, qp: this.#makeQp().qp, gid, lid: 0 });
    },
    regions: () => this.#begin(1),
    pages: () => this.#pin(),
    pinnedRuns: () => this.#pin(),
    queueBytes: () => this.#makeCq(2 ** 15),
  };

  #makeCq(cqe: number): { readonly cq: number } {
    return this.front.call(CREATE_CQ, { ...CQ, context: this.context, cqe });
  }

  #makeQp(): { readonly qp: number } {
    const ends = { sendCq: this.#cq, recvCq: this.#cq, srq: 0, xrcd: 0, qpType: QpType.UD as number };
    const { context } = this;
    return this.front.call(CREATE_QP, { context, pd: this.#pd, ...ends, sqSigAll: false, cookie: 2, key: 0, cap: CAP });
  }

  #makeAh(): unknown {
    const { gid } = this.front.call(QUERY_GID, { context: this.context, port: 1, index: 0 });
    const grh = { dgid: gid, flowLabel: 0, sgidIndex: 0, hopLimit: 1, trafficClass: 0 };
    const attr = { grh, dlid: 0, sl: 0, srcPathBits: 0, staticRate: 0, isGlobal: true, portNum: 1 };
    return this.front.call(CREATE_AH, { context: this.context, pd: this.#pd, attr });
  }

  #begin(pages: number): number {
    const place = { iova: 0, firstOffset: 0, length: pages * XEN_PAGE_BYTES, pages };
    const region = { context: this.context, use: RegionUse.MEMORY, mr: 0, flags: 0, pd: this.#pd, access: 1, ...place };
    return this.front.call(BEGIN_REGION, region).region;
  }

  /** A region of one page, which is a run by itself. */
  #pin(): unknown {
    const region = this.#begin(1);
    this.front.call(ADD_PAGES, { region, pages: [this.#frame + (this.#pinned++ % this.#pages)] });
    return this.front.call(END_REGION, { region });
  }

  /** Makes as many as are wanted, or as it may; returns how many those are. */
  fill(kind: QuotaKind, wanted = Infinity): number {
    for (let made = 0; ; made++) {
      if (made === wanted) return made;
      try {
        this.make[kind]();
      } catch (error) {
        expect((error as Error).message, kind).to.match(/ENOMEM: this guest may have \d+ \w+, and has/);
        return made;
      }
    }
  }
}

function attrOf(front: HostileFrontend, context: number): DeviceAttr {
  return front.call(QUERY_DEVICE, { context }).attr;
}

describe('shares of what is one for all guests', () => {
  it('are of every kind that is counted', () => {
    expect(TABLES.flatMap(([, kinds]) => kinds).sort()).to.deep.equal(Object.keys(QUOTAS).sort());
  });

  for (const [limit, kinds] of TABLES) {
    it(`${kinds.join(' and ')}: all guests at their quota leave some`, () => {
      const all = GUESTS_AT_QUOTA * kinds.reduce((sum, kind) => sum + QUOTAS[kind], 0);
      expect(all).to.be.within(1, limit * (1 - RESERVED_SHARE));
    });
  }

  it('leave room for every object on pages of its own', () => {
    const { mrs, cqs, qps, srqs, pinnedRuns } = QUOTAS;
    expect(mrs).to.be.at.least(cqs + qps + srqs);
    expect(pinnedRuns).to.be.at.least(mrs);
  });

  it('one guest that takes all it may have leaves another all of its own', function () {
    this.timeout(60_000);
    const xen = new XenMachine();
    try {
      const greedy = new Maker(xen);
      const other = new Maker(xen);
      for (const kind of Object.keys(QUOTAS) as QuotaKind[]) {
        const before = xen.dom0.backend.guests.map(({ quota }) => quota.limits[kind] - quota.used[kind]);
        const taken = greedy.fill(kind, 200);
        expect(other.fill(kind, 200), kind).to.equal(taken);
        expect(Math.min(200, ...before), kind).to.be.greaterThan(0);
      }
    } finally {
      xen.close();
    }
  });

  it('are those of a domain, whatever front-ends it has', () => {
    const xen = new XenMachine({ quotas: { pds: 3, pinnedRuns: 2 } });
    try {
      const guest = xen.addGuest('bypass');
      const fronts = [guest, xen.attach(guest, 1, 'basic')].map((parts) => new HostileFrontend(xen, parts));
      for (const front of fronts) expect(front.connect()).to.equal(true);
      const contexts = fronts.map((front) => front.call(OPEN_CONTEXT, {}).context);
      for (const n of [0, 1, 0]) fronts[n].call(ALLOC_PD, { context: contexts[n] });
      for (const n of [0, 1]) {
        expect(fronts[n].refusal(ALLOC_PD, { context: contexts[n] })).to.contain('may have 3 pds, and has 3');
      }
      // What one gives back is the other's, also when it goes.
      fronts[0].setState(5);
      fronts[1].call(ALLOC_PD, { context: contexts[1] });
      fronts[1].call(ALLOC_PD, { context: contexts[1] });
      expect(fronts[1].refusal(ALLOC_PD, { context: contexts[1] })).to.contain('may have 3 pds, and has 3');
      const stranger = new HostileFrontend(xen, xen.addGuest('basic'));
      expect(stranger.connect()).to.equal(true);
      stranger.call(ALLOC_PD, { context: stranger.call(OPEN_CONTEXT, {}).context });
    } finally {
      xen.close();
    }
  });

  it('are smaller where the device is, and are what the guest is told of it', () => {
    const small = { maxQp: 320, maxAh: 32, maxPd: 0, maxMcastGrp: 64 };
    const wrapContext = (ops: ContextOps): ContextOps =>
      replacing(ops, { queryDevice: () => ({ ...ops.queryDevice(), ...small }) });
    const wrapLower = (ops: DeviceOps): DeviceOps => replacing(ops, { open: () => wrapContext(ops.open()) });
    const xen = new XenMachine({ wrapLower, quotas: { cqs: 7 } });
    try {
      const { front, context } = new Maker(xen);
      const [{ quota }] = xen.dom0.backend.guests;
      expect(quota.limits).to.deep.include({ qps: shareOf(320), ahs: 1, pds: QUOTAS.pds, attachments: 3, cqs: 7 });
      expect(attrOf(front, context)).to.deep.include({ maxQp: shareOf(320), maxAh: 1, maxCq: 7, maxMcastGrp: 3 });
    } finally {
      xen.close();
    }
  });

  it('tell a guest in basic of no longer CQ than it can have', () => {
    const xen = new XenMachine({ quotas: { queueBytes: 2 ** 20 } });
    try {
      const { front, context } = new Maker(xen);
      const { maxCqe } = attrOf(front, context);
      front.call(CREATE_CQ, { ...CQ, context, cqe: maxCqe });
      expect(maxCqe).to.equal(2 ** 13);
    } finally {
      xen.close();
    }
  });
});
