/** Send WQEs that the requester itself must refuse, written by hand as a hostile program would. */
import { CqeSyndrome, SendWqe, VendorErr } from '@openverbs/verbs/rings';
import { Opcode, SendFlag } from '../../src/opcode.ts';
import type { Region } from './region.ts';
import { Testbed } from './testbed.ts';
import type { SendSpec, TestQp } from './test-qp.ts';

const { RDMA_WRITE, RDMA_READ, ATOMIC_FETCH_AND_ADD, ATOMIC_CMP_AND_SWP, ATOMIC_WRITE, FLUSH } = Opcode;
const { LOCAL_QP_OP_ERR, LOCAL_PROT_ERR, LOCAL_LENGTH_ERR } = CqeSyndrome;
const TWO_31 = 2 ** 31;

/** What a case finds: memory of its own PD, readable only, and of another PD. */
export interface World {
  readonly bed: Testbed;
  readonly own: Region;
  readonly readOnly: Region;
  readonly foreign: Region;
  readonly target: Region;
}

/** A WQE that the requester itself must refuse, and what its completion says. */
export interface HostileSend {
  readonly name: string;
  readonly wqe: (world: World) => SendSpec;
  readonly syndrome: number;
  readonly vendorErr: number;
  readonly faultKey?: (world: World) => number;
  readonly faultAddr?: (world: World) => bigint;
}

const badOpcodes = [10, 11, 12, 13, 16, 31, 255, 256, 65536, -1, -TWO_31, TWO_31 - 1];
/** A key that the device never gave. */
export const NO_KEY = 0x12345601;

/** Each fails by itself, whatever it is sent beside. */
export const HOSTILE_SENDS: readonly HostileSend[] = [
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
  ...[65, 128, 0x7fffffff, -1].map((length) =>
    badInlineLength(`${length} bytes of inline data where the QP allows 64`, RDMA_WRITE, length),
  ),
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
  ...[0, 4, 7, 9, 16].flatMap((length) => [
    badAtomicLength(
      `an atomic operation with ${length} bytes`,
      { opcode: ATOMIC_FETCH_AND_ADD, compareAdd: 1n },
      length,
    ),
    badAtomicLength(`an atomic write of ${length} bytes`, { opcode: ATOMIC_WRITE }, length),
  ]),
  ...[0, 7, 9, 64, 0x7fffffff, -1].map((length) =>
    badInlineLength(`an atomic write of ${length} bytes of inline data`, ATOMIC_WRITE, length),
  ),
  ...[0, 2, 255].map((count) => badSgeCount(`${count} SGEs for an atomic write`, { opcode: ATOMIC_WRITE }, count)),
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
  ...[1, 4, 255].map((count) => badSgeCount(`${count} SGEs for a flush`, { opcode: FLUSH, imm: 1 }, count)),
  {
    name: 'a flush with inline data',
    wqe: ({ target }) => ({ opcode: FLUSH, imm: 1, inline: [1, 2, 3, 4, 5, 6, 7, 8], ...target.at() }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_SGE_COUNT,
  },
];

/** Two connected QPs in a world of their own. */
export function makeWorld(): World & { readonly a: TestQp; readonly b: TestQp } {
  const bed = new Testbed();
  const [a, b] = bed.pair();
  const otherPd = bed.commands.allocPd(bed.uar);
  const own = bed.region(64);
  own.fill(1);
  const readOnly = bed.region(64, { access: 0 });
  readOnly.fill(2);
  return { bed, a, b, own, readOnly, foreign: bed.region(64, { pd: otherPd }), target: bed.region(64) };
}

/** The length word says another number of bytes of inline data than the WQE may have. */
function badInlineLength(name: string, opcode: number, length: number): HostileSend {
  return {
    name,
    wqe: ({ target }) => ({ opcode, inline: [1], words: { [SendWqe.INLINE_LENGTH]: length }, ...target.at() }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_INLINE_LENGTH,
    faultAddr: () => BigInt(length >>> 0),
  };
}

/** Atomic operations have 8 bytes. */
function badAtomicLength(name: string, spec: SendSpec, length: number): HostileSend {
  return {
    name,
    wqe: ({ own, target }) => ({ ...spec, sges: [own.sge(0, length)], ...target.at() }),
    syndrome: LOCAL_LENGTH_ERR,
    vendorErr: VendorErr.ATOMIC_LENGTH,
    faultAddr: () => BigInt(length),
  };
}

/** The flags word says that there are so many SGEs. */
function badSgeCount(name: string, spec: SendSpec, count: number): HostileSend {
  const words = { [SendWqe.FLAGS]: SendFlag.SIGNALED | (count << 8) };
  return {
    name,
    wqe: ({ target }) => ({ ...spec, words, ...target.at() }),
    syndrome: LOCAL_QP_OP_ERR,
    vendorErr: VendorErr.BAD_SGE_COUNT,
    faultAddr: () => BigInt(count),
  };
}
