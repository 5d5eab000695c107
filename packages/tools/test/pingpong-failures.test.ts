import { expect } from 'chai';
import { openVerbs } from 'openverbs';
import { VerbsError } from '@openverbs/verbs';
import { defaultOptions } from '../src/pingpong/options.ts';
import { patienceOf } from '../src/pingpong/patience.ts';
import { PeerThread } from '../src/pingpong/peer-thread.ts';
import { EventProgress, PollProgress } from '../src/pingpong/progress.ts';

const sides = [{ describe: () => 'QP 17: 3 sent' }];
const patience = { ...patienceOf(defaultOptions('RC')), stallMsMax: 20, watchIntervalMs: 5 };

describe('a ping-pong that fails', () => {
  it('ends when polling finds nothing for too long', () => {
    const watch = new PollProgress(sides, patience);
    const poll = () => {
      for (;;) watch.idle();
    };
    expect(poll).to.throw(VerbsError, 'no completion for 0.02 s (QP 17: 3 sent)').with.property('code', 'ETIMEDOUT');
  });

  it('goes on as long as something moves', () => {
    const watch = new PollProgress(sides, patience);
    const end = performance.now() + 3 * patience.stallMsMax;
    while (performance.now() < end) {
      for (let i = 0; i < 1 << 12; i++) watch.idle();
      watch.progress();
    }
  });

  it('ends when the other thread has failed', () => {
    const watch = new PollProgress(sides, patience, () => true);
    const poll = () => {
      for (;;) watch.idle();
    };
    expect(poll).to.throw(VerbsError, 'the other end has failed');
  });

  it('ends when no event comes for too long', async () => {
    using watch = new EventProgress(sides, patience);
    await new Promise((resolve) => watch.signal.addEventListener('abort', resolve));
    expect(VerbsError.is(watch.signal.reason)).to.equal(true);
    expect((watch.signal.reason as VerbsError).code).to.equal('ETIMEDOUT');
  });

  it('waits longer where packets are under way for long', () => {
    const options = defaultOptions('UD');
    expect(patienceOf(options).stallMsMax).to.equal(2_000);
    expect(patienceOf({ ...options, delay: 3e6 }).stallMsMax).to.equal(8_000);
  });

  it('says what went wrong at the other end', async () => {
    using verbs = openVerbs();
    await using peer = PeerThread.start(verbs.machine, { ...defaultOptions('RC'), device: 'absent0' });
    const failure: unknown = await peer.addresses().catch((error: unknown) => error);
    expect(VerbsError.is(failure) && [failure.code, failure.hint]).to.deep.equal(['ENODEV', 'devices are emulated0']);
    expect(peer.hasFailed).to.equal(true);
  });

  it('leaves no thread behind when it is given up before the two have met', async () => {
    using verbs = openVerbs();
    await using peer = PeerThread.start(verbs.machine, defaultOptions('RC'));
    expect((await peer.addresses())[0]).to.have.keys('lid', 'qpn', 'psn', 'gid');
  });
});
