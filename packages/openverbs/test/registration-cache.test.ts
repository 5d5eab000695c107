import { AccessFlags } from '@openverbs/verbs';
import { expect } from 'chai';

import { openVerbs } from '../src/index.ts';
import { failDevice, removeDevice } from '../src/testing/index.ts';
import { failure } from './failure.ts';

const { LOCAL_WRITE, REMOTE_WRITE } = AccessFlags;

describe('openVerbs({ registrationCache })', () => {
  it('is off unless it is asked for', () => {
    using verbs = openVerbs();
    expect(verbs.registrationCache).to.equal(undefined);
  });

  it('registers once what an unchanged program registers again and again', () => {
    using verbs = openVerbs({ registrationCache: true });
    using context = verbs.device().open();
    const pd = context.allocPd();
    const buffer = context.allocBuf(2 ** 20);
    const keys = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const mr = pd.regMr(buffer.bytes.subarray(i * 4096, (i + 1) * 4096), LOCAL_WRITE | REMOTE_WRITE);
      const again = pd.regMr(buffer.bytes.subarray(i * 4096 + 1, i * 4096 + 2), LOCAL_WRITE | REMOTE_WRITE);
      expect(again).to.include({ addr: buffer.addr + i * 4096 + 1, length: 1, rkey: mr.rkey });
      keys.add(mr.rkey);
      again.dereg();
      mr.dereg();
    }
    expect(keys.size).to.equal(100);
    expect(verbs.registrationCache?.statistics).to.include({ hits: 100, misses: 100, idle: 100, inUse: 0 });
    buffer.free();
    pd.dealloc();
    expect(verbs.registrationCache?.statistics).to.include({ idle: 0, deregistrations: 100 });
  });

  for (const [what, fail] of [
    ['fails', failDevice],
    ['is pulled out', removeDevice],
  ] as const) {
    it(`gives nothing out any more when the device ${what}, and ends as it does without`, async () => {
      using verbs = openVerbs({ registrationCache: true });
      const context = verbs.device().open();
      const pd = context.allocPd();
      const buffer = context.allocBuf(4096);
      const used = pd.regMr(buffer, LOCAL_WRITE);
      pd.regMr(buffer, LOCAL_WRITE | REMOTE_WRITE).dereg();
      fail(context.device);
      context.ackAsyncEvent(await context.getAsyncEvent());
      expect(failure(() => pd.regMr(buffer, LOCAL_WRITE)).code).to.equal('EIO');
      expect(verbs.registrationCache?.statistics).to.include({ idle: 0, failures: 0 });
      used.dereg();
      buffer.free();
      pd.dealloc();
      context.close();
    });
  }
});
