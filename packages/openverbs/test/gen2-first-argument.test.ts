/** What is no object of the class that a function works on was called all the same, or ended in a TypeError. */
import { Context, QueuePair, SharedReceiveQueue, VerbsError, VerbsObject } from '@openverbs/verbs';
import { expect } from 'chai';

import * as gen2 from '../src/gen2/index.ts';
import { openTestPair } from '../src/testing/index.ts';
import { failure } from './failure.ts';

/** Functions of numbers, which answer for every number as C does, and those that take nothing. */
const OF_NUMBERS =
  `ibv_rate_to_mult mult_to_ibv_rate ibv_rate_to_mbps mbps_to_ibv_rate ibv_node_type_str ibv_port_state_str
  ibv_event_type_str ibv_wc_status_str ibv_wr_opcode_str ibv_flow_label_to_udp_sport ibv_is_qpt_supported ibv_inc_rkey
  ibv_get_device_list ibv_fork_init ibv_is_fork_initialized`.split(/\s+/);

type Function = (first: unknown) => unknown;

describe('the first argument of every function of gen2', () => {
  const functions = Object.entries(gen2).filter(
    (entry): entry is [string, Function] =>
      typeof entry[1] === 'function' && entry[0] !== 'WorkCompletion' && !OF_NUMBERS.includes(entry[0]),
  );

  it('are more than a hundred', () => {
    expect(functions.length).to.be.greaterThan(100);
    for (const name of OF_NUMBERS) expect(gen2).to.have.property(name);
  });

  for (const [name, call] of functions) {
    it(`is checked: ${name}`, async () => {
      class Other extends VerbsObject {
        label = 'none';
        destroy(): void {
          expect.fail('another class was taken');
        }
        close = this.destroy.bind(this);
        dealloc = this.destroy.bind(this);
        protected override releaseInProvider(): void {}
      }
      for (const first of [null, undefined, 5, 'x', {}, new Other([])]) {
        const error = await Promise.resolve()
          .then(() => call(first))
          .then(() => expect.fail('it should have thrown'))
          .catch((thrown: unknown) => thrown);
        expect(VerbsError.is(error), String(error)).to.equal(true);
        expect((error as VerbsError).verb).to.equal(name);
        expect((error as VerbsError).code).to.be.oneOf(['EINVAL', 'EOPNOTSUPP']);
      }
    });
  }

  it('of the class of another verb leaves the object as it is', () => {
    using pair = openTestPair();
    const { qp, cq, pd, context } = pair.a;
    const srq = pd.createSrq({ attr: { maxWr: 4 } });
    const wrong: (() => void)[] = [
      () => gen2.ibv_destroy_cq(qp as never),
      () => gen2.ibv_destroy_qp(srq as never),
      () => gen2.ibv_post_recv(srq as never, {}),
      () => gen2.ibv_dealloc_pd(context as never),
      () => gen2.ibv_destroy_ah(cq as never),
    ];
    for (const call of wrong) expect(failure(call).message).to.contain('the first argument is');
    for (const object of [qp, cq, srq, pd, context]) expect(object.destroyed).to.equal(false);
    expect([qp, srq, context].map(({ constructor }) => constructor)).to.deep.equal([
      QueuePair,
      SharedReceiveQueue,
      Context,
    ]);
  });
});
