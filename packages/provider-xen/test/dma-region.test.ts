/** `ib_get_dma_mr` in guests: the guest's own pages, whenever it got them, and no page of anybody else, however it is named. */
import { expect } from 'chai';
import type { Domain } from '@openverbs/hypervisor';
import { AccessFlags, connectPair, QpType, Sge, VendorErr, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { CompletionQueue, Context, MemoryRegion, ProtectionDomain, QueuePair } from '@openverbs/verbs';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { HonestGuest, takePage } from './support/honest-guest.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { hookingPart } from './support/replacing.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

const PAGE = 4096;
const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC } = AccessFlags;
const ACCESS = LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC;
const { OPEN_CONTEXT, CLOSE_CONTEXT, ALLOC_PD, DEALLOC_PD, GET_DMA_MR, DEREG_MR, BEGIN_REGION, ADD_PAGES } = Commands;
const { END_REGION, CREATE_CQ } = Commands;
const LOOKS_MAX = 1000;

/** A guest's kernel-level program, which names memory by bus addresses. */
class DmaProgram {
  readonly xen: XenMachine;
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly mr: MemoryRegion;
  readonly cq: CompletionQueue;
  /** Pages of its own. */
  readonly own: { readonly bytes: Uint8Array; readonly bus: number };

  constructor(xen: XenMachine, guest: GuestParts) {
    this.xen = xen;
    this.context = xen.deviceOf(guest).open();
    this.pd = this.context.allocPd();
    this.mr = this.pd.getDmaMr(ACCESS);
    this.cq = this.context.createCq({ cqe: 16 });
    this.own = this.alloc(3);
  }

  /** Memory, and where the device finds it. */
  alloc(pages = 1): { readonly bytes: Uint8Array; readonly bus: number; free(): void } {
    const buffer = this.context.allocBuf(pages * PAGE);
    const { bytes } = buffer;
    return { bytes, bus: this.context.mapDma(buffer).pages[0], free: () => { buffer.free(); } }; // prettier-ignore
  }

  createQp(): QueuePair {
    const cap = { maxSendWr: 4, maxRecvWr: 4 };
    return this.pd.createQp({ qpType: QpType.RC, sendCq: this.cq, recvCq: this.cq, cap, sqSigAll: true });
  }

  /** Moves bytes of the machine through new queue pairs; answers the completion. */
  access(opcode: number, local: number, remote: number, length: number): WorkCompletion {
    const { lkey, rkey } = this.mr;
    const pair = [this.createQp(), this.createQp()];
    connectPair(pair[0], pair[1]);
    pair[0].postSend({
      wrId: 1,
      opcode,
      sgList: [new Sge(local, length, lkey)],
      remoteAddr: remote,
      rkey,
    });
    const wcs = WorkCompletion.array(1);
    for (let look = 0; this.cq.poll(wcs) === 0; look++) {
      if (look === LOOKS_MAX) throw new Error('no completion has come');
      this.xen.settle();
    }
    for (const qp of pair) qp.destroy();
    return wcs[0];
  }

  /** Expects that no operation reaches `length` bytes at a bus address. */
  expectRefused(bus: number, what: string, length = 64): void {
    const cases: [opcode: number, local: number, remote: number, status: number, vendorErr: number][] = [
      [WrOpcode.RDMA_WRITE, this.own.bus, bus, WcStatus.REM_ACCESS_ERR, VendorErr.RKEY_NOT_OWNED],
      [WrOpcode.RDMA_READ, this.own.bus, bus, WcStatus.REM_ACCESS_ERR, VendorErr.RKEY_NOT_OWNED],
      [WrOpcode.RDMA_WRITE, bus, this.own.bus, WcStatus.LOC_PROT_ERR, VendorErr.LKEY_NOT_OWNED],
      [WrOpcode.RDMA_READ, bus, this.own.bus, WcStatus.LOC_PROT_ERR, VendorErr.LKEY_NOT_OWNED],
    ];
    this.own.bytes.fill(0x11);
    for (const [opcode, local, remote, status, vendorErr] of cases) {
      const wc = this.access(opcode, local, remote, length);
      expect([wc.status, wc.vendorErr], `${what}, opcode ${opcode}`).to.deep.equal([status, vendorErr]);
      expect(wc.explain()).to.match(/bus address 0x[0-9a-f]+ is not all of/);
    }
    expect(
      this.own.bytes.every((byte) => byte === 0x11),
      `${what} was read`,
    ).to.equal(true);
  }

  expectAllowed(bus: number, what: string, length = 64): void {
    for (const opcode of [WrOpcode.RDMA_WRITE, WrOpcode.RDMA_READ]) {
      expect(this.access(opcode, this.own.bus, bus, length).status, what).to.equal(WcStatus.SUCCESS);
      expect(this.access(opcode, bus, this.own.bus, length).status, what).to.equal(WcStatus.SUCCESS);
    }
  }
}

describe('the DMA region of a guest', () => {
  for (const mode of ['basic', 'bypass'] as const) {
    describe(`in ${mode}`, () => {
      let xen: XenMachine;
      let guest: GuestParts;
      let program: DmaProgram;

      beforeEach(() => {
        xen = new XenMachine();
        guest = xen.addGuest(mode);
        program = new DmaProgram(xen, guest);
      });
      afterEach(() => {
        program.context[Symbol.dispose]();
        xen.close();
      });

      it('has pages that come after it, and no page that was given back', () => {
        const later = program.alloc(3);
        program.expectAllowed(later.bus + 1, 'allocated after the region was made', 3 * PAGE - 1);
        program.own.bytes.fill(0x77);
        program.access(WrOpcode.RDMA_WRITE, program.own.bus, later.bus, 100);
        expect([later.bytes[99], later.bytes[100]]).to.deep.equal([0x77, 0]);
        later.free();
        program.expectRefused(later.bus, 'given back');
        const other = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
        const taken = takePage(xen, other, later.bus).at(-1)!;
        program.expectRefused(later.bus, 'of another by now');
        expect(taken.bytes.every((byte) => byte === 0)).to.equal(true);
        other.context[Symbol.dispose]();
      });

      it('has no page of another guest, of dom0, of the hypervisor, of the device, and of nobody', () => {
        const victim = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
        const [buffer] = victim.buffers;
        buffer.bytes.fill(0x99);
        const theirs = victim.context.mapDma(buffer).pages[0];
        program.expectRefused(theirs, 'of another guest');
        program.expectRefused(theirs - 8, 'of another guest in part', 16);
        const dom0 = xen.toolstack.memory.page(xen.toolstack.memory.allocPages(1));
        program.expectRefused(dom0.address, 'of dom0');
        const { machine } = xen;
        for (let page = machine.firstPage, n = 0; n < 20; page++) {
          const owner = machine.pages.ownerOf(page * PAGE);
          if (owner >= 0x100000) continue;
          program.expectRefused(page * PAGE, `frame ${page}, of owner 0x${owner.toString(16)}`);
          n++;
        }
        const own = machine.firstPage * PAGE - 8;
        const { status, vendorErr } = program.access(WrOpcode.RDMA_READ, program.own.bus, own, 8);
        expect([status, vendorErr]).to.deep.equal([WcStatus.REM_ACCESS_ERR, VendorErr.RKEY_RANGE]);
        expect(buffer.bytes.every((byte) => byte === 0x99)).to.equal(true);
        victim.pulse();
        victim.context[Symbol.dispose]();
      });

      it('has no page of which the guest has a grant only, and keeps one that it has granted', () => {
        const granter = xen.addGuest('basic');
        const shared = granter.domain.grantTable.sharePages(guest.domid, 1);
        const mapping = guest.domain.grantTable.map(granter.domid, shared.refs);
        program.expectRefused(mapping.page(0).address, 'mapped by a grant');
        mapping.unmap();
        const mine = guest.domain.grantTable.sharePages(granter.domid, 1);
        granter.domain.grantTable.map(guest.domid, mine.refs);
        program.expectAllowed(mine.page(0).address, 'granted to another');
      });

      it('is told apart from that of another guest by its key alone', () => {
        const other = new DmaProgram(xen, xen.addGuest(mode));
        for (const each of [program, other]) {
          each.expectAllowed(each.own.bus, 'own');
          each.expectRefused(each === program ? other.own.bus : program.own.bus, 'of the other');
        }
        other.own.bytes.fill(0x22);
        program.own.bytes.fill(0x33);
        const [qp, far] = [program.createQp(), other.createQp()];
        connectPair(qp, far);
        const wr = { wrId: 3, opcode: WrOpcode.RDMA_WRITE, sgList: [new Sge(program.own.bus, 8, program.mr.lkey)] };
        qp.postSend({ ...wr, remoteAddr: other.own.bus, rkey: other.mr.rkey });
        const wcs = WorkCompletion.array(1);
        for (let look = 0; look < LOOKS_MAX && program.cq.poll(wcs) === 0; look++) xen.settle();
        expect([wcs[0].wrId, wcs[0].status]).to.deep.equal([3, WcStatus.SUCCESS]);
        expect([other.own.bytes[7], other.own.bytes[8]]).to.deep.equal([0x33, 0x22]);
        other.context[Symbol.dispose]();
      });

      it('ends with its registration, and pins nothing', () => {
        const { mr, own } = program;
        const page = program.alloc();
        program.expectAllowed(page.bus, 'own');
        page.free();
        expect(xen.machine.pages.ownerOf(page.bus)).to.equal(0);
        mr.dereg();
        const wc = program.access(WrOpcode.RDMA_WRITE, own.bus, own.bus, 8);
        expect([wc.status, wc.vendorErr]).to.deep.equal([WcStatus.LOC_PROT_ERR, VendorErr.BAD_LKEY]);
      });
    });
  }

  describe('asked for by a hostile front-end', () => {
    let xen: XenMachine;
    let front: HostileFrontend;
    let context: number;
    let pd: number;

    beforeEach(() => {
      xen = new XenMachine({ quotas: { mrs: 4, pages: 32 } });
      front = new HostileFrontend(xen, xen.addGuest('bypass'));
      expect(front.connect()).to.equal(true);
      ({ context } = front.call(OPEN_CONTEXT, {}));
      ({ pd } = front.call(ALLOC_PD, { context }));
    });
    afterEach(() => {
      xen.close();
    });

    it('is refused for what is not its own, and for rights that there are not', () => {
      const other = new HostileFrontend(xen, xen.addGuest('bypass'));
      other.connect();
      const theirs = other.call(OPEN_CONTEXT, {}).context;
      const theirPd = other.call(ALLOC_PD, { context: theirs }).pd;
      const mine = front.call(OPEN_CONTEXT, {}).context;
      const refusal = (request: object): string =>
        front.refusal(GET_DMA_MR, { context, pd, access: ACCESS, ...request });
      expect(refusal({ pd: theirPd })).to.contain(`there is no PD ${theirPd}`);
      expect(refusal({ context: mine })).to.contain(`there is no PD ${pd}`);
      expect(refusal({ context: 77 })).to.contain('there is no context 77');
      expect(refusal({ access: 2 ** 31 })).to.match(/^EINVAL/);
      expect(refusal({ access: REMOTE_WRITE })).to.match(/^EINVAL/);
      expect(refusal({ access: AccessFlags.ZERO_BASED })).to.match(/^EINVAL/);
      front.call(DEALLOC_PD, { context, pd });
      expect(refusal({})).to.contain(`there is no PD ${pd}`);
    });

    it('counts as a region, is neither changed nor a place for rings, and ends once', () => {
      const made = Array.from({ length: 4 }, () => front.call(GET_DMA_MR, { context, pd, access: 1 }).mr);
      expect(front.refusal(GET_DMA_MR, { context, pd, access: 1 })).to.contain('may have 4 mrs');
      const [mr] = made;
      const frame = front.guest.domain.memory.allocPages(1);
      const place = { iova: 0, length: PAGE, firstOffset: 0, pages: 1 };
      const change = { context, use: RegionUse.CHANGE, mr, flags: 1, pd, access: 1, ...place };
      const { region } = front.call(BEGIN_REGION, change);
      front.call(ADD_PAGES, { region, pages: [frame] });
      expect(front.refusal(END_REGION, { region })).to.match(/^EINVAL/);
      front.guest.domain.memory.freePages(frame);
      const cq = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false };
      expect(front.refusal(CREATE_CQ, { ...cq, context, key: mr })).to.contain('is not for queues');
      expect(front.refusal(DEALLOC_PD, { context, pd })).to.match(/^EBUSY/);
      for (const each of made) front.call(DEREG_MR, { context, mr: each });
      expect(front.refusal(DEREG_MR, { context, mr })).to.contain('there is no memory region');
      front.call(DEALLOC_PD, { context, pd });
    });

    it('goes with its context', () => {
      const before = xen.counts();
      const second = front.call(OPEN_CONTEXT, {}).context;
      const secondPd = front.call(ALLOC_PD, { context: second }).pd;
      front.call(GET_DMA_MR, { context: second, pd: secondPd, access: ACCESS });
      expect(xen.counts()['mpts']).to.equal(before['mpts'] + 1);
      front.call(CLOSE_CONTEXT, { context: second });
      expect(xen.counts()).to.deep.equal(before);
    });
  });

  describe('of a guest that goes', () => {
    let xen: XenMachine;
    let honest: HonestGuest;
    let before: Record<string, number>;
    /** Called when the back-end asks whose pages are: in the middle of the command. */
    let onAsked = (): void => undefined;

    beforeEach(() => {
      onAsked = () => undefined;
      const wrapDom0 = (dom0: Domain): Domain => hookingPart(dom0, 'memory', 'dmaOwner', () => onAsked());
      xen = new XenMachine({ wrapDom0 });
      honest = new HonestGuest(xen, xen.deviceOf(xen.addGuest('bypass')));
      xen.destroy(xen.addGuest('basic')); // the tables of its domain stay, for the next one
      before = xen.counts();
    });
    afterEach(() => {
      honest.pulse();
      expect(xen.counts()).to.deep.equal(before);
      honest.context[Symbol.dispose]();
      xen.close();
    });

    it('in the middle of the command that makes a DMA region', () => {
      const guest = xen.addGuest('bypass');
      const front = new HostileFrontend(xen, guest);
      front.connect();
      const { context } = front.call(OPEN_CONTEXT, {});
      const { pd } = front.call(ALLOC_PD, { context });
      front.call(GET_DMA_MR, { context, pd, access: 1 });
      onAsked = () => {
        onAsked = () => undefined;
        xen.hypervisor.destroyDomain(guest.domid);
      };
      expect(() => front.call(GET_DMA_MR, { context, pd, access: 1 })).to.throw();
      xen.settle();
    });

    it('with a DMA region that lives: its pages are not reached from the moment on in which it is gone', () => {
      const guest = xen.addGuest('bypass');
      const dead = new HonestGuest(xen, xen.deviceOf(guest));
      const init = { qpType: QpType.RC, cap: { maxSendWr: 4, maxRecvWr: 4 }, sqSigAll: true };
      const far = dead.pd.createQp({ ...init, sendCq: dead.cq, recvCq: dead.cq });
      const write = (near: QueuePair): number => {
        const own = honest.mrs[0];
        const sgList = [new Sge(own.addr, 64, own.lkey)];
        near.postSend({ wrId: 5, opcode: WrOpcode.RDMA_WRITE, sgList, remoteAddr, rkey });
        const wcs = WorkCompletion.array(1);
        expect(honest.cq.poll(wcs)).to.equal(1); // at once, before the back-end has had a turn
        return wcs[0].status;
      };
      const { rkey } = dead.pd.getDmaMr(ACCESS);
      const buffer = dead.context.allocBuf(4096);
      const remoteAddr = dead.context.mapDma(buffer).pages[0];
      const near = honest.pd.createQp({ ...init, sendCq: honest.cq, recvCq: honest.cq });
      connectPair(near, far);
      expect(write(near)).to.equal(WcStatus.SUCCESS);
      xen.destroyUnseen(guest);
      const taken = takePage(xen, honest, remoteAddr);
      expect(write(near)).to.equal(WcStatus.REM_ACCESS_ERR);
      expect(xen.machine.u8.subarray(remoteAddr, remoteAddr + 4096).every((byte) => byte === 0)).to.equal(true);
      near.destroy();
      for (const each of taken) each.free();
      xen.settle();
    });
  });
});
