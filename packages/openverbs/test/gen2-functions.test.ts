import { readFileSync } from 'node:fs';
import { leftOutFeature } from '@openverbs/verbs';
import { expect } from 'chai';

import * as gen2 from '../src/gen2/index.ts';
import { failure } from './failure.ts';
import { VERBS_H_FUNCTIONS } from './verbs-h-functions.ts';

/** All functions of verbs.h at the branch point of libibverbs 1.0, and how many arguments each takes. */
const GEN2_FUNCTIONS = `
ibv_get_device_list 1, ibv_free_device_list 1, ibv_get_device_name 1, ibv_get_device_guid 1, ibv_open_device 1,
ibv_close_device 1, ibv_get_async_event 2, ibv_ack_async_event 1, ibv_query_device 2, ibv_query_port 3, ibv_query_gid 4,
ibv_query_pkey 4, ibv_alloc_pd 1, ibv_dealloc_pd 1, ibv_reg_mr 4, ibv_dereg_mr 1, ibv_create_comp_channel 1,
ibv_destroy_comp_channel 1, ibv_create_cq 5, ibv_resize_cq 2, ibv_destroy_cq 1, ibv_get_cq_event 3, ibv_ack_cq_events 2,
ibv_poll_cq 3, ibv_req_notify_cq 2, ibv_create_srq 2, ibv_modify_srq 3, ibv_query_srq 2, ibv_destroy_srq 1,
ibv_post_srq_recv 3, ibv_create_qp 2, ibv_modify_qp 3, ibv_query_qp 4, ibv_destroy_qp 1, ibv_post_send 3, ibv_post_recv 3,
ibv_create_ah 2, ibv_destroy_ah 1, ibv_attach_mcast 3, ibv_detach_mcast 3, ibv_rate_to_mult 1, mult_to_ibv_rate 1`;

/** Where the object itself is the result, an out-parameter of C is missing; where C blocks, the second is the signal. */
const FEWER_ARGUMENTS = ['ibv_get_device_list', 'ibv_query_gid', 'ibv_query_pkey', 'ibv_get_cq_event'];

describe('functions of gen2', () => {
  const functions = new Map(
    Object.entries(gen2).filter(
      (entry): entry is [string, () => unknown] => typeof entry[1] === 'function' && entry[0] !== 'WorkCompletion',
    ),
  );
  const ofHeader = new Map(
    GEN2_FUNCTIONS.split(',').map((entry) => {
      const [name, count] = entry.trim().split(' ');
      return [name, Number(count)] as const;
    }),
  );

  it('are the 42 of Gen2, and others of verbs.h today', () => {
    expect(ofHeader.size).to.equal(42);
    expect([...functions.keys()]).to.include.members([...ofHeader.keys()]);
    expect([...functions.keys()].filter((name) => !VERBS_H_FUNCTIONS.has(name))).to.deep.equal([]);
  });

  it('are called for what they are for by some test, but for those that are left out', () => {
    const tests = ['gen2.test.ts', 'gen2-objects.test.ts'].map((file) =>
      readFileSync(new URL(`../../test/${file}`, import.meta.url), 'utf8'),
    );
    const untested = [...functions.keys()].filter(
      (name) => !tests.some((text) => new RegExp(`\\b${name}\\(`).test(text)),
    );
    expect(untested.filter((name) => leftOutFeature(name) === undefined)).to.deep.equal([]);
  });

  it('say what to use instead of what is left out', () => {
    const leftOut = [...functions].filter(([name]) => leftOutFeature(name) !== undefined);
    expect(leftOut).to.have.length.greaterThan(40);
    for (const [name, call] of leftOut) {
      const error = failure(call);
      expect(error, name).to.include({ code: 'EOPNOTSUPP', verb: name });
      expect(error.hint, name).to.not.equal('');
    }
  });

  it('take no more arguments than those of C', () => {
    for (const [name, f] of functions) {
      const count = VERBS_H_FUNCTIONS.get(name)!;
      // `length` leaves out what has a default.
      const { length } = f;
      expect(length, name).to.be.at.most(FEWER_ARGUMENTS.includes(name) ? count - 1 : count);
    }
  });
});
