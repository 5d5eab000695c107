/** The functions of `openverbs/kernel` on the emulated HCA, and in guests that share it. */
import { Gid, SharedReceiveQueue, WorkCompletion } from '@openverbs/verbs';
import type { Device, RecvWrInit, SendWr } from '@openverbs/verbs';
import { expect } from 'chai';

import { ibv_get_device_list, ibv_open_device } from '../src/gen2/index.ts';
import * as ib from '../src/kernel/index.ts';
import { sharedOpenVerbs } from '../src/shared-instance.ts';
import { closeSharedOpenVerbs } from '../src/testing/index.ts';
import { failure } from './failure.ts';
import { closeKernelPair, drain, openKernelPair, sendAToB } from './kernel-support.ts';

const PAGE = 4096;
const ACCESS = ib.IB_ACCESS_LOCAL_WRITE | ib.IB_ACCESS_REMOTE_WRITE | ib.IB_ACCESS_REMOTE_READ;

for (const provider of ['emulated', 'xen:basic', 'xen:bypass']) {
  describe(`openverbs/kernel on ${provider}`, () => {
    functionsOn(provider);
  });
}

function functionsOn(provider: string): void {
  let device: Device;

  beforeEach(() => {
    process.env['OPENVERBS_PROVIDER'] = provider;
    [device] = ibv_get_device_list();
  });
  afterEach(() => {
    delete process.env['OPENVERBS_PROVIDER'];
    closeSharedOpenVerbs();
  });

  it('shares one context a device, apart from those of user level', () => {
    const user = ibv_open_device(device);
    const [one, two] = [ib.ib_alloc_pd(device), ib.ib_alloc_pd(device)];
    expect(one.context).to.equal(two.context).and.not.equal(user);
    expect(sharedOpenVerbs().contexts).to.have.members([user, one.context]);
    ib.ib_dealloc_pd(one);
    expect(failure(() => ib.ib_dealloc_pd(one)).code).to.equal('EINVAL');
  });

  it('queries devices and ports, and fills out-parameters', () => {
    const [device_attr, port_attr] = [{}, {}];
    expect(ib.ib_query_device(device, device_attr)).to.equal(device_attr).and.include({ physPortCnt: 1 });
    expect(ib.ib_query_port(device, 1, port_attr))
      .to.equal(port_attr)
      .and.include({ state: ib.IB_PORT_ACTIVE });
    expect(ib.ib_query_gid(device, 1, 0)).to.be.instanceOf(Gid);
    expect(ib.ib_query_pkey(device, 1, 0)).to.equal(0xffff);
    expect(failure(() => ib.ib_query_port(device, 9)).code).to.equal('EINVAL');
  });

  it('sends by bus addresses of one region of all memory', () => {
    const pair = openKernelPair();
    pair.buffer.bytes.set([1, 2, 3]);
    sendAToB(pair, 5, 3);
    expect(drain(pair.cq).sort()).to.deep.equal([1005, 5]);
    expect([...pair.buffer.bytes.subarray(PAGE, PAGE + 4)]).to.deep.equal([1, 2, 3, 0]);
    closeKernelPair(pair);
  });

  it('names the work request that a post refused', () => {
    const pair = openKernelPair();
    const bad = { wrId: 2, opcode: 31 };
    const bad_wr: ib.BadWr<SendWr | object> = {};
    const wr = { wrId: 1, opcode: ib.IB_WR_RDMA_WRITE, next: bad as never };
    expect(failure(() => ib.ib_post_send(pair.a, wr, bad_wr)).code).to.equal('EINVAL');
    expect(bad_wr.wr).to.equal(bad);
    const receives: RecvWrInit[] = [];
    for (let wrId = 16; wrId >= 0; wrId--) receives.unshift({ wrId, next: receives[0] ?? null });
    const bad_recv = {};
    expect(failure(() => ib.ib_post_recv(pair.b, receives[0], bad_recv)).code).to.equal('ENOMEM');
    expect(bad_recv).to.have.property('wr', receives[16]);
    closeKernelPair(pair);
  });

  it('creates, queries, resizes and destroys', () => {
    const pair = openKernelPair();
    const { pd, cq, a } = pair;
    ib.ib_resize_cq(cq, 64);
    expect(cq.cqe).to.be.at.least(64);
    const { qp_attr, qp_init_attr } = ib.ib_query_qp(a);
    expect(qp_attr).to.include({ qpState: ib.IB_QPS_RTS, sqPsn: 7 });
    expect(qp_init_attr).to.include({ qpType: ib.IB_QPT_RC, sqSigType: ib.IB_SIGNAL_REQ_WR });
    const init = { qpType: ib.IB_QPT_RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 2, maxRecvWr: 2 } };
    const all = ib.ib_create_qp(pd, { ...init, sqSigType: ib.IB_SIGNAL_ALL_WR });
    expect(ib.ib_query_qp(all).qp_init_attr.sqSigType).to.equal(ib.IB_SIGNAL_ALL_WR);
    expect(failure(() => ib.ib_create_qp(pd, { ...init, sqSigType: 2 }))).to.include({
      code: 'EINVAL',
      verb: 'ib_create_qp',
    });
    ib.ib_destroy_qp(all);
    expect(failure(() => ib.ib_destroy_cq(cq)).code).to.equal('EBUSY');
    expect(failure(() => ib.ib_dealloc_pd(pd)).code).to.equal('EBUSY');
    const srq = ib.ib_create_srq(pd, { attr: { maxWr: 4 }, srqContext: 'mine' });
    expect(srq).to.be.instanceOf(SharedReceiveQueue);
    ib.ib_modify_srq(srq, { srqLimit: 2 }, ib.IB_SRQ_LIMIT);
    expect(ib.ib_query_srq(srq)).to.include({ srqLimit: 2 });
    expect(failure(() => ib.ib_modify_srq(srq, {}, ib.IB_SRQ_LIMIT)).details?.['missing']).to.deep.equal(['srqLimit']);
    ib.ib_post_srq_recv(srq, { wrId: 1 });
    ib.ib_destroy_srq(srq);
    closeKernelPair(pair);
  });

  it('has address handles, multicast groups and memory windows', () => {
    const pair = openKernelPair();
    const { pd, cq } = pair;
    const grh = { dgid: ib.ib_query_gid(device, 1, 0), sgidIndex: 0, hopLimit: 1 };
    const ah = ib.ib_create_ah(pd, { isGlobal: true, grh, portNum: 1 });
    expect(ib.ib_query_ah(ah)).to.include({ isGlobal: true, portNum: 1 });
    ib.ib_destroy_ah(ah);
    const ud = ib.ib_create_qp(pd, {
      qpType: ib.IB_QPT_UD,
      sendCq: cq,
      recvCq: cq,
      cap: { maxSendWr: 4, maxRecvWr: 4 },
    });
    ib.ib_attach_mcast(ud, Gid.parse('ff0e::1'), 0);
    ib.ib_detach_mcast(ud, Gid.parse('ff0e::1'), 0);
    ib.ib_destroy_qp(ud);
    const wc = Object.assign(new WorkCompletion(), { wcFlags: ib.IB_WC_GRH });
    expect(failure(() => ib.ib_init_ah_from_wc(device, 1, wc, new Uint8Array(40))).code).to.equal('EINVAL');
    expect(failure(() => ib.ib_create_ah_from_wc(pd, wc, new Uint8Array(40), 1)).code).to.equal('EINVAL');
    const mw = ib.ib_alloc_mw(pd);
    const { rkey } = mw;
    ib.ib_bind_mw(pair.a, mw, { mr: null });
    expect(mw.rkey).to.not.equal(rkey);
    ib.ib_dealloc_mw(mw);
    closeKernelPair(pair);
  });

  describe('memory', () => {
    it('has bus addresses', () => {
      const handle: ib.DmaHandle = {};
      const buffer = ib.ib_dma_alloc_coherent(device, 2 * PAGE, handle);
      const map = (memory: typeof buffer | Uint8Array, size: number): number =>
        ib.ib_dma_map_single(device, memory, size, ib.DMA_TO_DEVICE);
      expect(map(buffer, 100)).to.equal(handle.addr);
      expect(map(buffer.bytes.subarray(5000), 8)).to.equal(handle.addr! + 5000);
      expect(ib.ib_dma_mapping_error(device, handle.addr!)).to.equal(0);
      ib.ib_dma_unmap_single(device, handle.addr!, 100, ib.DMA_TO_DEVICE);
      const sg: ib.Scatterlist[] = [
        { cpuAddr: buffer, length: 16 },
        { cpuAddr: buffer.bytes.subarray(PAGE), length: 32 },
      ];
      expect(failure(() => ib.ib_sg_dma_address(device, sg[1])).code).to.equal('EINVAL');
      expect(ib.ib_dma_map_sg(device, sg, 2, ib.DMA_BIDIRECTIONAL)).to.equal(2);
      expect(ib.ib_sg_dma_address(device, sg[1]) - ib.ib_sg_dma_address(device, sg[0])).to.equal(PAGE);
      expect(ib.ib_sg_dma_len(device, sg[1])).to.equal(32);
      ib.ib_dma_unmap_sg(device, sg, 2, ib.DMA_BIDIRECTIONAL);
      const mistakes: (() => unknown)[] = [
        () => ib.ib_dma_map_single(device, buffer, 2 * PAGE + 1, ib.DMA_TO_DEVICE),
        () => ib.ib_dma_map_single(device, buffer, 8, 3),
        () => ib.ib_dma_map_single(device, 5 as never, 8, ib.DMA_TO_DEVICE),
        () => ib.ib_dma_map_sg(device, sg, 3, ib.DMA_TO_DEVICE),
        () => ib.ib_dma_free_coherent(device, PAGE, buffer),
      ];
      for (const call of mistakes) expect(failure(call).code).to.equal('EINVAL');
      expect(failure(() => map(new Uint8Array(8), 8)).code).to.equal('EFAULT');
      ib.ib_dma_free_coherent(device, 2 * PAGE, buffer, handle.addr);
    });

    it('that a provider scatters is mapped page by page', () => {
      const pd = ib.ib_alloc_pd(device);
      const { context } = pd;
      const buffer = ib.ib_dma_alloc_coherent(device, 3 * PAGE);
      // The device has the pages of all buffers in another order.
      const { pages } = context.mapDma(buffer);
      const order = new Map([pages[0], pages[1], pages[2]].map((page, at) => [page, pages[[2, 0, 1][at]]]));
      const scattered = context.mapDma.bind(context);
      Object.defineProperty(context, 'mapDma', {
        value: (memory: Parameters<typeof scattered>[0]) => {
          const mapping = scattered(memory);
          return { ...mapping, pages: Array.from(mapping.pages, (page) => order.get(page) ?? page) };
        },
        configurable: true,
      });
      const whole = failure(() => ib.ib_dma_map_single(device, buffer, 3 * PAGE, ib.DMA_TO_DEVICE));
      expect(whole).to.include({ code: 'EINVAL', verb: 'ib_dma_map_single' });
      expect([whole.details, whole.hint.includes('ib_dma_map_sg')]).to.deep.equal([{ page: 1 }, true]);
      expect(ib.ib_dma_map_single(device, buffer, PAGE, ib.DMA_TO_DEVICE), 'one page').to.equal(pages[2]);
      const sg: ib.Scatterlist[] = [
        { cpuAddr: buffer, length: PAGE },
        { cpuAddr: buffer.bytes.subarray(100), length: PAGE },
      ];
      const entry = failure(() => ib.ib_dma_map_sg(device, sg, 2, ib.DMA_TO_DEVICE));
      expect(entry.message).to.contain('sg[1]');
      expect(entry.details).to.deep.equal({ page: 1, entry: 1 });
      expect(failure(() => ib.ib_sg_dma_address(device, sg[0])).code, 'none is mapped').to.equal('EINVAL');
      const each = [0, 1, 2].map((at) => ({ cpuAddr: buffer.bytes.subarray(at * PAGE), length: PAGE }));
      expect(ib.ib_dma_map_sg(device, each, 3, ib.DMA_TO_DEVICE)).to.equal(3);
      const places = each.map((one) => ({
        addr: ib.ib_sg_dma_address(device, one),
        size: ib.ib_sg_dma_len(device, one),
      }));
      expect(places.map(({ addr }) => addr)).to.deep.equal([pages[2], pages[0], pages[1]]);
      expect(ib.ib_query_mr(ib.ib_reg_phys_mr(pd, places, 3, ACCESS, 0)).size).to.equal(3 * PAGE);
      const apart = (): object => ({ pages: [0, 2 * PAGE], firstOffset: 0, length: 2 * PAGE });
      Object.defineProperty(context, 'mapDma', { value: apart });
      const before = context.children.length;
      const error = failure(() => ib.ib_dma_alloc_coherent(device, 2 * PAGE));
      expect(error).to.include({ code: 'ENOMEM', verb: 'ib_dma_alloc_coherent' });
      expect(context.children, 'it is given back').to.have.length(before);
    });

    it('in scattered pages is registered as one range', () => {
      const pair = openKernelPair();
      const { pd, a, cq } = pair;
      const pieces = [0, 1, 2].map(() => {
        const handle: ib.DmaHandle = {};
        return { buffer: ib.ib_dma_alloc_coherent(device, PAGE, handle), addr: handle.addr! };
      });
      const [x, y, z] = pieces;
      const places = [
        { addr: z.addr + 1000, size: PAGE - 1000 },
        { addr: x.addr, size: PAGE },
        { addr: y.addr, size: 500 },
      ];
      const iova = 0x7000_0000_0000 + 1000;
      const mr = ib.ib_reg_phys_mr(pd, places, 3, ACCESS, iova);
      const attr = ib.ib_query_mr(mr);
      expect(attr).to.include({ pd, deviceVirtAddr: iova, size: 2 * PAGE - 500, mrAccessFlags: ACCESS, rkey: mr.rkey });
      pair.buffer.bytes.set(Uint8Array.from({ length: 5000 }, (_, i) => i % 251));
      ib.ib_post_send(a, {
        wrId: 9,
        opcode: ib.IB_WR_RDMA_WRITE,
        sendFlags: ib.IB_SEND_SIGNALED,
        sgList: [{ addr: pair.dma, length: 5000, lkey: pair.mr.lkey }],
        remoteAddr: iova,
        rkey: mr.rkey,
      });
      const wc = WorkCompletion.array(1);
      while (ib.ib_poll_cq(cq, 1, wc) === 0);
      expect(wc[0].status, wc[0].explain()).to.equal(ib.IB_WC_SUCCESS);
      const written = [z.buffer.bytes.subarray(1000), x.buffer.bytes].flatMap((part) => [...part]).slice(0, 5000);
      expect(written).to.deep.equal([...pair.buffer.bytes.subarray(0, 5000)]);

      ib.ib_rereg_phys_mr(mr, ib.IB_MR_REREG_TRANS, null, [{ addr: x.addr, size: 64 }], 1, 0, 0x1000);
      expect(ib.ib_query_mr(mr)).to.include({ deviceVirtAddr: 0x1000, size: 64 });
      const other = ib.ib_alloc_pd(device);
      ib.ib_rereg_phys_mr(mr, ib.IB_MR_REREG_PD | ib.IB_MR_REREG_ACCESS, other, null, 0, 0, 0);
      expect(ib.ib_query_mr(mr)).to.include({ pd: other, mrAccessFlags: 0 });
      for (const mask of [0, 8]) {
        expect(failure(() => ib.ib_rereg_phys_mr(mr, mask, null, null, 0, 0, 0)).code).to.equal('EINVAL');
      }
      expect(failure(() => ib.ib_rereg_phys_mr(mr, ib.IB_MR_REREG_PD, null, null, 0, 0, 0)).code).to.equal('EINVAL');
      ib.ib_dereg_mr(mr);

      const bad: [ib.IbPhysBuf[], number, number][] = [
        [[], 0, 0],
        [places, 4, iova],
        [[places[0], { addr: x.addr + 8, size: 8 }], 2, iova],
        [[{ addr: x.addr, size: 8 }, places[1]], 2, 0],
        [[{ addr: x.addr, size: 0 }], 1, 0],
        [[{ addr: -PAGE, size: 8 }], 1, 0],
        [[{ addr: x.addr, size: 2 ** 52 }], 1, 0],
        [[null as never], 1, 0],
        [places, 3, iova + 1],
      ];
      for (const [list, count, start] of bad) {
        const error = failure(() => ib.ib_reg_phys_mr(pd, list, count, ACCESS, start));
        expect(error, error.message).to.include({ code: 'EINVAL', verb: 'ib_reg_phys_mr' });
      }
      ib.ib_dealloc_pd(other);
      for (const { buffer } of pieces) ib.ib_dma_free_coherent(device, PAGE, buffer);
      closeKernelPair(pair);
    });
  });
}
