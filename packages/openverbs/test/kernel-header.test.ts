/** The names, arguments and values of `openverbs/kernel` beside those of Linux' header. */
import { VerbsError, VerbsObject } from '@openverbs/verbs';
import { expect } from 'chai';

import * as kernel from '../src/kernel/index.ts';
import { closeSharedOpenVerbs } from '../src/testing/index.ts';
import { IB_VERBS_H_CONSTANTS, IB_VERBS_H_FUNCTIONS } from './ib-verbs-h-functions.ts';

/** Where the object itself is the result, an out-parameter of C is missing. */
const FEWER_ARGUMENTS = ['ib_query_gid', 'ib_query_pkey', 'INIT_IB_EVENT_HANDLER'];
/** Functions of numbers, which answer for every number as C does. */
const OF_NUMBERS = ['ib_rate_to_mult', 'mult_to_ib_rate', 'ib_modify_qp_is_ok'];

/** What the functions fill and throw. */
const CLASSES: readonly unknown[] = [VerbsError, kernel.WorkCompletion];

type Call = (first: unknown) => unknown;

describe('openverbs/kernel beside ib_verbs.h', () => {
  const functions = Object.entries(kernel).filter(
    (entry): entry is [string, Call & { length: number }] =>
      typeof entry[1] === 'function' && !CLASSES.includes(entry[1]),
  );

  afterEach(() => closeSharedOpenVerbs());

  it('has its functions, and no others', () => {
    expect(functions.map(([name]) => name).sort()).to.deep.equal([...IB_VERBS_H_FUNCTIONS.keys()].sort());
  });

  it('takes no more arguments than C', () => {
    for (const [name, { length }] of functions) {
      const count = IB_VERBS_H_FUNCTIONS.get(name)!;
      expect(length, name).to.be.at.most(FEWER_ARGUMENTS.includes(name) ? count - 1 : count);
    }
  });

  it('has the names and values of its constants', () => {
    const ofHeader = IB_VERBS_H_CONSTANTS.split(',').map((entry): [string, number] => {
      const [name, value] = entry.trim().split(/\s+/);
      return [name, Number(value)];
    });
    const constants = Object.entries(kernel).filter(([, value]) => typeof value === 'number');
    expect(Object.fromEntries(constants)).to.deep.equal(Object.fromEntries(ofHeader));
  });

  it('answers for every number', () => {
    expect([kernel.ib_rate_to_mult(kernel.IB_RATE_10_GBPS), kernel.mult_to_ib_rate(4)]).to.deep.equal([4, 3]);
    const { IB_QPS_RESET, IB_QPS_INIT, IB_QPT_UD, IB_QP_STATE, IB_QP_PKEY_INDEX, IB_QP_PORT, IB_QP_QKEY } = kernel;
    const mask = IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_QKEY;
    expect(kernel.ib_modify_qp_is_ok(IB_QPS_RESET, IB_QPS_INIT, IB_QPT_UD, mask)).to.equal(1);
    expect(kernel.ib_modify_qp_is_ok(IB_QPS_RESET, IB_QPS_INIT, IB_QPT_UD, IB_QP_STATE)).to.equal(0);
  });

  for (const [name, call] of functions.filter(([each]) => !OF_NUMBERS.includes(each))) {
    it(`checks the first argument of ${name}`, () => {
      class Other extends VerbsObject {
        label = 'none';
        destroy(): void {
          expect.fail('another class was taken');
        }
        dealloc = this.destroy.bind(this);
        dereg = this.destroy.bind(this);
        protected override releaseInProvider(): void {}
      }
      for (const first of [null, undefined, 5, 'x', {}, new Other([])]) {
        let caught: unknown;
        try {
          call(first);
        } catch (error) {
          caught = error;
        }
        expect(VerbsError.is(caught), String(caught)).to.equal(true);
        expect((caught as VerbsError).verb).to.equal(name);
        expect((caught as VerbsError).code).to.be.oneOf(['EINVAL', 'EOPNOTSUPP']);
        expect((caught as VerbsError).hint).to.not.equal('');
      }
    });
  }
});
