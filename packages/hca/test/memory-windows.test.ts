import { expect } from 'chai';
import { CqeSyndrome, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { Mpt, QpcState } from '../src/layout.ts';
import { MPTS_MAX } from '../src/limits.ts';
import { Access, Opcode, SendFlag, WC_WITH_INV } from '../src/opcode.ts';
import { reap } from '../src/reap.ts';
import { audit } from './support/audit.ts';
import { ALL, bind, BINDABLE } from './support/bind.ts';
import { cutOff } from './support/cut.ts';
import type { Region } from './support/region.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';
import type { SendSpec, TestQp } from './support/test-qp.ts';

const { LOCAL_WRITE, REMOTE_READ, MW_BIND, ZERO_BASED } = Access;
const { LOCAL_INV, SEND_WITH_INV, RDMA_WRITE, RDMA_READ } = Opcode;
const LENGTH = 3 * 4096;
const CALLS_MAX = 1000;

function withWords(spec: SendSpec, words: Readonly<Record<number, number>>): SendSpec {
  return { ...spec, words: { ...spec.words, ...words } };
}

describe('a memory window', () => {
  let bed: Testbed;
  let a: TestQp;
  let b: TestQp;
  let region: Region;
  let own: Region;
  let window: number;
  let rkey: number;

  function make(): void {
    bed = new Testbed();
    [a, b] = bed.pair();
    region = bed.pagedRegion(LENGTH, 100, BINDABLE);
    own = bed.region(LENGTH);
    window = bed.commands.createWindow({ uar: bed.uar, pd: bed.pd, type2: true });
    rkey = (window & ~0xff) | 0xfe;
  }

  beforeEach(make);

  const entry = (): number => bed.hca.mptTable + (window >>> 8) * Mpt.WORDS;
  const pins = (): number => bed.i32[bed.hca.mptTable + (region.key >>> 8) * Mpt.WORDS + Mpt.PINS];

  it('shows pages that lie scattered, from its own first byte', () => {
    own.fill(3);
    for (const [offset, length] of [
      [0, LENGTH],
      [5000, 4096],
      [LENGTH - 1, 1],
    ] as const) {
      expect(b.sendAndPoll(bind(window, rkey, region, offset, length))[0]).to.include({ syndrome: 0, opcode: 5 });
      expect(pins()).to.equal(1);
      const remote = region.start + BigInt(offset);
      const wqe = { opcode: RDMA_WRITE, sges: [own.sge(0, length)], remote, rkey };
      expect(a.sendAndPoll(wqe)[0].syndrome).to.equal(0);
      expect(region.read(offset, length)).to.deep.equal(own.read(0, length));
      expect(b.sendAndPoll({ opcode: LOCAL_INV, imm: rkey })[0]).to.include({ syndrome: 0, opcode: 6, byteLen: 0 });
      expect(pins()).to.equal(0);
    }
    bed.commands.destroyMpt(region.key);
    audit(bed);
  });

  it('takes no PSN and no packet', () => {
    const before = [b.word('SQ_PSN'), a.word('RQ_PSN'), a.word('MSN')];
    b.send(bind(window, rkey, region));
    b.send({ opcode: LOCAL_INV, imm: rkey });
    expect([b.word('SQ_PSN'), a.word('RQ_PSN'), a.word('MSN')]).to.deep.equal(before);
  });

  it('is bound while the peer is away, and by an unreliable connection', () => {
    b.setWord('PEER', 0);
    expect(b.sendAndPoll(bind(window, rkey, region))[0].syndrome).to.equal(0);
    expect(b.sendAndPoll({ opcode: LOCAL_INV, imm: rkey })[0].syndrome).to.equal(0);
    b.setWord('TYPE', 3);
    expect(b.sendAndPoll(bind(window, rkey, region))[0].syndrome).to.equal(0);
    expect(b.sendAndPoll({ opcode: LOCAL_INV, imm: rkey + 1 })[0]).to.include({
      syndrome: CqeSyndrome.MW_BIND_ERR,
      vendorErr: VendorErr.BAD_RKEY,
    });
    expect(b.state).to.equal(QpcState.SQE);
  });

  it('needs the QP that bound it', () => {
    b.send(bind(window, rkey, region));
    const [c] = bed.pair();
    const wqe = { opcode: RDMA_READ, sges: [own.sge(0, 8)], remote: region.start, rkey };
    expect(c.sendAndPoll(wqe)[0]).to.include({
      syndrome: CqeSyndrome.REMOTE_ACCESS_ERR,
      vendorErr: VendorErr.WINDOW_QP_MISMATCH,
      faultKey: rkey,
    });
  });

  it('is invalidated by the QP that bound it, and by no other of its PD', () => {
    b.send(bind(window, rkey, region));
    b.sendCq.poll();
    const [c] = bed.pair();
    expect(c.sendAndPoll({ opcode: LOCAL_INV, imm: rkey })[0]).to.include({
      syndrome: CqeSyndrome.MW_BIND_ERR,
      vendorErr: VendorErr.WINDOW_QP_MISMATCH,
      faultKey: rkey,
    });
    expect(b.sendAndPoll({ opcode: LOCAL_INV, imm: rkey })[0].syndrome).to.equal(0);
    audit(bed);
  });

  const refused: [name: string, spec: () => SendSpec, vendorErr: number, syndrome?: number][] = [
    ['no window', () => bind(region.key, rkey, region), VendorErr.BIND_NO_WINDOW],
    ['a window number of another life', () => bind(window ^ 1, rkey, region), VendorErr.BIND_NO_WINDOW],
    ['an index beyond the table', () => bind(MPTS_MAX << 8, rkey, region), VendorErr.BIND_NO_WINDOW],
    ['all bits as the window', () => bind(-1, rkey, region), VendorErr.BIND_NO_WINDOW],
    ['the reserved entry', () => bind(1, 1, region), VendorErr.BIND_NO_WINDOW],
    ['a key of 0', () => bind(window, 0, region), VendorErr.BIND_BAD_RKEY],
    ['all bits as the key', () => bind(window, -1, region), VendorErr.BIND_BAD_RKEY],
    ['no region', () => withWords(bind(window, rkey, region), { [SendWqe.BIND_LKEY]: 0 }), VendorErr.BAD_LKEY],
    ['a window as the region', () => withWords(bind(window, rkey, region), { [SendWqe.BIND_LKEY]: window }), VendorErr.BAD_LKEY],
    ['rings as the region', () => withWords(bind(window, rkey, region), { [SendWqe.BIND_LKEY]: bed.ringKey(4096).key }), VendorErr.BAD_LKEY],
    ['the null region', () => withWords(bind(window, rkey, region), { [SendWqe.BIND_LKEY]: bed.commands.createNullMpt(bed.uar, bed.pd) }), VendorErr.BIND_NOT_ALLOWED],
    ['a region that allows none', () => bind(window, rkey, own), VendorErr.BIND_NOT_ALLOWED],
    ['a region that is not written', () => bind(window, rkey, bed.pagedRegion(64, 0, REMOTE_READ | MW_BIND)), VendorErr.LKEY_NO_LOCAL_WRITE],
    ['a zero-based region', () => bind(window, rkey, bed.pagedRegion(64, 0, BINDABLE | ZERO_BASED)), VendorErr.BIND_ZERO_BASED_REGION],
    ['a range one byte too long', () => bind(window, rkey, region, 1, LENGTH), VendorErr.LKEY_RANGE],
    ['a range that wraps', () => bind(window, rkey, region, 64, -32), VendorErr.LKEY_RANGE],
    ['a length of 64 bits', () => withWords(bind(window, rkey, region), { [SendWqe.BIND_LENGTH_HI]: 1 }), VendorErr.LKEY_RANGE],
    ['a length with the top bit', () => withWords(bind(window, rkey, region, 0, 0), { [SendWqe.BIND_LENGTH_HI]: -2147483648 }), VendorErr.LKEY_RANGE],
    ['no length', () => bind(window, rkey, region, 0, 0), VendorErr.BIND_EMPTY],
    ['local access', () => bind(window, rkey, region, 0, 64, ALL | LOCAL_WRITE), VendorErr.BIND_BAD_ACCESS],
    ['all bits as access', () => bind(window, rkey, region, 0, 64, -1), VendorErr.BIND_BAD_ACCESS],
    ['SGEs', () => ({ ...bind(window, rkey, region), flags: SendFlag.SIGNALED | (1 << 8) }), VendorErr.BAD_SGE_COUNT, CqeSyndrome.LOCAL_QP_OP_ERR],
    ['inline data', () => ({ ...bind(window, rkey, region), flags: SendFlag.SIGNALED | SendFlag.INLINE }), VendorErr.BAD_SGE_COUNT, CqeSyndrome.LOCAL_QP_OP_ERR],
    ['a key that nobody has, to invalidate', () => ({ opcode: LOCAL_INV, imm: rkey }), VendorErr.BAD_RKEY],
    ['a window that is not bound, to invalidate', () => ({ opcode: LOCAL_INV, imm: window }), VendorErr.WINDOW_NOT_BOUND],
    ['a region, to invalidate', () => ({ opcode: LOCAL_INV, imm: region.key }), VendorErr.INVALIDATE_NOT_TYPE_2],
    ['rings, to invalidate', () => ({ opcode: LOCAL_INV, imm: bed.ringKey(4096).key }), VendorErr.BAD_RKEY],
    ['an index beyond the table, to invalidate', () => ({ opcode: LOCAL_INV, imm: -1 }), VendorErr.BAD_RKEY],
  ]; // prettier-ignore

  for (const [name, spec, vendorErr, syndrome = CqeSyndrome.MW_BIND_ERR] of refused) {
    it(`refuses ${name}`, () => {
      const before = bed.i32.slice(entry(), entry() + Mpt.WORDS);
      expect(b.sendAndPoll(spec())[0]).to.include({ syndrome, vendorErr });
      expect(bed.i32.slice(entry(), entry() + Mpt.WORDS)).to.deep.equal(before);
      expect([a.state, b.state]).to.deep.equal([QpcState.RTS, QpcState.ERR]);
      audit(bed);
    });
  }

  it('is bound, invalidated and told of exactly once, wherever the thread dies', () => {
    let wasCut = true;
    let calls = 0;
    for (; wasCut && calls < CALLS_MAX; calls++) {
      make();
      a.recv();
      b.recv();
      b.writeSend(bind(window, rkey, region));
      b.writeSend({ opcode: LOCAL_INV, imm: rkey });
      b.writeSend(bind(window, rkey - 1, region));
      a.writeSend({ opcode: SEND_WITH_INV, imm: rkey - 1 });
      b.writeSend(bind(window, rkey - 2, region, 8));
      setProducer(bed, a, 0);
      setProducer(bed, b, 3);
      // Each in the knowledge of what the other has done before.
      const drive = (): void => {
        b.ring();
        setProducer(bed, a, 1);
        a.ring();
        setProducer(bed, b, 4);
        b.ring();
      };
      wasCut = cutOff(bed, calls, drive);
      if (b.word('SQ_CONSUMER') < 4) setProducer(bed, b, 3);
      drive();
      expect(
        b.sendCq
          .poll()
          .filter(({ opcode }) => opcode < 128)
          .map(({ syndrome }) => syndrome),
        `call ${calls}`,
      ).to.deep.equal([0, 0, 0, 0]);
      expect(bed.i32[entry() + Mpt.KEY]).to.equal(rkey - 2);
      expect(pins()).to.equal(1);
      audit(bed);
    }
    expect(calls).to.be.greaterThan(20).and.below(CALLS_MAX);
  });

  it('of type 2 is not bound again before it is invalidated', () => {
    expect(b.sendAndPoll(bind(window, rkey, region))[0].syndrome).to.equal(0);
    const before = bed.i32.slice(entry(), entry() + Mpt.WORDS);
    const [failed] = b.sendAndPoll(bind(window, rkey, region, 64, 64));
    expect(failed).to.include({ syndrome: CqeSyndrome.MW_BIND_ERR, vendorErr: VendorErr.BIND_BOUND, faultKey: rkey });
    expect(bed.i32.slice(entry(), entry() + Mpt.WORDS)).to.deep.equal(before);
    expect(pins()).to.equal(1);
    audit(bed);
  });

  it('that a peer invalidates says so in the completion', () => {
    b.send(bind(window, rkey, region));
    b.sendCq.poll();
    b.recv([own.sge(0, 8)]);
    expect(a.sendAndPoll({ opcode: SEND_WITH_INV, imm: rkey, inline: [1, 2, 3] })[0]).to.include({
      syndrome: 0,
      opcode: 0,
    });
    expect(b.recvCq.poll().at(-1)).to.include({ syndrome: 0, byteLen: 3, imm: rkey, flags: WC_WITH_INV });
    expect(pins()).to.equal(0);
  });

  it('of type 1 may be bound over and over, and stays what it was when a bind fails', () => {
    const first = bed.commands.createWindow({ uar: bed.uar, pd: bed.pd, type2: false });
    const key = (first & ~0xff) | 7;
    for (let n = 0; n < 3; n++) expect(b.sendAndPoll(bind(first, key + n, region, n))[0].syndrome).to.equal(0);
    expect(pins()).to.equal(1);
    expect(b.sendAndPoll(bind(first, key + 3, region, 0, 64, ALL | ZERO_BASED))[0].vendorErr).to.equal(
      VendorErr.BIND_BAD_ACCESS,
    );
    const [c] = bed.pair();
    const wqe = { opcode: RDMA_READ, sges: [own.sge(0, 8)], remote: region.start + 2n, rkey: key + 2 };
    expect(c.sendAndPoll(wqe)[0].syndrome).to.equal(0);
    const [d] = bed.pair();
    expect(d.sendAndPoll({ opcode: LOCAL_INV, imm: key + 2 })[0].vendorErr).to.equal(VendorErr.INVALIDATE_NOT_TYPE_2);
    bed.commands.destroyWindow(first);
    expect(pins()).to.equal(0);
  });

  it('is no region, and a region no window, to the commands', () => {
    const { commands } = bed;
    expectDeviceError(() => commands.destroyMpt(window), 'EINVAL', /no memory region/);
    expectDeviceError(() => commands.destroyWindow(region.key), 'EINVAL', /no memory window/);
    expectDeviceError(() => commands.destroyWindow(-1), 'EINVAL', /no memory window/);
    expectDeviceError(() => commands.createWindow({ uar: bed.uar, pd: bed.pd + 1, type2: true }), 'EINVAL');
    b.send(bind(window, rkey, region));
    expectDeviceError(() => commands.destroyMpt(region.key), 'EBUSY', /invalidate/);
    commands.destroyWindow(window);
    expectDeviceError(() => commands.destroyWindow(window), 'EINVAL');
    commands.destroyMpt(region.key);
    const next = commands.createWindow({ uar: bed.uar, pd: bed.pd, type2: true });
    expect(next, 'another key than the last one').to.not.equal(rkey);
    audit(bed);
  });

  it('goes with the thread that made it, and its region too', () => {
    const { mrs } = bed.hca.objects;
    const victim = bed.join();
    const qp = victim.qp();
    victim.connect(qp, qp);
    const shown = victim.pagedRegion(64, 0, BINDABLE);
    const mw = victim.commands.createWindow({ uar: victim.uar, pd: victim.pd, type2: true });
    expect(qp.sendAndPoll(bind(mw, mw, shown, 0, 8))[0].syndrome).to.equal(0);
    victim.machine.threads.declareDead(victim.machine.threadIndex);
    reap(bed.engine);
    expect(bed.hca.objects.mrs).to.equal(mrs);
    audit(bed);
  });

  it('is bound to memory that its rights do not reach beyond', () => {
    b.send(bind(window, rkey, region, 0, 64, REMOTE_READ));
    b.sendCq.poll();
    const wqe = { opcode: RDMA_WRITE, sges: [own.sge(0, 8)], remote: region.start, rkey };
    expect(a.sendAndPoll(wqe)[0]).to.include({ vendorErr: VendorErr.RKEY_NO_REMOTE_WRITE, faultKey: rkey });
  });
});

function setProducer(bed: Testbed, qp: TestQp, count: number): void {
  Atomics.store(bed.i32, qp.record, count);
}
