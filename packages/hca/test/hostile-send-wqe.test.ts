import { expect } from 'chai';
import fc from 'fast-check';
import { CqeSyndrome, QpDoorbellRecord, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { QpcState } from '../src/layout.ts';
import { Access, Opcode, SendFlag } from '../src/opcode.ts';
import type { Region } from './support/region.ts';
import { Testbed } from './support/testbed.ts';
import type { SendSpec, TestQp } from './support/test-qp.ts';

const { RDMA_WRITE, SEND, RDMA_READ, ATOMIC_FETCH_AND_ADD, ATOMIC_CMP_AND_SWP, ATOMIC_WRITE, FLUSH } = Opcode;
const { LOCAL_QP_OP_ERR, LOCAL_PROT_ERR, LOCAL_LENGTH_ERR } = CqeSyndrome;
const TWO_31 = 2 ** 31;

/** What a case finds: memory of its own PD, readable only, and of another PD. */
interface World {
  readonly bed: Testbed;
  readonly own: Region;
  readonly readOnly: Region;
  readonly foreign: Region;
  readonly target: Region;
}

/** A WQE that the requester itself must refuse, and what its completion says. */
interface Case {
  readonly name: string;
  readonly wqe: (world: World) => SendSpec;
  readonly syndrome: number;
  readonly vendorErr: number;
  readonly faultKey?: (world: World) => number;
  readonly faultAddr?: (world: World) => bigint;
}

const badOpcodes = [10, 11, 12, 13, 16, 31, 255, 256, 65536, -1, -TWO_31, TWO_31 - 1];
const NO_KEY = 0x12345601;

const cases: readonly Case[] = [
  ...badOpcodes.map((opcode) => ({
    name: `opcode ${opcode}`,
    wqe: ({ own }: World) => ({ opcode, sges: [own.sge()] }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_OPCODE,
    faultAddr: () => BigInt(opcode >>> 0),
  })),
  ...[5, 33, 64, 255].map((count) => ({
    name: `${count} SGEs where the QP allows 4`,
    wqe: ({ own }: World) => ({ sges: [own.sge()], words: { [SendWqe.FLAGS]: SendFlag.SIGNALED | (count << 8) } }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_SGE_COUNT,
    faultAddr: () => BigInt(count),
  })),
  ...[65, 128, 0x7fffffff, -1].map((length) => ({
    name: `${length} bytes of inline data where the QP allows 64`,
    wqe: ({ target }: World) => ({
      opcode: RDMA_WRITE,
      inline: [1],
      words: { [SendWqe.INLINE_LENGTH]: length },
      ...target.at(),
    }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_INLINE_LENGTH,
    faultAddr: () => BigInt(length >>> 0),
  })),
  {
    name: 'an RDMA READ into inline data',
    wqe: ({ target }) => ({ opcode: RDMA_READ, inline: [1, 2, 3, 4, 5, 6, 7, 8], ...target.at() }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_OPCODE,
    faultAddr: () => BigInt(RDMA_READ),
  },
  ...[ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD].flatMap((opcode) =>
    [0, 2, 4].map((count) => ({
      name: `${count} SGEs for atomic operation ${opcode}`,
      wqe: ({ own, target }: World) => ({
        opcode,
        sges: Array.from({ length: count }, () => own.sge(0, 8)),
        compareAdd: 1n,
        ...target.at(),
      }),
      syndrome: LOCAL_QP_OP_ERR,
      vendorErr: VendorErr.BAD_SGE_COUNT,
      faultAddr: () => BigInt(count),
    })),
  ),
  {
    name: 'an lkey that is none',
    wqe: ({ own, target }) => ({ opcode: RDMA_WRITE, sges: [{ ...own.sge(), key: NO_KEY }], ...target.at() }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.BAD_LKEY,
    faultKey: () => NO_KEY,
    faultAddr: ({ own }) => own.start,
  },
  {
    name: 'an lkey of 0',
    wqe: ({ own }) => ({ sges: [{ ...own.sge(), key: 0 }] }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.BAD_LKEY,
    faultAddr: ({ own }) => own.start,
  },
  {
    name: 'an lkey of another PD',
    wqe: ({ foreign }) => ({ sges: [foreign.sge()] }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_PD_MISMATCH,
    faultKey: ({ foreign }) => foreign.key,
    faultAddr: ({ foreign }) => foreign.start,
  },
  {
    name: 'an SGE that ends one byte too far',
    wqe: ({ own }) => ({ sges: [own.sge(0, 8), own.sge(1, own.length)] }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_RANGE,
    faultKey: ({ own }) => own.key,
    faultAddr: ({ own }) => own.start + 1n,
  },
  {
    name: 'an SGE that begins one byte too early',
    wqe: ({ own }) => ({ sges: [{ ...own.sge(), addr: own.start - 1n, length: 8 }] }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_RANGE,
    faultKey: ({ own }) => own.key,
    faultAddr: ({ own }) => own.start - 1n,
  },
  {
    name: 'an SGE that wraps around the address space',
    wqe: ({ own }) => ({ sges: [{ ...own.sge(), addr: 2n ** 64n - 4n, length: 8 }] }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_RANGE,
    faultKey: ({ own }) => own.key,
    faultAddr: () => 2n ** 64n - 4n,
  },
  ...[TWO_31 + 1, 2 ** 32 - 1].map((length) => ({
    name: `an SGE of ${length} bytes`,
    wqe: ({ own }: World) => ({ sges: [{ ...own.sge(), length }] }),
    syndrome: LOCAL_LENGTH_ERR,
    vendorErr: VendorErr.MESSAGE_TOO_LONG,
    faultAddr: () => BigInt(length),
  })),
  {
    name: 'an RDMA READ into memory without LOCAL_WRITE',
    wqe: ({ readOnly, target }) => ({ opcode: RDMA_READ, sges: [readOnly.sge()], ...target.at() }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_NO_LOCAL_WRITE,
    faultKey: ({ readOnly }) => readOnly.key,
    faultAddr: ({ readOnly }) => readOnly.start,
  },
  ...[0, 4, 7, 9, 16].map((length) => ({
    name: `an atomic operation with ${length} bytes`,
    wqe: ({ own, target }: World) => ({
      opcode: ATOMIC_FETCH_AND_ADD,
      sges: [own.sge(0, length)],
      compareAdd: 1n,
      ...target.at(),
    }),
    syndrome: LOCAL_LENGTH_ERR,
    vendorErr: VendorErr.ATOMIC_LENGTH,
    faultAddr: () => BigInt(length),
  })),
  ...[0, 4, 7, 9, 16].map((length) => ({
    name: `an atomic write of ${length} bytes`,
    wqe: ({ own, target }: World) => ({ opcode: ATOMIC_WRITE, sges: [own.sge(0, length)], ...target.at() }),
    syndrome: LOCAL_LENGTH_ERR,
    vendorErr: VendorErr.ATOMIC_LENGTH,
    faultAddr: () => BigInt(length),
  })),
  ...[0, 7, 9, 64, 0x7fffffff, -1].map((length) => ({
    name: `an atomic write of ${length} bytes of inline data`,
    wqe: ({ target }: World) => ({
      opcode: ATOMIC_WRITE,
      inline: [1],
      words: { [SendWqe.INLINE_LENGTH]: length },
      ...target.at(),
    }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_INLINE_LENGTH,
    faultAddr: () => BigInt(length >>> 0),
  })),
  ...[0, 2, 255].map((count) => ({
    name: `${count} SGEs for an atomic write`,
    wqe: ({ target }: World) => ({
      opcode: ATOMIC_WRITE,
      words: { [SendWqe.FLAGS]: SendFlag.SIGNALED | (count << 8) },
      ...target.at(),
    }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_SGE_COUNT,
    faultAddr: () => BigInt(count),
  })),
  {
    name: 'an atomic write from memory of another PD',
    wqe: ({ foreign, target }) => ({ opcode: ATOMIC_WRITE, sges: [foreign.sge(0, 8)], ...target.at() }),
    syndrome: LOCAL_PROT_ERR,
    vendorErr: VendorErr.LKEY_PD_MISMATCH,
    faultKey: ({ foreign }) => foreign.key,
    faultAddr: ({ foreign }) => foreign.start,
  },
  ...[0, 4, 16, 0x20, 0x31, 0x101, -1, -TWO_31].map((imm) => ({
    name: `a flush of no kind, ${imm}`,
    wqe: ({ target }: World) => ({ opcode: FLUSH, imm, flushLength: 8, ...target.at() }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_FLUSH,
    faultAddr: () => BigInt(imm >>> 0),
  })),
  ...[1, 4, 255].map((count) => ({
    name: `${count} SGEs for a flush`,
    wqe: ({ target }: World) => ({
      opcode: FLUSH,
      imm: 1,
      words: { [SendWqe.FLAGS]: SendFlag.SIGNALED | (count << 8) },
      ...target.at(),
    }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_SGE_COUNT,
    faultAddr: () => BigInt(count),
  })),
  {
    name: 'a flush with inline data',
    wqe: ({ target }) => ({ opcode: FLUSH, imm: 1, inline: [1, 2, 3, 4, 5, 6, 7, 8], ...target.at() }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_SGE_COUNT,
  },
];

function makeWorld(): World & { a: TestQp; b: TestQp } {
  const bed = new Testbed();
  const [a, b] = bed.pair();
  const otherPd = bed.commands.allocPd(bed.uar);
  const own = bed.region(64);
  own.fill(1);
  const readOnly = bed.region(64, { access: 0 });
  readOnly.fill(2);
  return { bed, a, b, own, readOnly, foreign: bed.region(64, { pd: otherPd }), target: bed.region(64) };
}

describe('a send WQE written by hand', () => {
  for (const { name, wqe, syndrome, vendorErr, faultKey, faultAddr } of cases) {
    it(`with ${name} fails, and fails nobody else`, () => {
      const world = makeWorld();
      const { bed, a, b } = world;
      // A failed check before this one must not shine through.
      const [c] = bed.pair();
      c.sendAndPoll({ sges: [{ ...world.foreign.sge(), key: 0x77777701 }] });
      a.writeSend(wqe(world));
      a.writeSend({ sges: [world.own.sge()], flags: 0 });
      a.ring();
      const [failed, flushed, ...more] = a.sendCq.poll();
      expect(failed).to.include({ qpn: a.number, index: 0, syndrome, vendorErr });
      expect(failed.faultKey, 'fault key').to.equal(faultKey?.(world) ?? 0);
      expect(failed.faultAddr, 'fault address').to.equal(faultAddr?.(world) ?? 0n);
      expect(flushed).to.include({ index: 1, syndrome: CqeSyndrome.WR_FLUSH_ERR, vendorErr: VendorErr.FLUSHED });
      expect(more).to.be.empty;
      expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.RTS]);
      expect(bed.events()).to.be.empty;
      expect(world.target.read().some((byte) => byte !== 0)).to.equal(false);
    });
  }

  it('that claims more than the ring holds is a fatal error, and the flush ends', () => {
    for (const claim of [17, 1000, TWO_31 - 1, -TWO_31, -1]) {
      const { bed, a, own } = makeWorld();
      a.writeSend({ sges: [own.sge()] });
      Atomics.store(bed.i32, a.record + QpDoorbellRecord.SQ_PRODUCER, claim);
      a.ring();
      const cqes = a.sendCq.poll();
      expect(cqes.map(({ index }) => index)).to.deep.equal(Array.from({ length: 16 }, (_, n) => n));
      expect(cqes.every((cqe) => cqe.syndrome === CqeSyndrome.WR_FLUSH_ERR)).to.equal(true);
      expect(bed.events()).to.deep.equal([[AsyncEvent.QP_FATAL, a.number]]);
      a.ring();
      expect(a.sendCq.poll().length).to.be.at.most(16);
    }
  });

  it('of any words at all leaves the memory of others alone', () => {
    const { bed, own, foreign, target } = makeWorld();
    foreign.fill(9);
    const before = foreign.read();
    const rings = bed.alloc(4096);
    const interesting = fc.oneof(
      fc.integer({ min: -TWO_31, max: TWO_31 - 1 }),
      fc.nat({ max: 16 }),
      fc.constantFrom(own.key, foreign.key, target.key, own.key + 1, Number(own.start & 0xffffffffn) | 0, 0x7f00),
    );
    fc.assert(
      fc.property(fc.array(interesting, { minLength: 32, maxLength: 32 }), (wqe) => {
        const [a, b] = bed.pair();
        a.writeSend({ words: Object.fromEntries(wqe.map((word, n) => [n, word])) });
        a.ring();
        expect([QpcState.RTS, QpcState.ERR]).to.include(a.state);
        expect(foreign.read()).to.deep.equal(before);
        expect(bed.machine.u8.slice(rings, rings + 4096).some((byte) => byte !== 0)).to.equal(false);
        for (const qp of [a, b]) qp.destroy();
      }),
      { numRuns: 300 },
    );
  });

  it('without SGEs, or with empty ones, is an empty message, whatever the keys', () => {
    const { a, b, own, target } = makeWorld();
    const empty = { ...own.sge(), key: NO_KEY, length: 0 };
    expect(a.sendAndPoll({ opcode: RDMA_WRITE, sges: [empty, empty], remote: 1n, rkey: NO_KEY })).to.have.length(1);
    expect(a.sendAndPoll({ opcode: RDMA_READ, remote: 1n, rkey: NO_KEY })[0]).to.include({ syndrome: 0, byteLen: 0 });
    b.recv([target.sge()]);
    expect(a.sendAndPoll({ opcode: SEND, sges: [empty] })[0]).to.include({ syndrome: 0 });
    expect(b.recvCq.poll()[0]).to.include({ syndrome: 0, byteLen: 0 });
  });

  it('is fetched once: what is in the ring afterwards does not matter', () => {
    const { bed, a, own, target } = makeWorld();
    // The message overwrites its own WQE while it is carried out.
    const ring = bed.machine;
    const wqeAddr = a.sendSlot(0) * 4;
    const overWqe = bed.commands.createMpt({
      uar: bed.uar,
      pd: bed.pd,
      access: Access.LOCAL_WRITE | Access.REMOTE_WRITE,
      startLo: 0,
      startHi: 0,
      length: 128,
      base: wqeAddr,
    });
    own.write(0, new Uint8Array(64).fill(0xff));
    const [cqe] = a.sendAndPoll({ opcode: RDMA_WRITE, sges: [own.sge(0, 32), own.sge(0, 32)], rkey: overWqe });
    expect(cqe).to.include({ syndrome: 0, opcode: 1, byteLen: 64 });
    expect(ring.u8.slice(wqeAddr, wqeAddr + 64).every((byte) => byte === 0xff)).to.equal(true);
    expect(target.read().some((byte) => byte !== 0)).to.equal(false);
  });
});
