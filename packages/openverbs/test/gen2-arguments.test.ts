/** Arguments of gen2 beyond the first: what is of the wrong kind, or less than was asked for, is refused with words. */
import { QpState, VerbsError, WorkCompletion } from '@openverbs/verbs';
import { expect } from 'chai';

import * as gen2 from '../src/gen2/index.ts';
import { openTestPair } from '../src/testing/index.ts';
import { failure } from './failure.ts';

const as = (value: unknown): never => value as never;

describe('arguments of gen2', () => {
  it('of a setter, wrong or short, make ibv_wr_complete refuse the list', () => {
    using pair = openTestPair();
    pair.connect();
    const { qp, cq, mr } = pair.a;
    const bytes = Buffer.from('a');
    const sge = mr.sge(0, 8);
    const bads: [set: () => void, text: string][] = [
      [() => gen2.ibv_wr_set_inline_data_list(qp, 1, as(undefined)), 'buf_list is undefined'],
      [() => gen2.ibv_wr_set_inline_data_list(qp, 1, as([undefined])), 'buf_list[0].addr is undefined'],
      [() => gen2.ibv_wr_set_inline_data_list(qp, 1, [{ addr: bytes, length: 5 }]), 'is given as 5; it has 1 bytes'],
      [() => gen2.ibv_wr_set_inline_data_list(qp, 3, [{ addr: bytes, length: 1 }]), 'num_buf is 3; buf_list has 1'],
      [() => gen2.ibv_wr_set_inline_data(qp, as(undefined), as(undefined)), 'addr is undefined'],
      [() => gen2.ibv_wr_set_inline_data(qp, bytes, 5), 'is given as 5; it has 1 bytes'],
      [() => gen2.ibv_wr_set_sge_list(qp, 1, as(undefined)), 'sg_list is undefined'],
      [() => gen2.ibv_wr_atomic_write(qp, 1, 8, as(undefined)), 'undefined, not a Uint8Array'],
      [() => gen2.ibv_wr_set_sge_list(qp, 3, [sge]), 'num_sge is 3; sg_list has 1'],
    ];
    for (const [set, text] of bads) {
      gen2.ibv_wr_start(qp);
      gen2.ibv_wr_send(qp);
      set();
      const error = failure(() => gen2.ibv_wr_complete(qp));
      expect(error, text).to.include({ code: 'EINVAL' });
      expect(error.message).to.contain(text);
      expect(error.hint).to.not.equal('');
    }
    expect(gen2.ibv_poll_cq(cq, 1, gen2.WorkCompletion.array(1))).to.equal(0);
    expect(gen2.WorkCompletion).to.equal(WorkCompletion);
  });

  it('of ibv_reg_mr_ex are an object of known keys', () => {
    using pair = openTestPair();
    const { pd } = pair.a;
    for (const attr of [undefined, null, 5]) {
      const error = failure(() => gen2.ibv_reg_mr_ex(pd, as(attr)));
      expect(error).to.include({ code: 'EINVAL', verb: 'ibv_reg_mr_ex' });
      expect(error.message).to.contain('not an object');
    }
    const misspelt = failure(() => gen2.ibv_reg_mr_ex(pd, as({ comp_mask: 0, length: 1, access: 0, adr: null })));
    expect(misspelt.message).to.contain("no key 'adr'; did you mean 'addr'?");
  });

  it('of ibv_modify_qp have a mask', () => {
    using pair = openTestPair();
    pair.connect();
    const { qp } = pair.a;
    const error = failure(() => gen2.ibv_modify_qp(qp, { qpState: QpState.ERR }, as(undefined)));
    expect(VerbsError.is(error) && error.message).to.contain('attr_mask is undefined');
    expect(qp.state).to.equal(QpState.RTS);
  });
});
