import { expect } from 'chai';
import fc from 'fast-check';
import { CqeSyndrome, QpDoorbellRecord, RecvWqe, SgeWords, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { QpcState } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import type { Region, Sge } from './support/region.ts';
import { Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

const { LOCAL_LENGTH_ERR, LOCAL_PROT_ERR, LOCAL_QP_OP_ERR, REMOTE_INVAL_REQ_ERR, REMOTE_OP_ERR } = CqeSyndrome;
const TWO_31 = 2 ** 31;
const MESSAGE_BYTES = 48;

interface World {
  readonly bed: Testbed;
  readonly a: TestQp;
  readonly b: TestQp;
  readonly own: Region;
  readonly readOnly: Region;
  readonly foreign: Region;
}

/** A receive WQE that the responder can't use, and what both sides are told. */
interface Case {
  readonly name: string;
  readonly sges?: (world: World) => Sge[];
  readonly words?: Readonly<Record<number, number>>;
  readonly syndrome: number;
  readonly vendorErr: number;
  readonly faultKey?: (world: World) => number;
  readonly faultAddr?: (world: World) => bigint;
  /** Of the requester's completion. */
  readonly remote: number;
  readonly remoteVendorErr: number;
  readonly remoteFault?: bigint;
}

const unusable = { remote: REMOTE_OP_ERR, remoteVendorErr: VendorErr.REMOTE_OPERATION };

const cases: readonly Case[] = [
  ...[5, 33, 255, 65536, TWO_31 - 1, -1, -TWO_31].map((count) => ({
    name: `${count} SGEs where the QP allows 4`,
    sges: ({ own }: World) => [own.sge()],
    words: { [RecvWqe.SGE_COUNT]: count },
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_RECV_WQE,
    faultAddr: () => BigInt(count >>> 0),
    ...unusable,
  })),
  ...[0, 1, MESSAGE_BYTES - 1].map((length) => ({
    name: `room for ${length} bytes of ${MESSAGE_BYTES}`,
    sges: ({ own }: World) => [own.sge(0, length)],
    syndrome: LOCAL_LENGTH_ERR,
    vendorErr: VendorErr.RECV_TOO_SMALL,
    faultAddr: () => BigInt(MESSAGE_BYTES),
    remote: REMOTE_INVAL_REQ_ERR,
    remoteVendorErr: VendorErr.RECV_TOO_SMALL,
    remoteFault: BigInt(MESSAGE_BYTES),
  })),
  {
    name: 'an lkey that is none',
    sges: ({ own }) => [{ ...own.sge(), key: 0x1234 }],
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.BAD_LKEY,
    faultKey: () => 0x1234,
    faultAddr: ({ own }) => own.start,
    ...unusable,
  },
  {
    name: 'memory of another PD',
    sges: ({ foreign }) => [foreign.sge()],
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_PD_MISMATCH,
    faultKey: ({ foreign }) => foreign.key,
    faultAddr: ({ foreign }) => foreign.start,
    ...unusable,
  },
  {
    name: 'memory without LOCAL_WRITE behind good memory',
    sges: ({ own, readOnly }) => [own.sge(0, 8), readOnly.sge()],
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_NO_LOCAL_WRITE,
    faultKey: ({ readOnly }) => readOnly.key,
    faultAddr: ({ readOnly }) => readOnly.start,
    ...unusable,
  },
  {
    name: 'an SGE beyond its region, though the message would end before',
    sges: ({ own }) => [own.sge(1, own.length)],
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_RANGE,
    faultKey: ({ own }) => own.key,
    faultAddr: ({ own }) => own.start + 1n,
    ...unusable,
  },
];

function makeWorld(): World {
  const bed = new Testbed();
  const [a, b] = bed.pair();
  const otherPd = bed.commands.allocPd(bed.uar);
  const foreign = bed.region(64, { pd: otherPd });
  return { bed, a, b, own: bed.region(64), readOnly: bed.region(64, { access: 0 }), foreign };
}

describe('a receive WQE written by hand', () => {
  for (const one of cases) {
    it(`with ${one.name} fails at both ends`, () => {
      const world = makeWorld();
      const { bed, a, b, own } = world;
      const [c] = bed.pair();
      c.sendAndPoll({ sges: [{ ...own.sge(), key: 0x77777701 }] });
      b.recv(one.sges?.(world), one.words);
      b.recv([own.sge()]);
      const from = bed.region(MESSAGE_BYTES);
      from.fill(1);
      const [sent] = a.sendAndPoll({ sges: [from.sge()] });
      const [failed, flushed] = b.recvCq.poll();
      expect(failed).to.include({ index: 0, opcode: 128, syndrome: one.syndrome, vendorErr: one.vendorErr });
      expect(failed.faultKey, 'fault key').to.equal(one.faultKey?.(world) ?? 0);
      expect(failed.faultAddr, 'fault address').to.equal(one.faultAddr?.(world) ?? 0n);
      expect(flushed).to.include({ index: 1, syndrome: CqeSyndrome.WR_FLUSH_ERR });
      expect(sent).to.include({ syndrome: one.remote, vendorErr: one.remoteVendorErr, faultKey: 0 });
      expect(sent.faultAddr).to.equal(one.remoteFault ?? 0n);
      expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
      expect([...own.read(), ...world.foreign.read()].some((byte) => byte !== 0)).to.equal(false);
    });
  }

  it('that claims more than the ring holds is refused, and the flush ends', () => {
    for (const claim of [17, 1000, TWO_31 - 1, -TWO_31, -1]) {
      const { bed, a, b, own } = makeWorld();
      const from = bed.region(8);
      b.recv([own.sge()]);
      Atomics.store(bed.i32, b.record + QpDoorbellRecord.RQ_PRODUCER, claim);
      const [sent] = a.sendAndPoll({ sges: [from.sge()] });
      expect(sent).to.include({ syndrome: REMOTE_OP_ERR, faultKey: 0, faultAddr: 0n });
      const [failed, ...flushed] = b.recvCq.poll();
      expect(failed).to.include({ syndrome: LOCAL_QP_OP_ERR, vendorErr: VendorErr.BAD_RECV_WQE, faultKey: 0 });
      expect(flushed.length).to.be.at.most(16);
      expect(bed.events()).to.deep.equal([]);
    }
  });

  it('of any words at all leaves the memory of others alone', () => {
    const { bed, own, foreign } = makeWorld();
    const from = bed.region(64);
    from.fill(3);
    foreign.fill(9);
    const before = foreign.read();
    const interesting = fc.oneof(
      fc.integer({ min: -TWO_31, max: TWO_31 - 1 }),
      fc.nat({ max: 6 }),
      fc.constantFrom(own.key, foreign.key, Number(own.start & 0xffffffffn) | 0, 0x7f00, 64),
    );
    fc.assert(
      fc.property(fc.array(interesting, { minLength: 32, maxLength: 32 }), (wqe) => {
        const [a, b] = bed.pair();
        b.recv([], Object.fromEntries(wqe.map((word, n) => [n, word])));
        a.send({ sges: [from.sge()] });
        expect(a.sendCq.poll()).to.have.length(1);
        expect(foreign.read()).to.deep.equal(before);
        for (const qp of [a, b]) qp.destroy();
      }),
      { numRuns: 300 },
    );
  });

  it('whose SGEs overlap is filled in their order', () => {
    const { bed, a, b, own } = makeWorld();
    const from = bed.region(8);
    const bytes = from.fill(4);
    b.recv([own.sge(0, 4), own.sge(2, 4)]);
    a.send({ sges: [from.sge()] });
    expect(own.read(0, 6)).to.deep.equal(Uint8Array.of(bytes[0], bytes[1], ...bytes.slice(4)));
  });
});

describe('immediate data', () => {
  it('takes a receive WQE without looking at its SGEs', () => {
    const { bed, a, b, own } = makeWorld();
    const from = bed.region(8);
    from.fill(1);
    b.recv([], { [RecvWqe.SGE_COUNT]: -1, [RecvWqe.SGE + SgeWords.LKEY]: 5 });
    const wqe = { opcode: Opcode.RDMA_WRITE_WITH_IMM, sges: [from.sge()], imm: -2, ...own.at() };
    expect(a.sendAndPoll(wqe)[0]).to.include({ syndrome: 0 });
    expect(b.recvCq.poll()[0]).to.include({ opcode: 129, syndrome: 0, imm: -2, flags: 2, byteLen: 8, index: 0 });
  });

  it('without a receive WQE moves nothing', () => {
    const { bed, a, own } = makeWorld();
    const from = bed.region(8);
    from.fill(1);
    const wqe = { opcode: Opcode.RDMA_WRITE_WITH_IMM, sges: [from.sge()], imm: 1, ...own.at() };
    expect(a.sendAndPoll(wqe)).to.be.empty;
    expect(own.read(0, 8)).to.deep.equal(new Uint8Array(8));
    expect(bed.engine.timers.earliestNs).to.not.equal(Infinity);
  });

  it('with a bad rkey leaves the receive WQE where it is', () => {
    const { bed, a, b, own } = makeWorld();
    const from = bed.region(8);
    b.recv();
    const wqe = { opcode: Opcode.RDMA_WRITE_WITH_IMM, sges: [from.sge()], imm: 1, remote: own.start, rkey: 0x99 };
    expect(a.sendAndPoll(wqe)[0]).to.include({
      syndrome: CqeSyndrome.REMOTE_ACCESS_ERR,
      vendorErr: VendorErr.BAD_RKEY,
      faultKey: 0x99,
      faultAddr: own.start,
    });
    expect(b.recvCq.poll()[0]).to.include({ syndrome: CqeSyndrome.WR_FLUSH_ERR, index: 0 });
    expect(bed.events()).to.deep.equal([[AsyncEvent.QP_ACCESS_ERR, b.number]]);
  });
});
