import { expect } from 'chai';
import { leftOutFeature } from '../src/left-out.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

describe('what is left out', () => {
  const { context } = openFake();
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: 4 });
  const qp = pd.createQp({ sendCq: cq, recvCq: cq, qpType: 2, cap: {} });
  const srq = pd.createSrq({ attr: { maxWr: 1 } });
  const methods: [verb: string, call: () => unknown][] = [
    ['ibv_alloc_dm', () => context.allocDm()],
    ['ibv_create_wq', () => context.createWq()],
    ['ibv_create_rwq_ind_table', () => context.createRwqIndTable()],
    ['ibv_create_flow_action_esp', () => context.createFlowActionEsp()],
    ['ibv_create_counters', () => context.createCounters()],
    ['ibv_create_comp_cntr', () => context.createCompCntr()],
    ['ibv_alloc_dmah', () => context.allocDmah()],
    ['ibv_reg_dmabuf_mr', () => pd.regDmabufMr()],
    ['ibv_reg_dm_mr', () => pd.regDmMr()],
    ['ibv_create_flow', () => qp.createFlow()],
    ['ibv_modify_qp_rate_limit', () => qp.modifyRateLimit()],
    ['ibv_query_ece', () => qp.queryEce()],
    ['ibv_set_ece', () => qp.setEce()],
    ['ibv_wr_send_tso', () => qp.wrSendTso()],
    ['ibv_post_srq_ops', () => srq.postOps()],
  ];

  for (const [verb, call] of methods) {
    it(`${verb} says why, and what to use instead`, () => {
      const feature = leftOutFeature(verb)!;
      const error = errorOf(call);
      expect(error).to.deep.include({ code: 'EOPNOTSUPP', verb, hint: feature.hint });
      expect(error.message).to.equal(`${verb}: ${feature.what}: ${feature.why}`);
    });
  }

  it('is nothing else', () => {
    expect(leftOutFeature('ibv_create_qp')).to.equal(undefined);
  });
});
