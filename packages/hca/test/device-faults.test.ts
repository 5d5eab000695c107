import { expect } from 'chai';
import { CqeSyndrome } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { failDevice, failQp, isRemoved, removeDevice, setGid, setPkey, setPortDown } from '../src/device-faults.ts';
import { HcaState, Qpc, QpcState } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { audit } from './support/audit.ts';
import { cutOff } from './support/cut.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';

const GID = Uint8Array.from({ length: 16 }, (_, n) => n + 1);

describe('faults of a device', () => {
  it('a port that is down has no peers, until it is up', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    const { engine, hca } = bed;
    setPortDown(engine, hca, 1, true);
    expect([a.word('PEER'), b.word('PEER')]).to.deep.equal([0, 0]);
    a.send({ opcode: Opcode.RDMA_WRITE });
    expect(a.word('WAITING')).to.not.equal(0);
    setPortDown(engine, hca, 1, true);
    setPortDown(engine, hca, 1, false);
    setPortDown(engine, hca, 1, false);
    expect(bed.events()).to.deep.equal([
      [AsyncEvent.PORT_ERR, 1],
      [AsyncEvent.PORT_ACTIVE, 1],
    ]);
    expect([a.word('PEER'), b.word('PEER')]).to.deep.equal([b.context, a.context]);
    bed.advance(1e9);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0]);
    setPortDown(engine, hca, 2, true);
    expect(a.word('PEER'), 'another port').to.equal(b.context);
    expectDeviceError(() => setPortDown(engine, hca, 3, true), 'EINVAL', /ports 1 to 2/);
  });

  it('a connection is between two addresses, not between two ports', () => {
    const bed = new Testbed();
    const { hca } = bed;
    const [a, b] = [bed.qp(), bed.qp()];
    const port2 = new Map([[Qpc.PORT, 2]]);
    bed.toInit(a, port2);
    bed.toInit(b, port2);
    // From index 1 to index 2; the answer goes the same way.
    bed.modify(a, QpcState.RTR, new Map([[Qpc.DEST_QPN, b.number]]), hca.gid(2, 2), 1);
    bed.modify(b, QpcState.RTR, new Map([[Qpc.DEST_QPN, a.number]]), hca.gid(2, 1), 2);
    bed.toRts(a);
    bed.toRts(b);
    b.recv();
    expect(a.sendAndPoll({}).map(({ syndrome }) => syndrome)).to.deep.equal([0]);
    // Who answers from another address is not the peer.
    bed.modify(b, QpcState.SQD);
    bed.modify(b, undefined, new Map(), hca.gid(2, 1), 3);
    a.send({ opcode: Opcode.RDMA_WRITE });
    expect(a.word('WAITING')).to.not.equal(0);
    expectDeviceError(() => bed.modify(b, undefined, new Map(), hca.gid(2, 1), 4), 'EINVAL', /GID index 4.*4 entries/);
  });

  it('an address changes places, and its connections lead nowhere', () => {
    const bed = new Testbed();
    const { engine, hca } = bed;
    const [a, b] = bed.pair();
    const old = hca.gid(1);
    setGid(engine, hca, 1, 0, GID);
    expect(bed.events()).to.deep.equal([[AsyncEvent.GID_CHANGE, 1]]);
    expect(hca.gid(1)).to.deep.equal(GID);
    expect(a.word('PEER')).to.equal(0);
    setGid(engine, hca, 1, 0, GID);
    expect(bed.events(), 'nothing changed').to.be.empty;
    setGid(engine, hca, 1, 0, old);
    expect(a.word('PEER')).to.equal(b.context);
    expectDeviceError(() => setGid(engine, hca, 1, 0, hca.gid(2, 1)), 'EINVAL', /another port/);
    expectDeviceError(() => setGid(engine, hca, 1, 1, GID), 'EINVAL', /1 entry/);
  });

  it('a P_Key changes for the queue pairs of its port and index', () => {
    const bed = new Testbed();
    const { engine, hca } = bed;
    const [a, b] = bed.pair();
    const other = bed.qp();
    bed.toInit(other, new Map([[Qpc.PKEY_INDEX, 2]]));
    const reset = bed.qp();
    const [before, apart] = [a.word('SERVICE_PKEY'), other.word('SERVICE_PKEY')];
    const old = hca.pkey(1, 0);
    setPkey(engine, hca, 1, 0, 0x8123);
    setPkey(engine, hca, 1, 0, 0x8123);
    expect(bed.events()).to.deep.equal([[AsyncEvent.PKEY_CHANGE, 1]]);
    expect(hca.pkey(1, 0)).to.equal(0x8123);
    expect([a, b].map((qp) => qp.word('SERVICE_PKEY') & 0xffff)).to.deep.equal([0x8123, 0x8123]);
    expect([other.word('SERVICE_PKEY'), reset.word('SERVICE_PKEY')]).to.deep.equal([apart, 0]);
    b.recv();
    expect(a.sendAndPoll({})[0].syndrome, 'both have it').to.equal(0);
    setPkey(engine, hca, 1, 0, old);
    expect(a.word('SERVICE_PKEY')).to.equal(before);
    expectDeviceError(() => setPkey(engine, hca, 1, 7, 1), 'EINVAL', /P_Key index 7/);
    expectDeviceError(() => setPkey(engine, hca, 3, 0, 1), 'EINVAL', /ports 1 to 2/);
    expectDeviceError(() => setPkey(engine, hca, 1, 0, 0x10000), 'EINVAL', /16 bits/);
  });

  it('a QP that fails is in error, with an event', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    a.recv();
    bed.engine.command(() => failQp(bed.engine, a.context));
    expect(bed.events()).to.deep.equal([[AsyncEvent.QP_FATAL, a.number]]);
    expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.RTS]);
    expect(a.recvCq.poll()).to.have.length(1);
  });

  it('a device that fails, and then is removed, tells its contexts once', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    const reset = bed.qp();
    const { engine, hca } = bed;
    failDevice(engine, hca);
    failDevice(engine, hca);
    expect(isRemoved(engine, hca)).to.equal(false);
    removeDevice(engine, hca);
    removeDevice(engine, hca);
    failDevice(engine, hca);
    expect(isRemoved(engine, hca)).to.equal(true);
    expect(bed.events()).to.deep.equal([[AsyncEvent.DEVICE_FATAL, 0]]);
    expect([a.state, reset.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
    expectDeviceError(() => setPortDown(engine, hca, 1, true), 'EIO', /was removed/);
    expect(engine.link.lookup(new Int32Array(hca.gid(1).buffer))).to.equal(-1);
  });

  it('is done with when a thread dies in the middle of it', () => {
    for (let n = 0; ; n++) {
      const bed = new Testbed();
      const [a, b] = bed.pair();
      a.recv();
      const wasCut = cutOff(bed, n, () => {
        setPortDown(bed.engine, bed.hca, 1, true);
        removeDevice(bed.engine, bed.hca);
      });
      audit(bed);
      const state = bed.hcaWord('STATE');
      if (state === HcaState.REMOVED) {
        expect([a.state, b.state], `cut off at call ${n}`).to.deep.equal([QpcState.ERR, QpcState.ERR]);
        expect(a.recvCq.poll()).to.have.length(1);
      } else expect(a.word('PEER') === 0, `cut off at call ${n}`).to.equal(bed.hcaWord('PORTS_DOWN') !== 0);
      if (!wasCut) return;
    }
  });

  it('a port that is down carries no packets either', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair({}, new Map([[Qpc.TIMEOUT, 10]]));
    const { engine, hca } = bed;
    b.recv();
    b.recv();
    a.send({});
    bed.advance(1e6);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0]);
    setPortDown(engine, hca, 1, true);
    a.send({});
    bed.advance(10e6);
    expect(a.sendCq.poll()).to.be.empty;
    setPortDown(engine, hca, 1, false);
    bed.advance(50e6);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0]);
    setPortDown(engine, hca, 1, true);
    a.send({});
    bed.advance(1e9);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([CqeSyndrome.RETRY_EXC_ERR]);
    expect(b.state).to.equal(QpcState.RTS);
  });
});
