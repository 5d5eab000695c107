/** Functions of Gen2 on objects that came later, or that not every device has, by the emulated HCA: what they are for, and no more. */
import { Gid, GRH_BYTES, WorkCompletion } from '@openverbs/verbs';
import type { CompletionQueue, Context, MemoryRegion, ProtectionDomain, QueuePair } from '@openverbs/verbs';
import { expect } from 'chai';

import * as gen2 from '../src/gen2/index.ts';
import { closeSharedOpenVerbs } from '../src/testing/index.ts';
import { failure } from './failure.ts';

const CAP = { maxSendWr: 16, maxRecvWr: 16, maxSendSge: 2, maxRecvSge: 2, maxInlineData: 16 };
const ACCESS =
  gen2.IBV_ACCESS_LOCAL_WRITE |
  gen2.IBV_ACCESS_REMOTE_WRITE |
  gen2.IBV_ACCESS_REMOTE_READ |
  gen2.IBV_ACCESS_REMOTE_ATOMIC |
  gen2.IBV_ACCESS_FLUSH_GLOBAL;

describe('gen2 on the emulated HCA', () => {
  let context: Context;
  let pd: ProtectionDomain;
  let cq: CompletionQueue;
  let mr: MemoryRegion;

  beforeEach(() => {
    context = gen2.ibv_open_device(gen2.ibv_get_device_list()[0]);
    pd = gen2.ibv_alloc_pd(context);
    cq = gen2.ibv_create_cq(context, 64, null, null, 0);
    mr = gen2.ibv_reg_mr(pd, gen2.ibv_alloc_buf(pd, 8192), 8192, ACCESS);
  });
  afterEach(() => closeSharedOpenVerbs());

  const sge = (offset: number, length: number): { addr: number; length: number; lkey: number } => ({
    addr: mr.addr + offset,
    length,
    lkey: mr.lkey,
  });

  /** Connects two ends, or the two halves of XRC. */
  function connect(a: QueuePair, b: QueuePair): void {
    for (const qp of [a, b]) qp.toInit({ accessFlags: ACCESS });
    a.toRtr(b.endpoint());
    b.toRtr(a.endpoint());
    a.toRts();
    if (b.qpType !== gen2.IBV_QPT_XRC_RECV) b.toRts();
  }

  function pair(queue = cq): [QueuePair, QueuePair] {
    const init = { qpType: gen2.IBV_QPT_RC, sendCq: queue, recvCq: queue, cap: CAP };
    const [a, b] = [gen2.ibv_create_qp(pd, init), gen2.ibv_create_qp(pd, init)];
    connect(a, b);
    return [a, b];
  }

  /** Status, `wrId` and opcode of so many completions. */
  function poll(count: number, from = cq): number[][] {
    const wcs = WorkCompletion.array(1);
    const found: number[][] = [];
    while (found.length < count) {
      if (gen2.ibv_poll_cq(from, 1, wcs) === 1) found.push([wcs[0].status, wcs[0].wrId, wcs[0].opcode]);
    }
    return found;
  }

  describe('XRC', () => {
    it('has a message take the queue that it names, of whoever opened the queue pair', () => {
      const other = gen2.ibv_open_device(context.device);
      const xrcd = gen2.ibv_open_xrcd(context, {});
      const srqs = [0, 1].map(() =>
        gen2.ibv_create_srq_ex(context, { pd, srqType: gen2.IBV_SRQT_XRC, xrcd, cq, attr: { maxWr: 4 } }),
      );
      expect(gen2.ibv_get_srq_num(srqs[0])).to.not.equal(gen2.ibv_get_srq_num(srqs[1]));
      const target = gen2.ibv_create_qp_ex(context, { qpType: gen2.IBV_QPT_XRC_RECV, xrcd, qpContext: 'mine' });
      expect(target.qpContext).to.equal('mine');
      const sendCq = gen2.ibv_create_cq(context, 8, null, null, 0);
      const init = { qpType: gen2.IBV_QPT_XRC_SEND, sendCq, cap: { maxSendWr: 4, maxSendSge: 1 } };
      const sender = gen2.ibv_create_qp_ex(context, { pd, ...init });
      connect(sender, target);
      srqs.forEach((srq, at) => gen2.ibv_post_srq_recv(srq, { wrId: at, sgList: [sge(0, 64)] }));
      const remoteSrqn = gen2.ibv_get_srq_num(srqs[1]);
      gen2.ibv_post_send(sender, { wrId: 9, opcode: gen2.IBV_WR_SEND, sendFlags: gen2.IBV_SEND_SIGNALED, remoteSrqn });
      expect(poll(1)).to.deep.equal([[gen2.IBV_WC_SUCCESS, 1, gen2.IBV_WC_RECV]]);
      expect(poll(1, sendCq)).to.deep.equal([[gen2.IBV_WC_SUCCESS, 9, gen2.IBV_WC_SEND]]);
      gen2.ibv_wr_start(sender);
      gen2.ibv_wr_send(sender);
      gen2.ibv_wr_set_xrc_srqn(sender, gen2.ibv_get_srq_num(srqs[0]));
      gen2.ibv_wr_complete(sender);
      expect(poll(1)).to.deep.equal([[gen2.IBV_WC_SUCCESS, 0, gen2.IBV_WC_RECV]]);

      const foreign = (): unknown => gen2.ibv_create_qp_ex(other, { qpType: gen2.IBV_QPT_XRC_RECV, xrcd });
      for (const call of [foreign, () => gen2.ibv_open_qp(other, { xrcd, qpNum: target.qpNum })]) {
        expect(failure(call))
          .to.include({ code: 'EINVAL' })
          .and.have.property('message')
          .that.contains('another context');
      }
      expect(failure(() => gen2.ibv_close_xrcd(xrcd)).code).to.equal('EBUSY');
      for (const qp of [sender, target]) gen2.ibv_destroy_qp(qp);
      for (const srq of srqs) gen2.ibv_destroy_srq(srq);
      gen2.ibv_close_xrcd(xrcd);
      expect(failure(() => gen2.ibv_close_xrcd(xrcd)).code).to.equal('EINVAL');
    });

    it('keeps a receiving queue pair as long as anybody has it open', () => {
      const xrcd = gen2.ibv_open_xrcd(context, {});
      const made = gen2.ibv_create_qp_ex(context, { qpType: gen2.IBV_QPT_XRC_RECV, xrcd });
      const opened = gen2.ibv_open_qp(context, { xrcd, qpNum: made.qpNum, qpContext: 'opened' });
      expect(opened).to.not.equal(made);
      expect([opened.qpNum, opened.qpType, opened.qpContext]).to.deep.equal([
        made.qpNum,
        gen2.IBV_QPT_XRC_RECV,
        'opened',
      ]);
      const init = gen2.IBV_QP_STATE | gen2.IBV_QP_PKEY_INDEX | gen2.IBV_QP_PORT | gen2.IBV_QP_ACCESS_FLAGS;
      const attr = { qpState: gen2.IBV_QPS_INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags: 0 };
      gen2.ibv_modify_qp(opened, attr, init);
      expect(gen2.ibv_query_qp(made).attr.qpState, 'what one does the other sees').to.equal(gen2.IBV_QPS_INIT);
      gen2.ibv_destroy_qp(made);
      expect(gen2.ibv_query_qp(opened).attr.qpState).to.equal(gen2.IBV_QPS_INIT);
      gen2.ibv_destroy_qp(opened);
      for (const qpNum of [made.qpNum, 0, 0xffffff]) {
        expect(failure(() => gen2.ibv_open_qp(context, { xrcd, qpNum }))).to.include({
          code: 'EINVAL',
          verb: 'ibv_open_qp',
        });
      }
      gen2.ibv_close_xrcd(xrcd);
    });

    it('leaves other types to a protection domain', () => {
      const init = { qpType: gen2.IBV_QPT_RC, sendCq: cq, recvCq: cq, cap: CAP };
      const qp = gen2.ibv_create_qp_ex(context, { pd, ...init });
      expect([qp.pd, qp.qpType]).to.deep.equal([pd, gen2.IBV_QPT_RC]);
      const srq = gen2.ibv_create_srq_ex(context, { pd, attr: { maxWr: 4 } });
      expect(gen2.ibv_query_srq(srq).maxWr).to.be.at.least(4);
      const other = gen2.ibv_open_device(context.device);
      expect(failure(() => gen2.ibv_create_srq_ex(other, { pd, attr: { maxWr: 4 } })).code).to.equal('EINVAL');
    });
  });

  it('a shared receive queue serves its queue pairs, and warns', () => {
    const srq = gen2.ibv_create_srq(pd, { attr: { maxWr: 4 } });
    const init = { qpType: gen2.IBV_QPT_RC, sendCq: cq, recvCq: cq, srq, cap: { maxSendWr: 4 } };
    const [a, b] = [gen2.ibv_create_qp(pd, init), gen2.ibv_create_qp(pd, init)];
    connect(a, b);
    gen2.ibv_post_srq_recv(srq, { wrId: 1, sgList: [sge(64, 8)], next: { wrId: 2, sgList: [sge(64, 8)] } });
    gen2.ibv_modify_srq(srq, { srqLimit: 2 }, gen2.IBV_SRQ_LIMIT);
    gen2.ibv_post_send(a, { wrId: 3, opcode: gen2.IBV_WR_SEND });
    expect(poll(1)).to.deep.equal([[gen2.IBV_WC_SUCCESS, 1, gen2.IBV_WC_RECV]]);
    const event = context.tryGetAsyncEvent()!;
    expect([event.type, event.srq]).to.deep.equal([gen2.IBV_EVENT_SRQ_LIMIT_REACHED, srq]);
    gen2.ibv_ack_async_event(event);
    expect(failure(() => gen2.ibv_destroy_srq(srq)).code).to.equal('EBUSY');
    for (const qp of [a, b]) gen2.ibv_destroy_qp(qp);
    gen2.ibv_destroy_srq(srq);
  });

  it('datagrams go where an address handle leads, and to groups', () => {
    const init = { qpType: gen2.IBV_QPT_UD, sendCq: cq, recvCq: cq, cap: CAP };
    const [a, b] = [gen2.ibv_create_qp(pd, init), gen2.ibv_create_qp(pd, init)];
    for (const qp of [a, b]) qp.toRts(b.endpoint());
    const group = Gid.parse('ff0e::5');
    gen2.ibv_attach_mcast(b, group, 0);
    const qkey = gen2.ibv_query_qp(b).attr.qkey;
    const grh = { dgid: gen2.ibv_query_gid(context, 1, 0), sgidIndex: 0, hopLimit: 1 };
    const ways = [grh, { ...grh, dgid: group }].map((each) =>
      gen2.ibv_create_ah(pd, { isGlobal: true, grh: each, portNum: 1 }),
    );
    const qpns = [b.qpNum, 0xffffff];
    ways.forEach((ah, at) => {
      gen2.ibv_post_recv(b, { wrId: at, sgList: [sge(0, 64)] });
      gen2.ibv_wr_start(a);
      gen2.ibv_wr_send_imm(a, 70 + at);
      gen2.ibv_wr_set_ud_addr(a, ah, qpns[at], qkey);
      gen2.ibv_wr_set_sge(a, mr.lkey, mr.addr + 4096, 8);
      gen2.ibv_wr_complete(a);
      const wcs = WorkCompletion.array(1);
      while (gen2.ibv_poll_cq(cq, 1, wcs) === 0);
      expect(wcs[0]).to.include({ status: gen2.IBV_WC_SUCCESS, wrId: at, immData: 70 + at, srcQp: a.qpNum });
      const header = mr.bytes.subarray(0, GRH_BYTES);
      if (at === 1) {
        expect(failure(() => gen2.ibv_init_ah_from_wc(context, 1, wcs[0], header)).code, 'a group').to.equal('EINVAL');
        return;
      }
      const back = gen2.ibv_init_ah_from_wc(context, 1, wcs[0], header);
      expect(String(back.grh?.dgid)).to.equal(String(grh.dgid));
      gen2.ibv_destroy_ah(gen2.ibv_create_ah_from_wc(pd, wcs[0], header, 1));
    });
    gen2.ibv_detach_mcast(b, group, 0);
    expect(failure(() => gen2.ibv_detach_mcast(b, group, 0)).code).to.equal('EINVAL');
    for (const ah of ways) gen2.ibv_destroy_ah(ah);
  });

  it('each operation of the extended form does what it says', () => {
    const [qp, peer] = pair();
    const ex = gen2.ibv_qp_to_qp_ex(qp);
    const words = (): number[] => [0, 8, 16, 24, 32].map((at) => mr.bytes[4096 + at]);
    const remote = (at: number): [number, number] => [mr.rkey, mr.addr + 4096 + at];
    mr.bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
    for (let wrId = 0; wrId < 4; wrId++) gen2.ibv_post_recv(peer, { wrId: 100 + wrId, sgList: [sge(2048, 64)] });
    gen2.ibv_wr_start(ex);
    ex.wrFlags = gen2.IBV_SEND_SIGNALED;
    const add = (wrId: number, call: () => void, data?: () => void): void => {
      ex.wrId = wrId;
      call();
      data?.();
    };
    add(
      1,
      () => gen2.ibv_wr_rdma_write(ex, ...remote(0)),
      () => gen2.ibv_wr_set_sge(ex, mr.lkey, mr.addr, 8),
    );
    add(
      2,
      () => gen2.ibv_wr_rdma_write_imm(ex, ...remote(8), 5),
      () => gen2.ibv_wr_set_sge_list(ex, 1, [sge(1, 1)]),
    );
    add(3, () => gen2.ibv_wr_atomic_write(ex, ...remote(16), Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)));
    add(
      4,
      () => gen2.ibv_wr_atomic_fetch_add(ex, ...remote(16), 2n),
      () => gen2.ibv_wr_set_sge(ex, mr.lkey, mr.addr + 512, 8),
    );
    add(
      5,
      () => gen2.ibv_wr_atomic_cmp_swp(ex, ...remote(16), 11n, 20n),
      () => gen2.ibv_wr_set_sge(ex, mr.lkey, mr.addr + 520, 8),
    );
    add(6, () => gen2.ibv_wr_flush(ex, ...remote(0), 64, gen2.IBV_FLUSH_GLOBAL, gen2.IBV_FLUSH_RANGE));
    add(
      7,
      () => gen2.ibv_wr_rdma_read(ex, ...remote(16)),
      () => gen2.ibv_wr_set_sge(ex, mr.lkey, mr.addr + 528, 8),
    );
    add(
      8,
      () => gen2.ibv_wr_send(ex),
      () => gen2.ibv_wr_set_inline_data(ex, Uint8Array.of(7, 7), 2),
    );
    add(
      9,
      () => gen2.ibv_wr_rdma_write(ex, ...remote(24)),
      () =>
        gen2.ibv_wr_set_inline_data_list(ex, 2, [
          { addr: Uint8Array.of(3, 3, 9), length: 2 },
          { addr: Uint8Array.of(4), length: 1 },
          { addr: Uint8Array.of(9), length: 1 },
        ]),
    );
    gen2.ibv_wr_complete(ex);
    const done = poll(11).filter(([, wrId]) => wrId < 100);
    expect(done).to.deep.equal(
      [
        'RDMA_WRITE',
        'RDMA_WRITE',
        'ATOMIC_WRITE',
        'FETCH_ADD',
        'COMP_SWAP',
        'FLUSH',
        'RDMA_READ',
        'SEND',
        'RDMA_WRITE',
      ].map((name, at) => [0, at + 1, gen2[`IBV_WC_${name}` as 'IBV_WC_SEND']]),
    );
    expect(words()).to.deep.equal([1, 2, 20, 3, 0]);
    expect([512, 520, 528, 2048, 2049].map((at) => mr.bytes[at])).to.deep.equal([9, 11, 20, 7, 7]);

    gen2.ibv_wr_start(ex);
    gen2.ibv_wr_send(ex);
    gen2.ibv_wr_abort(ex);
    expect(gen2.ibv_poll_cq(cq, 1, WorkCompletion.array(1))).to.equal(0);
  });

  it('keys of memory windows are bound, sent to be invalidated, and invalidated', () => {
    const wcFlags = gen2.IBV_WC_EX_WITH_IMM;
    const ex = gen2.ibv_create_cq_ex(context, { cqe: 16, wcFlags });
    const [qp, peer] = pair(ex);
    const bindable = gen2.ibv_reg_mr(pd, gen2.ibv_alloc_buf(pd, 64), 64, ACCESS | gen2.IBV_ACCESS_MW_BIND);
    const mw = gen2.ibv_alloc_mw(pd, gen2.IBV_MW_TYPE_2);
    const bind = (rkey: number): void => {
      const access = gen2.IBV_ACCESS_REMOTE_WRITE;
      gen2.ibv_wr_start(peer);
      gen2.ibv_wr_bind_mw(peer, mw, rkey, { mr: bindable, addr: bindable.addr, length: 64, access });
      gen2.ibv_wr_complete(peer);
    };
    const bound = gen2.ibv_inc_rkey(mw.rkey);
    bind(bound);
    gen2.ibv_post_recv(peer, { wrId: 1 });
    gen2.ibv_wr_start(qp);
    gen2.ibv_wr_send_inv(qp, bound);
    gen2.ibv_wr_complete(qp);
    expect(gen2.ibv_start_poll(ex)).to.equal(0);
    expect([ex.status, ex.wrId, gen2.ibv_wc_read_invalidated_rkey(ex)]).to.deep.equal([gen2.IBV_WC_SUCCESS, 1, bound]);
    gen2.ibv_end_poll(ex);
    bind(gen2.ibv_inc_rkey(bound));
    gen2.ibv_wr_start(peer);
    peer.wrFlags = gen2.IBV_SEND_SIGNALED;
    peer.wrId = 2;
    gen2.ibv_wr_local_inv(peer, gen2.ibv_inc_rkey(bound));
    gen2.ibv_wr_complete(peer);
    expect(poll(1, ex)).to.deep.equal([[gen2.IBV_WC_SUCCESS, 2, gen2.IBV_WC_LOCAL_INV]]);
    const type1 = gen2.ibv_alloc_mw(pd, gen2.IBV_MW_TYPE_1);
    const info = { mr: bindable, addr: bindable.addr, length: 64, access: 0 };
    gen2.ibv_bind_mw(peer, type1, info);
    for (const window of [mw, type1]) gen2.ibv_dealloc_mw(window);
  });

  it('an extended completion queue is read where completions lie', () => {
    const wcFlags =
      gen2.IBV_WC_EX_WITH_BYTE_LEN |
      gen2.IBV_WC_EX_WITH_IMM |
      gen2.IBV_WC_EX_WITH_QP_NUM |
      gen2.IBV_WC_EX_WITH_SRC_QP |
      gen2.IBV_WC_EX_WITH_SLID |
      gen2.IBV_WC_EX_WITH_SL |
      gen2.IBV_WC_EX_WITH_DLID_PATH_BITS |
      gen2.IBV_WC_EX_WITH_COMPLETION_TIMESTAMP |
      gen2.IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK;
    const ex = gen2.ibv_create_cq_ex(context, { cqe: 16, wcFlags });
    const [a, b] = pair(gen2.ibv_cq_ex_to_cq(ex));
    expect([gen2.ibv_start_poll(ex), 0]).to.deep.equal([2, 0]);
    gen2.ibv_post_recv(b, { wrId: 1, sgList: [sge(0, 64)] });
    gen2.ibv_post_send(a, {
      wrId: 2,
      opcode: gen2.IBV_WR_SEND_WITH_IMM,
      immData: 77,
      sgList: [sge(64, 5)],
      sendFlags: 2,
    });
    expect(gen2.ibv_start_poll(ex)).to.equal(0);
    const seen = new Map<number, readonly number[]>();
    for (let more = 0; more === 0; more = gen2.ibv_next_poll(ex)) {
      const isReceive = gen2.ibv_wc_read_opcode(ex) === gen2.IBV_WC_RECV;
      expect([ex.status, gen2.ibv_wc_read_vendor_err(ex)]).to.deep.equal([gen2.IBV_WC_SUCCESS, 0]);
      expect(gen2.ibv_wc_read_completion_ts(ex)).to.be.greaterThan(0);
      expect(gen2.ibv_wc_read_completion_wallclock_ns(ex)).to.be.greaterThan(0);
      expect([gen2.ibv_wc_read_slid(ex), gen2.ibv_wc_read_sl(ex), gen2.ibv_wc_read_dlid_path_bits(ex)]).to.deep.equal([
        0, 0, 0,
      ]);
      const read = [gen2.ibv_wc_read_qp_num(ex), gen2.ibv_wc_read_byte_len(ex)];
      if (isReceive) read.push(gen2.ibv_wc_read_src_qp(ex));
      if (isReceive) read.push(gen2.ibv_wc_read_imm_data(ex), gen2.ibv_wc_read_wc_flags(ex) & gen2.IBV_WC_WITH_IMM);
      seen.set(ex.wrId, read);
    }
    gen2.ibv_end_poll(ex);
    expect(seen.get(1)).to.deep.equal([b.qpNum, 5, a.qpNum, 77, gen2.IBV_WC_WITH_IMM]);
    expect(seen.get(2)?.[0]).to.equal(a.qpNum);
    expect(seen.size).to.equal(2);
  });

  it('queues are resized and moderated, and asked for the order of data', () => {
    gen2.ibv_resize_cq(cq, 200);
    expect(cq.cqe).to.be.at.least(200);
    gen2.ibv_modify_cq(cq, { attr_mask: gen2.IBV_CQ_ATTR_MODERATE, moderate: { cqCount: 2, cqPeriod: 3 } });
    const [qp] = pair();
    expect(gen2.ibv_query_qp_data_in_order(qp, gen2.IBV_WR_RDMA_WRITE, 0)).to.be.oneOf([0, 1]);
  });
});
