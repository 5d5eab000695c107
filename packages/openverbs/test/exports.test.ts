import * as verbs from '@openverbs/verbs';
import { expect } from 'chai';

import * as openverbs from '../src/index.ts';

describe('the exports of openverbs', () => {
  it('are those of @openverbs/verbs, openVerbs() and how it finds providers', () => {
    const own = ['checkSettings', 'openVerbs', 'InstanceChannel', 'loadProvider', 'PROVIDER_PACKAGES'];
    expect(Object.keys(openverbs).sort()).to.deep.equal([...Object.keys(verbs), ...own].sort());
    for (const [name, value] of Object.entries(verbs)) expect(openverbs).to.have.property(name, value);
  });

  it('are found by name, with all faces', async () => {
    for (const [name, members] of [
      ['openverbs', ['openVerbs', 'QueuePair']],
      ['openverbs/gen2', ['ibv_open_device', 'IBV_QPT_RC']],
      ['openverbs/kernel', ['ib_register_client', 'IB_CQ_REPORT_MISSED_EVENTS', 'WorkCompletion', 'VerbsError']],
      ['openverbs/testing', ['openTestPair', 'leakCheck', 'closeSharedOpenVerbs']],
    ] as const) {
      const face = (await import(name)) as object;
      expect(face, name).to.include.keys(members);
    }
  });
});
