import { expect } from 'chai';
import { CqeSyndrome, QpDoorbellRecord, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { destroyAh } from '../src/address-handles.ts';
import { setGid, setPortDown } from '../src/device-faults.ts';
import { GRH_BYTES } from '../src/grh.ts';
import { Port, Qpc, QpcState, QpcType } from '../src/layout.ts';
import { AHS_MAX, PORT_MTU_BYTES } from '../src/limits.ts';
import type { AddressVector } from '../src/modify-qp.ts';
import { recover } from '../src/recovery.ts';
import { audit } from './support/audit.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';
import type { QpOptions, QpWords } from './support/testbed.ts';
import type { SendSpec, TestQp } from './support/test-qp.ts';

const QKEY = 0x1234;
class Datagrams {
  readonly bed = new Testbed();

  qp(words: QpWords = new Map(), options: QpOptions = {}): TestQp {
    const qp = this.bed.qp({ ...options, type: QpcType.UD });
    this.bed.modify(qp, QpcState.INIT, new Map([[Qpc.PORT, 1], [Qpc.QKEY, QKEY], ...words] as [number, number][]));
    this.bed.modify(qp, QpcState.RTR);
    this.bed.modify(qp, QpcState.RTS, new Map([[Qpc.SQ_PSN, 0xffffff]]));
    return qp;
  }

  ah(av: Partial<AddressVector> = {}, pd = this.bed.pd): number {
    return this.bed.ah({ sl: 3, ...av }, pd);
  }

  to(ah: number, qpn: number, spec: SendSpec = {}, qkey = QKEY): SendSpec {
    const words = { [SendWqe.RKEY]: qkey, [SendWqe.REMOTE_ADDR_LO]: ah, [SendWqe.REMOTE_ADDR_HI]: qpn };
    return { ...spec, words: { ...words, ...spec.words } };
  }

  violations(port = 1): number {
    return this.bed.hca.portWord(port, Port.QKEY_VIOL_CNTR);
  }
}

describe('a datagram', () => {
  it('comes with its sender in the completion', () => {
    const world = new Datagrams();
    const [a, b] = [world.qp(), world.qp()];
    const region = world.bed.region(128);
    b.recv([region.sge(0, 128)]);
    expect(a.sendAndPoll(world.to(world.ah(), b.number, { sges: [region.sge(0, 8)] }))).to.have.length(1);
    const [cqe] = b.recvCq.poll();
    expect([cqe.srcQpn, cqe.flags, cqe.byteLen]).to.deep.equal([a.number, 1 | (3 << 8), GRH_BYTES + 8]);
    // Each is a packet of its own, and the receiver does not look at its number.
    expect([a.word('SQ_PSN'), b.word('RQ_PSN')]).to.deep.equal([0, 0]);
  });

  it('is dropped where a port is down, and goes where its address is', () => {
    const world = new Datagrams();
    const { bed } = world;
    const { engine, hca } = bed;
    const [a, b] = [world.qp(), world.qp()];
    for (let n = 0; n < 4; n++) b.recv([bed.region(64).sge(0, 64)]);
    const ah = world.ah();
    const [old, other] = [hca.gid(1), Uint8Array.from({ length: 16 }, (_, n) => n + 1)];
    const arrives = (): number => {
      expect(a.sendAndPoll(world.to(ah, b.number))).to.have.length(1);
      return b.recvCq.poll().length;
    };
    setPortDown(engine, hca, 1, true);
    expect(arrives()).to.equal(0);
    setPortDown(engine, hca, 1, false);
    expect(arrives()).to.equal(1);
    setGid(engine, hca, 1, 0, other);
    expect(arrives()).to.equal(0);
    setGid(engine, hca, 1, 0, old);
    expect(arrives()).to.equal(1);
    expectDeviceError(() => world.ah({ sgidIndex: 1 }), 'EINVAL', /GID index 1/);
  });

  it('that is dropped is counted by reason, a wrong Q_Key at the port', () => {
    const world = new Datagrams();
    const [a, b] = [world.qp(), world.qp()];
    const counts = (): number[] => [
      world.bed.hca.portWord(1, Port.OUT_OF_BUFFER),
      world.bed.hca.portWord(1, Port.MESSAGES_DROPPED),
      world.violations(),
    ];
    const ah = world.ah();
    a.send(world.to(ah, b.number));
    expect(counts()).to.deep.equal([1, 0, 0]);
    b.recv();
    a.send(world.to(ah, b.number));
    expect(counts()).to.deep.equal([1, 1, 0]);
    a.send(world.to(ah, b.number, {}, QKEY + 1));
    expect(counts()).to.deep.equal([1, 1, 1]);
    expect(world.violations(2)).to.equal(0);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0, 0]);
  });

  it('counts violations no further than 16 bits', () => {
    const world = new Datagrams();
    const [a, b] = [world.qp(), world.qp()];
    const at = world.bed.hcaWord('PORT_TABLE') + Port.QKEY_VIOL_CNTR;
    world.bed.i32[at] = 0xfffe;
    for (let n = 0; n < 3; n++) a.send(world.to(world.ah(), b.number, {}, 0));
    expect(world.violations()).to.equal(0xffff);
  });

  it('reaches a QP on its own port only', () => {
    const world = new Datagrams();
    const [a, b] = [world.qp(), world.qp(new Map([[Qpc.PORT, 2]]))];
    const region = world.bed.region(64);
    b.recv([region.sge(0, 64)]);
    a.send(world.to(world.ah(), b.number));
    expect(b.recvCq.poll()).to.deep.equal([]);
    a.send(world.to(world.ah({ dgid: world.bed.hca.gid(2) }), b.number));
    expect(b.recvCq.poll()).to.have.length(1);
  });

  it('needs an address handle that is one, of its PD and of its port', () => {
    const world = new Datagrams();
    const a = world.qp();
    const { commands, uar } = world.bed;
    const cases: [handle: number, vendorErr: number][] = [
      [0, VendorErr.BAD_AH],
      [-1, VendorErr.BAD_AH],
      [AHS_MAX << 8, VendorErr.BAD_AH],
      [world.ah() ^ 1, VendorErr.BAD_AH],
      [world.ah({}, commands.allocPd(uar)), VendorErr.AH_PD_MISMATCH],
      [world.ah({ portNum: 2 }), VendorErr.AH_PORT_MISMATCH],
    ];
    for (const [handle, vendorErr] of cases) {
      const [cqe] = a.sendAndPoll(world.to(handle, a.number));
      expect([cqe.syndrome, cqe.vendorErr]).to.deep.equal([CqeSyndrome.LOCAL_QP_OP_ERR, vendorErr]);
      expect(cqe.faultAddr).to.equal(BigInt(handle >>> 0));
      expect(a.state).to.equal(QpcState.SQE);
      world.bed.toRts(a);
    }
  });

  it('is as long as the MTU of the port, and not a byte longer', () => {
    const world = new Datagrams();
    const [a, b] = [world.qp(), world.qp()];
    const region = world.bed.region(2 * PORT_MTU_BYTES);
    b.recv([region.sge()]);
    const spec = (length: number): SendSpec => world.to(world.ah(), b.number, { sges: [region.sge(0, length)] });
    expect(a.sendAndPoll(spec(PORT_MTU_BYTES))[0].syndrome).to.equal(0);
    expect(b.recvCq.poll()[0].byteLen).to.equal(GRH_BYTES + PORT_MTU_BYTES);
    const [cqe] = a.sendAndPoll(spec(PORT_MTU_BYTES + 1));
    expect(cqe).to.include({ syndrome: CqeSyndrome.LOCAL_LENGTH_ERR, vendorErr: VendorErr.MESSAGE_TOO_LONG });
    expect([a.state, b.state]).to.deep.equal([QpcState.SQE, QpcState.RTS]);
  });

  it('overruns the CQ of its receiver, and nobody else', () => {
    const world = new Datagrams();
    const [a, b] = [world.qp(), world.qp(new Map(), { recvCq: world.bed.cq(0), sendCq: world.bed.cq() })];
    const region = world.bed.region(64);
    for (let n = 0; n < 3; n++) b.recv([region.sge(0, 64)]);
    for (let n = 0; n < 2; n++) a.send(world.to(world.ah(), b.number));
    expect([a.state, b.state]).to.deep.equal([QpcState.RTS, QpcState.ERR]);
    expect(a.sendCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([0, 0]);
    audit(world.bed);
  });

  it('is flushed behind a receive queue that claims more than it holds', () => {
    const world = new Datagrams();
    const [a, b] = [world.qp(), world.qp()];
    Atomics.store(world.bed.i32, b.record + QpDoorbellRecord.RQ_PRODUCER, 1000);
    a.send(world.to(world.ah(), b.number));
    expect(b.state).to.equal(QpcState.ERR);
    expect(a.state).to.equal(QpcState.RTS);
  });
});

describe('an address handle', () => {
  it('has another number each time', () => {
    const datagrams = new Datagrams();
    const { engine, hca } = datagrams.bed;
    const first = datagrams.ah();
    engine.command(() => {
      destroyAh(engine, hca, first);
    });
    const second = datagrams.ah();
    expect([first >>> 8, second >>> 8, first === second]).to.deep.equal([0, 0, false]);
    for (const stale of [first, 0, -1, AHS_MAX << 8]) {
      expectDeviceError(
        () => {
          engine.command(() => {
            destroyAh(engine, hca, stale);
          });
        },
        'EINVAL',
        /no address handle/,
      );
    }
  });

  it('is refused without a PD, a port or a global route, and beyond the table', () => {
    const world = new Datagrams();
    expectDeviceError(() => world.ah({}, 0), 'EINVAL', /protection domain 0/);
    expectDeviceError(() => world.ah({}, 999), 'EINVAL', /protection domain 999/);
    for (const portNum of [0, 3, 1.5]) expectDeviceError(() => world.ah({ portNum }), 'EINVAL', /ports 1 to 2/);
    expectDeviceError(() => world.ah({ dgid: null }), 'EINVAL', /global route/);
    expect(world.bed.hca.objects.ahs).to.equal(0);
    for (let n = 0; n < AHS_MAX; n++) world.ah();
    expectDeviceError(() => world.ah(), 'ENOMEM', /all 32768/);
    audit(world.bed);
  });

  it('survives a takeover', () => {
    const world = new Datagrams();
    const { engine, hca, i32 } = world.bed;
    const kept = world.ah();
    world.ah();
    engine.command(() => {
      i32[hca.ahTable + 32] = 0; // a thread died behind this store
      recover(engine);
    });
    audit(world.bed);
    expect(hca.objects.ahs).to.equal(1);
    const [cqe] = world.qp().sendAndPoll(world.to(kept, 0));
    expect(cqe.syndrome).to.equal(0);
  });
});
