/** Functions whose objects not every device has: they hand their arguments on, in the right places. */
import {
  AddressHandle,
  CompletionQueue,
  CompletionQueueEx,
  Context,
  Gid,
  ProtectionDomain,
  QueuePair,
  SharedReceiveQueue,
  SrqAttrMask,
  WorkCompletion,
} from '@openverbs/verbs';
import { expect } from 'chai';

import * as gen2 from '../src/gen2/index.ts';
import { failure } from './failure.ts';

describe('gen2 on shared receive queues and datagrams', () => {
  let calls: [string, ...unknown[]][];

  /** An object whose methods note their arguments and return `result`. */
  function noting<T extends object>(type: abstract new (...args: never[]) => T, result?: unknown): T {
    const get =
      (_: object, name: string) =>
      (...args: unknown[]) => {
        calls.push([name, ...args]);
        return result;
      };
    return new Proxy(Object.create(type.prototype as object) as object, { get }) as T;
  }

  beforeEach(() => {
    calls = [];
  });

  it('creates, modifies, queries and destroys an SRQ', () => {
    const srq = noting(SharedReceiveQueue, { maxWr: 8, maxSge: 1, srqLimit: 2 });
    const init = { attr: { maxWr: 8 }, srqContext: 'mine' };
    expect(gen2.ibv_create_srq(noting(ProtectionDomain, srq), init)).to.equal(srq);
    gen2.ibv_modify_srq(srq, { maxWr: 9, srqLimit: 2 }, SrqAttrMask.LIMIT);
    gen2.ibv_modify_srq(srq, { maxWr: 9, srqLimit: 2 }, SrqAttrMask.LIMIT | SrqAttrMask.MAX_WR);
    gen2.ibv_modify_srq(srq, { maxWr: 9 }, 0);
    const attr = {};
    expect(gen2.ibv_query_srq(srq, attr)).to.equal(attr).and.deep.equal({ maxWr: 8, maxSge: 1, srqLimit: 2 });
    expect(gen2.ibv_query_srq(srq)).to.deep.equal(attr);
    gen2.ibv_post_srq_recv(srq, { wrId: 1 });
    gen2.ibv_destroy_srq(srq);
    expect(calls).to.deep.equal([
      ['createSrq', init],
      ['modify', { srqLimit: 2 }],
      ['modify', { maxWr: 9, srqLimit: 2 }],
      ['modify', {}],
      ['query'],
      ['query'],
      ['postRecv', { wrId: 1 }],
      ['destroy'],
    ]);
  });

  it('names what a mask of an SRQ names and the attributes lack', () => {
    const error = failure(() => gen2.ibv_modify_srq(noting(SharedReceiveQueue), { maxWr: 1 }, SrqAttrMask.LIMIT));
    expect(error.code).to.equal('EINVAL');
    expect(error.details?.['missing']).to.deep.equal(['srqLimit']);
    expect(calls).to.deep.equal([]);
  });

  it('names the receive that an SRQ refused', () => {
    const wr = { wrId: 1, next: { wrId: 2, next: null } };
    const refusing = Object.create(SharedReceiveQueue.prototype, {
      postRecv: { value: () => expect.fail('full') },
    }) as SharedReceiveQueue;
    const bad_wr = {};
    // An error that names no index is about the first one.
    expect(() => gen2.ibv_post_srq_recv(refusing, wr, bad_wr)).to.throw('full');
    expect(bad_wr).to.have.property('wr', wr);
  });

  it('creates and destroys an address handle, attaches and detaches', () => {
    const ah = noting(AddressHandle);
    const qp = noting(QueuePair);
    const gid = Gid.parse('ff0e::1');
    expect(gen2.ibv_create_ah(noting(ProtectionDomain, ah), { dlid: 3 })).to.equal(ah);
    gen2.ibv_destroy_ah(ah);
    const [context, wc, grh] = [noting(Context), new WorkCompletion(), new Uint8Array(40)];
    gen2.ibv_init_ah_from_wc(context, 2, wc, grh);
    gen2.ibv_create_ah_from_wc(noting(ProtectionDomain), wc, grh, 2);
    gen2.ibv_attach_mcast(qp, gid, 5);
    gen2.ibv_detach_mcast(qp, gid, 5);
    expect(calls).to.deep.equal([
      ['createAh', { dlid: 3 }],
      ['destroy'],
      ['initAhFromWc', 2, wc, grh],
      ['createAhFromWc', wc, grh, 2],
      ['attachMcast', gid, 5],
      ['detachMcast', gid, 5],
    ]);
  });

  it('posts in the extended form', () => {
    const qp = noting(QueuePair);
    const ah = noting(AddressHandle);
    const [sge, bytes] = [{ addr: 0, length: 1, lkey: 2 }, new Uint8Array(4)];
    expect(gen2.ibv_qp_to_qp_ex(qp)).to.equal(qp);
    gen2.ibv_wr_start(qp);
    gen2.ibv_wr_send(qp);
    gen2.ibv_wr_send_imm(qp, 1);
    gen2.ibv_wr_send_inv(qp, 2);
    gen2.ibv_wr_rdma_write(qp, 3, 4);
    gen2.ibv_wr_rdma_write_imm(qp, 3, 4, 5);
    gen2.ibv_wr_rdma_read(qp, 3, 4);
    gen2.ibv_wr_atomic_cmp_swp(qp, 3, 4, 5n, 6n);
    gen2.ibv_wr_atomic_fetch_add(qp, 3, 4, 5n);
    gen2.ibv_wr_atomic_write(qp, 3, 4, new Uint8Array(9));
    gen2.ibv_wr_flush(qp, 3, 4, 5, gen2.IBV_FLUSH_GLOBAL, gen2.IBV_FLUSH_MR);
    gen2.ibv_wr_local_inv(qp, 7);
    gen2.ibv_wr_set_sge(qp, 1, 2, 3);
    gen2.ibv_wr_set_sge_list(qp, 1, [sge, sge]);
    gen2.ibv_wr_set_inline_data(qp, bytes, 3);
    gen2.ibv_wr_set_ud_addr(qp, ah, 8, 9);
    gen2.ibv_wr_set_xrc_srqn(qp, 10);
    gen2.ibv_wr_complete(qp);
    gen2.ibv_wr_abort(qp);
    expect(calls).to.deep.equal([
      ['wrStart'],
      ['wrSend'],
      ['wrSendImm', 1],
      ['wrSendInv', 2],
      ['wrRdmaWrite', 3, 4],
      ['wrRdmaWriteImm', 3, 4, 5],
      ['wrRdmaRead', 3, 4],
      ['wrAtomicCmpSwp', 3, 4, 5n, 6n],
      ['wrAtomicFetchAdd', 3, 4, 5n],
      ['wrAtomicWrite', 3, 4, new Uint8Array(8)],
      ['wrFlush', 3, 4, 5, 1, 1],
      ['wrLocalInv', 7],
      ['wrSetSge', 1, 2, 3],
      ['wrSetSgeList', [sge]],
      ['wrSetInlineData', bytes.subarray(0, 3)],
      ['wrSetUdAddr', ah, 8, 9],
      ['wrSetXrcSrqn', 10],
      ['wrComplete'],
      ['wrAbort'],
    ]);
  });

  it('polls an extended completion queue', () => {
    const cq = noting(CompletionQueueEx, 7);
    expect(gen2.ibv_cq_ex_to_cq(cq)).to.equal(cq);
    expect(gen2.ibv_create_cq_ex(noting(Context, cq), { cqe: 1 })).to.equal(cq);
    expect([gen2.ibv_start_poll(cq, {}), gen2.ibv_next_poll(cq)]).to.deep.equal([0, 0]);
    const none = noting(CompletionQueueEx, false);
    expect([gen2.ibv_start_poll(none), gen2.ibv_next_poll(none)]).to.deep.equal([2, 2]);
    gen2.ibv_end_poll(cq);
    calls = [];
    const readers = {
      readOpcode: gen2.ibv_wc_read_opcode,
      readVendorErr: gen2.ibv_wc_read_vendor_err,
      readByteLen: gen2.ibv_wc_read_byte_len,
      readImmData: gen2.ibv_wc_read_imm_data,
      readInvalidatedRkey: gen2.ibv_wc_read_invalidated_rkey,
      readQpNum: gen2.ibv_wc_read_qp_num,
      readSrcQp: gen2.ibv_wc_read_src_qp,
      readWcFlags: gen2.ibv_wc_read_wc_flags,
      readSlid: gen2.ibv_wc_read_slid,
      readSl: gen2.ibv_wc_read_sl,
      readDlidPathBits: gen2.ibv_wc_read_dlid_path_bits,
      readCompletionTs: gen2.ibv_wc_read_completion_ts,
      readCompletionWallclockNs: gen2.ibv_wc_read_completion_wallclock_ns,
    };
    for (const read of Object.values(readers)) expect(read(cq)).to.equal(7);
    expect(calls).to.deep.equal(Object.keys(readers).map((name) => [name]));
  });

  it('asks a queue pair for the order of data', () => {
    const qp = noting(QueuePair, 1);
    expect(gen2.ibv_query_qp_data_in_order(qp, 2, gen2.IBV_QUERY_QP_DATA_IN_ORDER_RETURN_CAPS)).to.equal(1);
    expect(calls).to.deep.equal([['queryDataInOrder', 2, 1]]);
  });

  it('moderates a completion queue', () => {
    const moderate = { cqCount: 2, cqPeriod: 3 };
    gen2.ibv_modify_cq(noting(CompletionQueue), { attr_mask: gen2.IBV_CQ_ATTR_MODERATE, moderate });
    expect(calls).to.deep.equal([['modify', { moderate }]]);
    expect(failure(() => gen2.ibv_modify_cq(noting(CompletionQueue), { attr_mask: 0, moderate })).code).to.equal(
      'EINVAL',
    );
    expect(failure(() => gen2.ibv_modify_cq(noting(CompletionQueue), { attr_mask: 3, moderate })).code).to.equal(
      'EINVAL',
    );
  });

  it('resizes a completion queue', () => {
    gen2.ibv_resize_cq(noting(CompletionQueue), 64);
    expect(calls).to.deep.equal([['resize', 64]]);
  });
});
