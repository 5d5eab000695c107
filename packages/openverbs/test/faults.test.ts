import { expect } from 'chai';
import { SendFlags, VerbsError, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { faultCounters, openTestPair, setFaults, type TestPair } from '../src/testing/index.ts';
import { failure } from './failure.ts';

const EMULATED = { devices: 2, memoryBytes: 2 ** 28 };

/** Writes 64 KiB from one end to the other; the status of the completion. */
function write({ a, b }: TestPair, qpAttr = {}): number {
  a.qp.modify({ ...qpAttr, qpState: 3 });
  a.qp.postSend({
    opcode: WrOpcode.RDMA_WRITE,
    sendFlags: SendFlags.SIGNALED,
    sgList: [a.mr.sge()],
    remoteAddr: b.mr.addr,
    rkey: b.mr.rkey,
  });
  const [wc] = WorkCompletion.array(1);
  while (a.cq.poll([wc]) === 0);
  return wc.status;
}

describe('a bad network', () => {
  it('loses packets, and messages arrive all the same', () => {
    const faults = { seed: 3, drop: 0.1, duplicate: 0.1, reorder: 0.1, corrupt: 0.05 };
    using pair = openTestPair({ config: { emulated: { ...EMULATED, faults } } });
    pair.connect({ rts: { timeout: 4 } });
    pair.a.buffer.bytes.fill(0x5a);
    expect(write(pair)).to.equal(WcStatus.SUCCESS);
    expect(Buffer.compare(pair.b.buffer.bytes, pair.a.buffer.bytes)).to.equal(0);
    const counters = faultCounters(pair.openVerbs);
    expect(counters.dropped).to.be.above(0);
    expect(counters.sent).to.be.above(16);
  });

  it('is set while the program runs', () => {
    using pair = openTestPair({ config: { emulated: { ...EMULATED, faults: {} } } });
    pair.connect({ rts: { timeout: 4, retryCnt: 2 } });
    expect(write(pair)).to.equal(WcStatus.SUCCESS);
    setFaults(pair.openVerbs, { partition: [['emulated0'], ['emulated1']] });
    expect(write(pair)).to.equal(WcStatus.RETRY_EXC_ERR);
    expect(faultCounters(pair.openVerbs).partitioned).to.be.above(2);
  });

  it('carries packets over IPv4 between IPv4 addresses', () => {
    const devices = [{ gids: ['::ffff:10.0.0.1'] }, { gids: ['::ffff:10.0.0.2'] }];
    const lost = { partition: [['emulated0'], ['emulated1']] };
    using pair = openTestPair({ config: { emulated: { devices, memoryBytes: 2 ** 28, faults: {} } } });
    const { a, b } = pair;
    const [here, there] = [a.qp.endpoint({ gidIndex: 1 }), b.qp.endpoint({ gidIndex: 1 })];
    for (const { qp } of [a, b]) qp.toInit();
    a.qp.toRtr(there);
    b.qp.toRtr(here);
    a.qp.toRts(there, { timeout: 4, retryCnt: 1 });
    b.qp.toRts(here);
    a.buffer.bytes.fill(0x77);
    expect(write(pair)).to.equal(WcStatus.SUCCESS);
    expect(Buffer.compare(b.buffer.bytes, a.buffer.bytes)).to.equal(0);
    setFaults(pair.openVerbs, lost);
    expect(write(pair)).to.equal(WcStatus.RETRY_EXC_ERR);
  });

  it('is refused with a reason', () => {
    using pair = openTestPair({ config: { emulated: { ...EMULATED, faults: {} } } });
    const wrong = failure(() => setFaults(pair.openVerbs, { drop: 2 }));
    expect(wrong).to.include({ code: 'EINVAL' });
    expect(wrong.message).to.contain('faults.drop is 2');
    using plain = openTestPair({ config: { emulated: EMULATED } });
    const none = failure(() => setFaults(plain.openVerbs, {}));
    expect(VerbsError.is(none)).to.equal(true);
    expect(none).to.include({ code: 'EOPNOTSUPP', hint: 'open with emulated.faults, {} for none yet' });
  });
});
