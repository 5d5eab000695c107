/** A C program against Gen2, call by call. */
import { AccessFlags, Gid, RecvWr, SendWr, WorkCompletion } from '@openverbs/verbs';
import type { CompletionChannel, CompletionQueue, Context, ProtectionDomain, QueuePair } from '@openverbs/verbs';
import { expect } from 'chai';

import * as gen2 from '../src/gen2/index.ts';
import {
  IBV_ACCESS_LOCAL_WRITE,
  IBV_ACCESS_REMOTE_WRITE,
  IBV_EVENT_SQ_DRAINED,
  IBV_LINK_LAYER_ETHERNET,
  IBV_PORT_ACTIVE,
  IBV_QP_ACCESS_FLAGS,
  IBV_QP_AV,
  IBV_QP_CAP,
  IBV_QP_DEST_QPN,
  IBV_QP_EN_SQD_ASYNC_NOTIFY,
  IBV_QP_MAX_DEST_RD_ATOMIC,
  IBV_QP_MAX_QP_RD_ATOMIC,
  IBV_QP_MIN_RNR_TIMER,
  IBV_QP_PATH_MTU,
  IBV_QP_PKEY_INDEX,
  IBV_QP_PORT,
  IBV_QP_RETRY_CNT,
  IBV_QP_RNR_RETRY,
  IBV_QP_RQ_PSN,
  IBV_QP_SQ_PSN,
  IBV_QP_STATE,
  IBV_QP_TIMEOUT,
  IBV_QPS_INIT,
  IBV_QPS_RTR,
  IBV_QPS_RTS,
  IBV_QPS_SQD,
  IBV_QPT_RC,
  IBV_RATE_10_GBPS,
  IBV_SEND_SIGNALED,
  IBV_WC_RECV,
  IBV_WC_SEND,
  IBV_WC_SUCCESS,
  IBV_WR_SEND,
} from '../src/gen2/index.ts';
import { sharedOpenVerbs } from '../src/shared-instance.ts';
import { closeSharedOpenVerbs } from '../src/testing/index.ts';
import { failure } from './failure.ts';

const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1 };

describe('gen2', () => {
  let context: Context;

  beforeEach(() => {
    const list = gen2.ibv_get_device_list();
    context = gen2.ibv_open_device(list[0]);
    gen2.ibv_free_device_list(list);
  });

  afterEach(() => closeSharedOpenVerbs());

  it('has later queries of devices and ports', () => {
    expect(gen2.ibv_get_device_index(context.device)).to.equal(0);
    expect(gen2.ibv_query_port_speed(context, 1)).to.equal(1000);
    const entry = gen2.ibv_query_gid_ex(context, 1, 0);
    expect(entry.gid.equals(gen2.ibv_query_gid(context, 1, 0))).to.equal(true);
    const entries: (typeof entry)[] = [];
    expect(gen2.ibv_query_gid_table(context, entries)).to.equal(entries).and.deep.equal(context.queryGidTable());
    expect(gen2.ibv_query_gid_table(context, entries, 0)).to.be.empty;
    expect(failure(() => gen2.ibv_query_gid_ex(context, 1, 0, {}, 1)).code).to.equal('EINVAL');
    expect(failure(() => gen2.ibv_query_gid_table(context, [], 1, 1)).code).to.equal('EINVAL');
    const ex = gen2.ibv_query_device_ex(context);
    expect(ex.origAttr).to.deep.equal(gen2.ibv_query_device(context));
    expect(ex).to.include({ hcaCoreClock: 1e6, maxDmSize: 0n });
    expect(gen2.ibv_query_rt_values_ex(context).rawClock).to.be.a('number');
    const pd = gen2.ibv_alloc_pd(context);
    const td = gen2.ibv_alloc_td(context);
    const parent = gen2.ibv_alloc_parent_domain(context, { pd, td });
    expect([parent.parent, parent.td]).to.deep.equal([pd, td]);
    gen2.ibv_dealloc_pd(parent);
    gen2.ibv_dealloc_td(td);
    gen2.ibv_dealloc_pd(pd);
    expect(gen2.ibv_fork_init()).to.equal(0);
    expect(gen2.ibv_is_fork_initialized()).to.equal(gen2.IBV_FORK_UNNEEDED);
    expect([gen2.ibv_is_qpt_supported(0b100, 2), gen2.ibv_is_qpt_supported(0b100, 3)]).to.deep.equal([1, 0]);
    expect([gen2.ibv_rate_to_mbps(3), gen2.mbps_to_ibv_rate(10000)]).to.deep.equal([10000, 3]);
    expect(gen2.ibv_wr_opcode_str(2)).to.equal('send');
    expect(gen2.ibv_flow_label_to_udp_sport(1)).to.equal(0xc001);
  });

  it('lists devices of one shared instance, which can be closed and opened again', () => {
    const list = gen2.ibv_get_device_list();
    expect(list).to.have.ordered.members([...sharedOpenVerbs().devices]);
    expect(gen2.ibv_get_device_name(list[0])).to.equal('emulated0');
    expect(gen2.ibv_get_device_guid(list[0])).to.be.a('bigint');
    closeSharedOpenVerbs();
    closeSharedOpenVerbs();
    expect(context.destroyed).to.equal(true);
    expect(gen2.ibv_get_device_list()[0]).not.to.equal(list[0]);
  });

  it('fills and returns out-parameters', () => {
    const attr = {};
    expect(gen2.ibv_query_device(context, attr)).to.equal(attr);
    expect(attr).to.have.property('physPortCnt', 1);
    expect(gen2.ibv_query_port(context, 1)).to.include({ state: IBV_PORT_ACTIVE, linkLayer: IBV_LINK_LAYER_ETHERNET });
    expect(gen2.ibv_query_gid(context, 1, 0)).to.be.instanceOf(Gid);
    expect(gen2.ibv_query_pkey(context, 1, 0)).to.equal(0xffff);
    expect(gen2.ibv_get_pkey_index(context, 1, 0xffff)).to.equal(0);
    gen2.ibv_close_device(context);
    expect(failure(() => gen2.ibv_close_device(context)).code).to.equal('EINVAL');
  });

  it('registers all of a buffer, its first bytes, or a view', () => {
    const pd = gen2.ibv_alloc_pd(context);
    const buf = gen2.ibv_alloc_buf(pd, 8192);
    const access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE;
    const all = gen2.ibv_reg_mr(pd, buf, 8192, access);
    const first = gen2.ibv_reg_mr(pd, buf, 100, access);
    const view = gen2.ibv_reg_mr(pd, buf.bytes.subarray(4096), 64, access);
    expect([all, first, view].map((mr) => [mr.addr - buf.addr, mr.length])).to.deep.equal([
      [0, 8192],
      [0, 100],
      [4096, 64],
    ]);
    expect(all.access).to.equal(AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
    for (const length of [8193, -1, 1.5]) {
      expect(failure(() => gen2.ibv_reg_mr(pd, buf, length, access)).code, String(length)).to.equal('EINVAL');
    }
    expect(failure(() => gen2.ibv_free_buf(buf)).code).to.equal('EBUSY');
    for (const mr of [all, first, view]) gen2.ibv_dereg_mr(mr);
    gen2.ibv_free_buf(buf);
    gen2.ibv_dealloc_pd(pd);
  });

  describe('a connected pair', () => {
    let channel: CompletionChannel;
    let cq: CompletionQueue;
    let a: QueuePair;
    let b: QueuePair;
    const wc = WorkCompletion.array(4);

    beforeEach(() => {
      const pd = gen2.ibv_alloc_pd(context);
      channel = gen2.ibv_create_comp_channel(context);
      cq = gen2.ibv_create_cq(context, 16, 'my context', channel, 0);
      [a, b] = [0, 1].map(() => gen2.ibv_create_qp(pd, { sendCq: cq, recvCq: cq, cap: CAP, qpType: IBV_QPT_RC }));
      connect(a, b);
      connect(b, a);
    });

    /** As programs in C connect: by three modifies with masks. */
    function connect(qp: QueuePair, peer: QueuePair): void {
      gen2.ibv_modify_qp(
        qp,
        { qpState: IBV_QPS_INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags: IBV_ACCESS_REMOTE_WRITE },
        IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS,
      );
      const grh = { dgid: gen2.ibv_query_gid(context, 1, 0), sgidIndex: 0, hopLimit: 1 };
      const { activeMtu } = gen2.ibv_query_port(context, 1);
      const attr = {
        qpState: IBV_QPS_RTR,
        pathMtu: activeMtu,
        destQpNum: peer.qpNum,
        rqPsn: 7,
        maxDestRdAtomic: 1,
        minRnrTimer: 12,
        ahAttr: { isGlobal: true, grh, dlid: 0, portNum: 1 },
        // In C the struct holds these as well; the mask does not name them.
        sqPsn: 99,
        timeout: 1,
      };
      const toRtr = IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN;
      gen2.ibv_modify_qp(qp, attr, toRtr | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
      gen2.ibv_modify_qp(
        qp,
        { ...attr, qpState: IBV_QPS_RTS, timeout: 14, retryCnt: 7, rnrRetry: 7, sqPsn: 7, maxRdAtomic: 1 },
        IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC,
      );
    }

    it('sets exactly what the mask names', () => {
      const { attr, init_attr } = gen2.ibv_query_qp(a, {}, IBV_QP_STATE);
      expect(attr).to.include({ qpState: IBV_QPS_RTS, sqPsn: 7, timeout: 14, rqPsn: 7, destQpNum: b.qpNum });
      expect(init_attr.qpType).to.equal(IBV_QPT_RC);
      const filled = { attr: {}, init: {} };
      const result = gen2.ibv_query_qp(a, filled.attr, IBV_QP_CAP, filled.init);
      expect([result.attr, result.init_attr]).to.have.ordered.members([filled.attr, filled.init]);
      const error = failure(() => gen2.ibv_modify_qp(a, { qpState: IBV_QPS_SQD }, IBV_QP_STATE | IBV_QP_SQ_PSN));
      expect(error.code).to.equal('EINVAL');
    });

    it('sends a chain, and tells of both ends by one poll', () => {
      const { pd } = a;
      const buf = gen2.ibv_alloc_buf(pd, 4096);
      const mr = gen2.ibv_reg_mr(pd, buf, 4096, IBV_ACCESS_LOCAL_WRITE);
      const to = (offset: number): { addr: number; length: number; lkey: number }[] => [
        { addr: mr.addr + offset, length: 8, lkey: mr.lkey },
      ];
      buf.bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
      gen2.ibv_post_recv(b, new RecvWr({ wrId: 20, sgList: to(1024), next: { wrId: 21, sgList: to(2048) } }));
      const send = { opcode: IBV_WR_SEND, sendFlags: IBV_SEND_SIGNALED, sgList: to(0) };
      gen2.ibv_post_send(a, new SendWr({ ...send, wrId: 10, next: { ...send, wrId: 11 } }));
      let done = 0;
      const seen: number[][] = [];
      while (done < 4) {
        const n = gen2.ibv_poll_cq(cq, 4, wc);
        for (const { wrId, status, opcode } of wc.slice(0, n)) seen.push([wrId, status, opcode]);
        done += n;
      }
      expect(seen.toSorted(([one], [two]) => one - two)).to.deep.equal([
        [10, IBV_WC_SUCCESS, IBV_WC_SEND],
        [11, IBV_WC_SUCCESS, IBV_WC_SEND],
        [20, IBV_WC_SUCCESS, IBV_WC_RECV],
        [21, IBV_WC_SUCCESS, IBV_WC_RECV],
      ]);
      expect([...buf.bytes.subarray(2048, 2056)]).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it('names the work request that a post refused', () => {
      const good = { wrId: 1, opcode: IBV_WR_SEND, sendFlags: IBV_SEND_SIGNALED };
      const bad = new SendWr({ wrId: 2, opcode: 31 });
      const bad_wr = {};
      const first = new SendWr(good);
      first.next = bad;
      expect(failure(() => gen2.ibv_post_send(a, first, bad_wr)).code).to.equal('EINVAL');
      expect(bad_wr).to.have.property('wr', bad);
      const receives = [0, 1, 2, 3, 4].map((wrId) => new RecvWr({ wrId }));
      receives.forEach((wr, index) => (wr.next = receives[index + 1] ?? null));
      expect(failure(() => gen2.ibv_post_recv(a, receives[0], bad_wr)).code).to.equal('ENOMEM');
      expect(bad_wr).to.have.property('wr', receives[CAP.maxRecvWr]);
      expect(failure(() => gen2.ibv_post_recv(a, receives[0])).code).to.equal('ENOMEM');
    });

    it('waits for a completion event, and counts its acknowledgement', async () => {
      gen2.ibv_req_notify_cq(cq, 0);
      const event = gen2.ibv_get_cq_event(channel);
      gen2.ibv_post_recv(b, { wrId: 1 });
      gen2.ibv_post_send(a, { opcode: IBV_WR_SEND, sendFlags: IBV_SEND_SIGNALED });
      const which = await event;
      expect(which).to.equal(cq);
      expect(which.cqContext).to.equal('my context');
      gen2.ibv_destroy_qp(a);
      gen2.ibv_destroy_qp(b);
      expect(failure(() => gen2.ibv_destroy_cq(cq)).code).to.equal('EBUSY');
      gen2.ibv_ack_cq_events(cq, 1);
      gen2.ibv_destroy_cq(cq);
      gen2.ibv_destroy_comp_channel(channel);
    });

    it('ends a wait by a signal', async () => {
      const controller = new AbortController();
      const event = gen2.ibv_get_cq_event(channel, controller);
      controller.abort(new Error('enough'));
      expect(await event.catch(String)).to.equal('Error: enough');
    });

    it('takes the acknowledgement of an event that nobody waited for', () => {
      gen2.ibv_modify_qp(
        a,
        { qpState: IBV_QPS_SQD, enSqdAsyncNotify: true },
        IBV_QP_STATE | IBV_QP_EN_SQD_ASYNC_NOTIFY,
      );
      let drained = context.tryGetAsyncEvent();
      while (drained === null) drained = context.tryGetAsyncEvent();
      gen2.ibv_ack_async_event(drained);
      gen2.ibv_destroy_qp(a);
    });

    it('waits for an asynchronous event, and takes its acknowledgement once', async () => {
      const event = gen2.ibv_get_async_event(context);
      gen2.ibv_modify_qp(
        a,
        { qpState: IBV_QPS_SQD, enSqdAsyncNotify: true },
        IBV_QP_STATE | IBV_QP_EN_SQD_ASYNC_NOTIFY,
      );
      const drained = await event;
      expect(drained.type).to.equal(IBV_EVENT_SQ_DRAINED);
      expect(drained.qp).to.equal(a);
      expect(failure(() => gen2.ibv_destroy_qp(a)).code).to.equal('EBUSY');
      gen2.ibv_ack_async_event(drained);
      expect(failure(() => gen2.ibv_ack_async_event(drained)).code).to.equal('EINVAL');
      gen2.ibv_destroy_qp(a);
    });
  });

  it('describes values and converts rates', () => {
    expect(gen2.ibv_wc_status_str(IBV_WC_SUCCESS)).to.equal('success');
    expect(gen2.ibv_port_state_str(IBV_PORT_ACTIVE)).to.contain('active');
    expect(gen2.ibv_event_type_str(IBV_EVENT_SQ_DRAINED)).to.contain('drained');
    expect(gen2.ibv_node_type_str(1)).to.contain('InfiniBand');
    expect(gen2.ibv_rate_to_mult(IBV_RATE_10_GBPS)).to.equal(4);
    expect(gen2.mult_to_ibv_rate(4)).to.equal(IBV_RATE_10_GBPS);
  });

  it('changes a registration, knows it by another address, and has a null region', () => {
    const { ibv_rereg_mr, IBV_REREG_MR_CHANGE_ACCESS, IBV_REREG_MR_CHANGE_PD, IBV_REREG_MR_CHANGE_TRANSLATION } = gen2;
    const [pd, other] = [gen2.ibv_alloc_pd(context), gen2.ibv_alloc_pd(context)];
    const buf = gen2.ibv_alloc_buf(pd, 8192);
    const mr = gen2.ibv_reg_mr(pd, buf, 4096, IBV_ACCESS_LOCAL_WRITE);
    ibv_rereg_mr(mr, IBV_REREG_MR_CHANGE_TRANSLATION, null, buf.bytes.subarray(4096), 100, 0);
    expect(mr).to.include({ addr: buf.addr + 4096, length: 100, access: IBV_ACCESS_LOCAL_WRITE });
    ibv_rereg_mr(mr, IBV_REREG_MR_CHANGE_PD | IBV_REREG_MR_CHANGE_ACCESS, other, null, 0, 0);
    expect(mr).to.include({ pd: other, access: 0 });
    const mistakes: (readonly [number, ProtectionDomain | null, null, number, number])[] = [
      [8, null, null, 0, 0],
      [0, null, null, 0, 0],
      [IBV_REREG_MR_CHANGE_TRANSLATION, null, null, 1, 0],
      [IBV_REREG_MR_CHANGE_PD, null, null, 0, 0],
      [IBV_REREG_MR_CHANGE_PD, pd, null, 0, 1],
    ];
    for (const args of mistakes) {
      expect(failure(() => ibv_rereg_mr(mr, ...args))).to.include({ code: 'EINVAL', verb: 'ibv_rereg_mr' });
    }
    expect(gen2.ibv_reg_mr_iova(pd, buf, 64, 1048576, 0).iova).to.equal(1048576);
    expect(gen2.ibv_reg_mr_iova2(pd, buf, 64, 4096, 0)).to.include({ iova: 4096, length: 64 });
    expect(gen2.ibv_alloc_null_mr(pd).bytes).to.have.length(0);
  });

  it('registers buffers, and what an attribute says', () => {
    const { ibv_reg_buf_mr, ibv_reg_mr_ex, IBV_REG_MR_MASK_ADDR: ADDR, IBV_REG_MR_MASK_BUF: BUF } = gen2;
    const pd = gen2.ibv_alloc_pd(context);
    const [buf, other] = [gen2.ibv_alloc_buf(pd, 8192), gen2.ibv_alloc_buf(pd, 8192)];
    const half = { addr: buf.addr + 4096, length: 100, access: IBV_ACCESS_LOCAL_WRITE };
    const { length, access } = half;
    const addr = buf.bytes.subarray(4096);
    expect(ibv_reg_buf_mr(pd, buf, addr, length, access)).to.include(half);
    expect(ibv_reg_mr_ex(pd, { comp_mask: ADDR, addr, length, access })).to.include(half);
    expect(ibv_reg_mr_ex(pd, { comp_mask: ADDR | BUF, buf, addr, length, access })).to.include(half);
    const placed = { comp_mask: ADDR | gen2.IBV_REG_MR_MASK_IOVA, iova: 1048576, addr: buf, length: 64, access: 0 };
    expect(ibv_reg_mr_ex(pd, placed).iova).to.equal(1048576);

    const live = pd.children.length;
    using elsewhere = gen2.ibv_open_device(context.device);
    const foreign = gen2.ibv_alloc_pd(elsewhere);
    for (const refused of [
      () => ibv_reg_buf_mr(pd, other, addr, length, access),
      () => ibv_reg_buf_mr(pd, buf, buf, 8193, access),
      () => ibv_reg_buf_mr(foreign, buf, buf, 8192, access),
      () => ibv_reg_buf_mr(pd, addr as never, addr, length, access),
    ]) {
      expect(failure(refused)).to.include({ code: 'EINVAL', verb: 'ibv_reg_buf_mr' });
    }
    for (const attr of [
      { comp_mask: 0, addr, length, access },
      { comp_mask: ADDR, length, access },
      { comp_mask: ADDR | BUF, addr, length, access },
      { comp_mask: ADDR | BUF, buf: other, addr, length, access },
      { comp_mask: ADDR | gen2.IBV_REG_MR_MASK_IOVA, addr, length, access },
      { comp_mask: ADDR | 64, addr, length, access },
    ]) {
      expect(failure(() => ibv_reg_mr_ex(pd, attr))).to.include({ code: 'EINVAL', verb: 'ibv_reg_mr_ex' });
    }
    for (const bit of [gen2.IBV_REG_MR_MASK_FD, gen2.IBV_REG_MR_MASK_FD_OFFSET, gen2.IBV_REG_MR_MASK_DMAH]) {
      const error = failure(() => ibv_reg_mr_ex(pd, { comp_mask: ADDR | bit, addr, length, access }));
      expect(error).to.include({ code: 'EOPNOTSUPP', verb: 'ibv_reg_mr_ex' });
      expect(error.hint).to.not.equal('');
    }
    expect(pd.children).to.have.lengthOf(live);
  });

  it('has memory windows', () => {
    const pd = gen2.ibv_alloc_pd(context);
    const mw = gen2.ibv_alloc_mw(pd, gen2.IBV_MW_TYPE_1);
    expect(gen2.ibv_inc_rkey(mw.rkey) >>> 8).to.equal(mw.rkey >>> 8);
    const cq = gen2.ibv_create_cq(context, 4, null, null, 0);
    const qp = gen2.ibv_create_qp(pd, { qpType: IBV_QPT_RC, sendCq: cq, recvCq: cq, cap: CAP });
    const error = failure(() => gen2.ibv_bind_mw(qp, mw, { mr: null }));
    expect(error).to.include({ code: 'EINVAL', verb: 'ibv_bind_mw' });
    gen2.ibv_wr_start(qp);
    gen2.ibv_wr_bind_mw(qp, gen2.ibv_alloc_mw(pd, gen2.IBV_MW_TYPE_2), 1, { mr: null });
    expect(failure(() => gen2.ibv_wr_complete(qp)).code).to.equal('EINVAL');
    gen2.ibv_dealloc_mw(mw);
  });
});
