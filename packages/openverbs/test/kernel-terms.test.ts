/** What errors say at kernel level: its own names, whatever the objects below call things. */
import { VerbsError, WorkCompletion } from '@openverbs/verbs';
import { expect } from 'chai';

import { ibv_get_device_list } from '../src/gen2/index.ts';
import { inTerms, inTermsOf } from '../src/gen2/terms.ts';
import * as ib from '../src/kernel/index.ts';
import { closeSharedOpenVerbs, failDevice } from '../src/testing/index.ts';
import { failure } from './failure.ts';
import { openKernelPair } from './kernel-support.ts';

/** Everything that somebody reads of an error. */
function textOf({ message, hint, stack, verb }: VerbsError): string {
  return [message, hint, stack, verb].join('\n');
}

describe('errors of kernel level', () => {
  afterEach(() => closeSharedOpenVerbs());

  it('of objects that have ended speak of the function that was called', () => {
    const { device, pd, cq, a, buffer, mr } = openKernelPair();
    const srq = ib.ib_create_srq(pd, { attr: { maxWr: 4 } });
    const mw = ib.ib_alloc_mw(pd);
    const grh = { dgid: ib.ib_query_gid(device, 1, 0), sgidIndex: 0, hopLimit: 1 };
    const ah = ib.ib_create_ah(pd, { isGlobal: true, grh, portNum: 1 });
    closeSharedOpenVerbs();
    const wc = WorkCompletion.array(1);
    const init = { qpType: ib.IB_QPT_RC, sendCq: cq, recvCq: cq, cap: {} };
    const calls: Partial<Record<keyof typeof ib, () => unknown>> = {
      ib_dealloc_pd: () => ib.ib_dealloc_pd(pd),
      ib_create_qp: () => ib.ib_create_qp(pd, init),
      ib_modify_qp: () => ib.ib_modify_qp(a, { qpState: ib.IB_QPS_ERR }, ib.IB_QP_STATE),
      ib_query_qp: () => ib.ib_query_qp(a),
      ib_destroy_qp: () => ib.ib_destroy_qp(a),
      ib_post_send: () => ib.ib_post_send(a, {}),
      ib_post_recv: () => ib.ib_post_recv(a, {}),
      ib_create_srq: () => ib.ib_create_srq(pd, { attr: { maxWr: 1 } }),
      ib_modify_srq: () => ib.ib_modify_srq(srq, { srqLimit: 1 }, ib.IB_SRQ_LIMIT),
      ib_query_srq: () => ib.ib_query_srq(srq),
      ib_destroy_srq: () => ib.ib_destroy_srq(srq),
      ib_post_srq_recv: () => ib.ib_post_srq_recv(srq, {}),
      ib_resize_cq: () => ib.ib_resize_cq(cq, 64),
      ib_destroy_cq: () => ib.ib_destroy_cq(cq),
      ib_poll_cq: () => ib.ib_poll_cq(cq, 1, wc),
      ib_req_notify_cq: () => ib.ib_req_notify_cq(cq, ib.IB_CQ_NEXT_COMP),
      ib_get_dma_mr: () => ib.ib_get_dma_mr(pd, 0),
      ib_reg_phys_mr: () => ib.ib_reg_phys_mr(pd, [{ addr: 0, size: 8 }], 1, 0, 0),
      ib_rereg_phys_mr: () => ib.ib_rereg_phys_mr(mr, ib.IB_MR_REREG_ACCESS, null, null, 0, 0, 0),
      ib_dereg_mr: () => ib.ib_dereg_mr(mr),
      ib_alloc_mw: () => ib.ib_alloc_mw(pd),
      ib_bind_mw: () => ib.ib_bind_mw(a, mw, { mr: null }),
      ib_dealloc_mw: () => ib.ib_dealloc_mw(mw),
      ib_create_ah: () => ib.ib_create_ah(pd, { portNum: 1 }),
      ib_create_ah_from_wc: () => ib.ib_create_ah_from_wc(pd, wc[0], new Uint8Array(40), 1),
      ib_destroy_ah: () => ib.ib_destroy_ah(ah),
      ib_attach_mcast: () => ib.ib_attach_mcast(a, grh.dgid, 0),
      ib_detach_mcast: () => ib.ib_detach_mcast(a, grh.dgid, 0),
      ib_dma_free_coherent: () => ib.ib_dma_free_coherent(device, 8192, buffer),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error = failure(call);
      expect(error.verb).to.equal(name);
      expect(error.message).to.match(new RegExp(`^${name}: (?!ib)`));
      expect(textOf(error), name).to.not.match(/ibv_|IBV_/);
    }
  });

  it('of a device that has failed, too', () => {
    const [device] = ibv_get_device_list();
    const pd = ib.ib_alloc_pd(device);
    const wc = Object.assign(new WorkCompletion(), { wcFlags: ib.IB_WC_GRH });
    failDevice(device);
    const calls: Partial<Record<keyof typeof ib, () => unknown>> = {
      ib_alloc_pd: () => ib.ib_alloc_pd(device),
      ib_create_cq: () => ib.ib_create_cq(device, null, null, null, 4, 0),
      ib_query_port: () => ib.ib_query_port(device, 1),
      ib_query_gid: () => ib.ib_query_gid(device, 1, 0),
      ib_query_pkey: () => ib.ib_query_pkey(device, 1, 9),
      ib_init_ah_from_wc: () => ib.ib_init_ah_from_wc(device, 1, wc, new Uint8Array(40)),
      ib_create_srq: () => ib.ib_create_srq(pd, { attr: { maxWr: 4 } }),
      ib_dma_map_single: () => ib.ib_dma_map_single(device, new Uint8Array(8), 8, ib.DMA_TO_DEVICE),
      ib_dma_alloc_coherent: () => ib.ib_dma_alloc_coherent(device, -1),
      ib_dma_map_sg: () => ib.ib_dma_map_sg(device, [{ cpuAddr: 5 as never, length: 8 }], 1, ib.DMA_TO_DEVICE),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error = failure(call);
      expect(error.verb).to.equal(name);
      expect(textOf(error), name).to.not.match(/ibv_|IBV_/);
    }
  });

  it('keep code, details, cause and the place where they were thrown', () => {
    const cause = new Error('below');
    const details = { missing: ['x'] };
    const init = {
      code: 'EINVAL',
      verb: 'ibv_modify_qp',
      message: 'ibv_reg_mr and IBV_QPS_RTS',
      details,
      cause,
    } as const;
    const thrown = new VerbsError({ ...init, hint: 'use ibv_alloc_buf, then ibv_query_qp' });
    const error = failure(() =>
      inTerms('ib_modify_qp', () => {
        throw thrown;
      }),
    );
    expect(error).to.include({ code: 'EINVAL', verb: 'ib_modify_qp', details, cause });
    expect(error.message).to.equal('ib_modify_qp: ib_reg_phys_mr and IB_QPS_RTS');
    expect(error.hint).to.equal('use ib_dma_alloc_coherent, then ib_query_qp');
    expect(error.stack?.split('\n').slice(1)).to.deep.equal(thrown.stack?.split('\n').slice(1));
    expect(error.stack).to.match(/^VerbsError: ib_modify_qp: ib_reg_phys_mr and IB_QPS_RTS\n/);
  });

  it('of others, and those that speak of the function already, are left alone', () => {
    const user = new VerbsError({ code: 'EINVAL', verb: 'ibv_post_send', message: 'no' });
    expect(inTermsOf('ibv_post_send', user)).to.equal(user);
    const own = new VerbsError({ code: 'EINVAL', verb: 'ib_alloc_pd', message: 'no' });
    for (const error of [own, new TypeError('ibv_'), 'ibv_', undefined]) {
      expect(inTermsOf('ib_alloc_pd', error)).to.equal(error);
    }
    expect(inTerms('ib_alloc_pd', (verb) => verb)).to.equal('ib_alloc_pd');
  });
});
