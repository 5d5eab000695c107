import { expect } from 'chai';
import { CqeSyndrome, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { Qpc, QpcState } from '../src/layout.ts';
import { Access, Opcode } from '../src/opcode.ts';
import type { Region } from './support/region.ts';
import { Testbed } from './support/testbed.ts';
import type { SendSpec } from './support/test-qp.ts';

const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, RDMA_READ, ATOMIC_FETCH_AND_ADD, ATOMIC_WRITE, FLUSH } = Opcode;
const { REMOTE_ACCESS_ERR, REMOTE_INVAL_REQ_ERR } = CqeSyndrome;
const { QP_ACCESS_ERR, QP_REQ_ERR } = AsyncEvent;
const LENGTH = 64;

/** A request that the responder must refuse, and what both sides are told. */
interface Case {
  readonly name: string;
  readonly opcode: number;
  /** FLUSH: what it asks for. */
  readonly imm?: number;
  /** Access flags of the region that is asked for; all by default. */
  readonly access?: number;
  /** Words of the responder's QP context. */
  readonly peer?: readonly [word: number, value: number][];
  readonly place?: (target: Region) => Pick<SendSpec, 'remote' | 'rkey'>;
  readonly foreign?: boolean;
  readonly syndrome: number;
  readonly vendorErr: number;
  readonly event: number;
  /** Whether the completion names the key and the address. */
  readonly located?: boolean;
}

const denied = { syndrome: REMOTE_INVAL_REQ_ERR, event: QP_REQ_ERR };
const noAccess = { syndrome: REMOTE_ACCESS_ERR, event: QP_ACCESS_ERR, located: true };
const { REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, LOCAL_WRITE, FLUSH_GLOBAL, FLUSH_PERSISTENT } = Access;
const ALL = 15 | FLUSH_GLOBAL | FLUSH_PERSISTENT;

const kinds = [
  { name: 'a write', opcode: RDMA_WRITE, flag: REMOTE_WRITE, qp: VendorErr.QP_NO_REMOTE_WRITE, region: VendorErr.RKEY_NO_REMOTE_WRITE },
  { name: 'a write with immediate data', opcode: RDMA_WRITE_WITH_IMM, flag: REMOTE_WRITE, qp: VendorErr.QP_NO_REMOTE_WRITE, region: VendorErr.RKEY_NO_REMOTE_WRITE },
  { name: 'a read', opcode: RDMA_READ, flag: REMOTE_READ, qp: VendorErr.QP_NO_REMOTE_READ, region: VendorErr.RKEY_NO_REMOTE_READ },
  { name: 'an atomic write', opcode: ATOMIC_WRITE, flag: REMOTE_WRITE, qp: VendorErr.QP_NO_REMOTE_WRITE, region: VendorErr.RKEY_NO_REMOTE_WRITE },
  { name: 'a flush', opcode: FLUSH, flag: FLUSH_GLOBAL, qp: VendorErr.QP_NO_FLUSH_GLOBAL, region: VendorErr.RKEY_NO_FLUSH_GLOBAL },
  { name: 'a flush to persistence', opcode: FLUSH, imm: 2, flag: FLUSH_PERSISTENT, qp: VendorErr.QP_NO_FLUSH_PERSISTENT, region: VendorErr.RKEY_NO_FLUSH_PERSISTENT },
  { name: 'a flush of both kinds', opcode: FLUSH, imm: 3, flag: FLUSH_PERSISTENT, qp: VendorErr.QP_NO_FLUSH_PERSISTENT, region: VendorErr.RKEY_NO_FLUSH_PERSISTENT },
  { name: 'an atomic', opcode: ATOMIC_FETCH_AND_ADD, flag: REMOTE_ATOMIC, qp: VendorErr.QP_NO_REMOTE_ATOMIC, region: VendorErr.RKEY_NO_REMOTE_ATOMIC },
]; // prettier-ignore

const cases: readonly Case[] = kinds.flatMap(({ name, opcode, imm = 1, flag, qp, region }): Case[] => [
  { name: `${name} that the QP does not allow`, opcode, imm, peer: [[Qpc.ACCESS_FLAGS, ALL & ~flag]], vendorErr: qp, ...denied },
  { name: `${name} that the region does not allow`, opcode, imm, access: ALL & ~flag, vendorErr: region, ...noAccess },
  { name: `${name} to a key that is none`, opcode, imm, place: ({ start }) => ({ remote: start, rkey: 0x7701 }), vendorErr: VendorErr.BAD_RKEY, ...noAccess },
  { name: `${name} to a key of another PD`, opcode, imm, foreign: true, vendorErr: VendorErr.RKEY_PD_MISMATCH, ...noAccess },
  { name: `${name} beyond the end`, opcode, imm, place: (target) => target.at(LENGTH), vendorErr: VendorErr.RKEY_RANGE, ...noAccess },
  { name: `${name} before the beginning`, opcode, imm, place: ({ start, key }) => ({ remote: start - 8n, rkey: key }), vendorErr: VendorErr.RKEY_RANGE, ...noAccess },
]); // prettier-ignore

const others: readonly Case[] = [
  ...[RDMA_READ, ATOMIC_FETCH_AND_ADD, ATOMIC_WRITE, FLUSH].map((opcode) => ({
    name: `opcode ${opcode} of which the responder serves none at a time`,
    opcode,
    peer: [[Qpc.MAX_DEST_RD_ATOMIC, 0]] as [number, number][],
    vendorErr: VendorErr.RD_ATOMIC_LIMIT,
    ...denied,
  })),
];

/** What a request of this opcode has in the place of SGEs, or beside. */
function payload(opcode: number, own: Region): SendSpec {
  return opcode === FLUSH ? { flushLength: 8 } : { sges: [own.sge()], compareAdd: 1n };
}

describe('a request that the responder refuses', () => {
  for (const one of [...cases, ...others]) {
    it(`because it is ${one.name} ends both sides`, () => {
      const bed = new Testbed();
      const [a, b] = bed.pair({ recvCq: bed.cq() }, new Map(), new Map([[Qpc.ACCESS_FLAGS, ALL], ...(one.peer ?? [])]));
      const pd = one.foreign === true ? bed.commands.allocPd(bed.uar) : bed.pd;
      const target = bed.region(LENGTH, { access: one.access ?? ALL, pd });
      const before = target.fill(3);
      const own = bed.region(8);
      const ownBefore = own.fill(4);
      b.recv();
      const place = one.place?.(target) ?? target.at();
      const [cqe] = a.sendAndPoll({ opcode: one.opcode, ...payload(one.opcode, own), imm: one.imm ?? 1, ...place });
      expect(cqe).to.include({ syndrome: one.syndrome, vendorErr: one.vendorErr });
      expect([cqe.faultKey, cqe.faultAddr]).to.deep.equal(one.located === true ? [place.rkey, place.remote] : [0, 0n]);
      expect([a.state, b.state]).to.deep.equal([QpcState.ERR, QpcState.ERR]);
      expect(bed.events()).to.deep.equal([[one.event, b.number]]);
      expect(b.recvCq.poll().map(({ syndrome }) => syndrome)).to.deep.equal([CqeSyndrome.WR_FLUSH_ERR]);
      expect([target.read(), own.read()]).to.deep.equal([before, ownBefore]);
    });
  }

  it('because the two ends disagree on the MTU, once a message takes several packets', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair({}, new Map([[Qpc.PATH_MTU, 1]]), new Map([[Qpc.PATH_MTU, 2]]));
    const target = bed.region(4096);
    const own = bed.region(4096);
    expect(a.sendAndPoll({ opcode: RDMA_WRITE, sges: [own.sge(0, 256)], ...target.at() })[0].syndrome).to.equal(0);
    expect(a.sendAndPoll({ opcode: RDMA_WRITE, sges: [own.sge(0, 257)], ...target.at() })[0]).to.include({
      syndrome: REMOTE_INVAL_REQ_ERR,
      vendorErr: VendorErr.MTU_MISMATCH,
    });
    expect(b.state).to.equal(QpcState.ERR);
  });

  it('needs no key when it is empty', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    for (const opcode of [RDMA_WRITE, RDMA_READ]) {
      expect(a.sendAndPoll({ opcode, remote: 0n, rkey: 0 })[0]).to.include({ syndrome: 0, byteLen: 0 });
    }
  });

  it('allows what the flags allow, and LOCAL_WRITE for nobody from outside', () => {
    const bed = new Testbed();
    const target = bed.region(LENGTH, { access: LOCAL_WRITE });
    const [a] = bed.pair();
    expect(a.sendAndPoll({ opcode: RDMA_WRITE, inline: [1], ...target.at() })[0].syndrome).to.equal(REMOTE_ACCESS_ERR);
  });
});

describe('PSNs', () => {
  it('go around at 2^24, message by message', () => {
    const bed = new Testbed();
    const [a, b] = bed.pair();
    for (const [qp, word] of [[a, 'SQ_PSN'], [b, 'RQ_PSN']] as const) qp.setWord(word, 0xfffffe); // prettier-ignore
    const own = bed.region(8192);
    const target = bed.region(8192);
    const psns = [1, 1024, 1025, 8192, 0].map((length) => {
      const wqe = { opcode: RDMA_WRITE, sges: [own.sge(0, length)], ...target.at() };
      expect(a.sendAndPoll(wqe)[0].syndrome).to.equal(0);
      expect(b.word('RQ_PSN')).to.equal(a.word('SQ_PSN'));
      return a.word('SQ_PSN');
    });
    expect(psns).to.deep.equal([0xffffff, 0, 2, 10, 11]);
    expect(b.word('MSN')).to.equal(5);
  });
});
