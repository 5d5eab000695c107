/**
 * WQEs that no library would write. The device believes nothing: each ends in the completion that the specification names, the
 * QP goes to the error state, and nobody else notices (IBTA 10.8.3, 11.6.2).
 */
import { expect } from 'chai';
import { QpState, SendFlags, WcStatus, WrOpcode, type SendWrInit, type WcStatus as Status } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import { SendWqe, SgeWords } from '@openverbs/verbs/rings';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions } from '../bench/completions.ts';
import { IMPATIENT } from '../bench/connect.ts';
import { fillPattern, snapshot } from '../bench/payload.ts';
import { fetchAndAdd, read, send, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { Tampering, type Words } from '../bench/tampering.ts';
import { defineSuite } from '../define-suite.ts';

const { OPCODE, FLAGS, INLINE_LENGTH, RKEY, REMOTE_ADDR_HI, SGE } = SendWqe;
const SGE_ADDR_LO = SGE + SgeWords.ADDR_LO;
const SGE_ADDR_HI = SGE + SgeWords.ADDR_HI;
const SGE_LENGTH = SGE + SgeWords.LENGTH;
const SGE_LKEY = SGE + SgeWords.LKEY;
const { SIGNALED, INLINE } = SendFlags;
const { LOC_QP_OP_ERR, LOC_PROT_ERR, LOC_LEN_ERR, REM_ACCESS_ERR, WR_FLUSH_ERR } = WcStatus;

/** One way to spoil a WQE. */
interface Spoilt {
  readonly title: string;
  readonly needs?: readonly CapabilityName[];
  /** The request that is spoilt; a send when left out. */
  readonly request?: (a: Side, b: Side) => SendWrInit;
  readonly words: (a: Side) => Words;
  readonly status: Status | readonly Status[];
}

const aWrite = (a: Side, b: Side): SendWrInit => write(1, [a.sge(0, 8)], b);
const aRead = (a: Side, b: Side): SendWrInit => read(1, [a.sge(0, 8)], b);
const anAdd = (a: Side, b: Side): SendWrInit => fetchAndAdd(1, [a.sge(0, 8)], b, 0, 1n);

function sges(count: number, flags: number = SIGNALED): number {
  return flags | (count << 8);
}

const spoilt: readonly Spoilt[] = [
  ...[10, 13, 31, 32, 255, 0x102, 0x7fffffff, -1, -2147483648].map((opcode) => ({
    title: `opcode ${opcode}`,
    words: () => ({ [OPCODE]: opcode }),
    status: LOC_QP_OP_ERR,
  })),
  { title: '255 SGEs', words: () => ({ [FLAGS]: sges(255) }), status: LOC_QP_OP_ERR },
  { title: 'one SGE too many', words: (a) => ({ [FLAGS]: sges(a.qp.cap.maxSendSge + 1) }), status: LOC_QP_OP_ERR },
  ...[-1, -2147483648, 0x7fffffff, 65_536].map((length) => ({
    title: `${length} bytes of inline data`,
    words: () => ({ [FLAGS]: SIGNALED | INLINE, [INLINE_LENGTH]: length }),
    status: LOC_QP_OP_ERR,
  })),
  {
    title: 'one byte of inline data too many',
    words: (a) => ({ [FLAGS]: SIGNALED | INLINE, [INLINE_LENGTH]: a.qp.cap.maxInlineData + 1 }),
    status: LOC_QP_OP_ERR,
  },
  {
    title: 'a read with inline data',
    needs: ['rdmaRead'],
    request: aRead,
    words: () => ({ [FLAGS]: SIGNALED | INLINE, [INLINE_LENGTH]: 0 }),
    status: LOC_QP_OP_ERR,
  },
  {
    title: 'an atomic with inline data',
    needs: ['atomics'],
    request: anAdd,
    words: () => ({ [FLAGS]: SIGNALED | INLINE, [INLINE_LENGTH]: 8 }),
    status: LOC_QP_OP_ERR,
  },
  ...[0, 2, 255].map((count) => ({
    title: `an atomic with ${count} SGEs`,
    needs: ['atomics'] as const,
    request: anAdd,
    // The number is wrong, so is the length that it comes to; with two, the operands are taken for an SGE.
    words: () => ({ [FLAGS]: sges(count) }),
    status: [LOC_QP_OP_ERR, LOC_LEN_ERR, LOC_PROT_ERR],
  })),
  { title: 'an address above 4 GiB', words: () => ({ [SGE_ADDR_HI]: 1 }), status: LOC_PROT_ERR },
  { title: 'an address with the top bit set', words: () => ({ [SGE_ADDR_HI]: -2147483648 }), status: LOC_PROT_ERR },
  {
    title: 'an SGE across the end of the address space',
    words: () => ({ [SGE_ADDR_LO]: -4, [SGE_ADDR_HI]: -1 }),
    status: LOC_PROT_ERR,
  },
  {
    title: 'a length that wraps 32 bits back into the region',
    words: (a) => ({ [SGE_ADDR_LO]: (a.mr.addr + 4096) | 0, [SGE_LENGTH]: -4096 }),
    status: [LOC_LEN_ERR, LOC_PROT_ERR],
  },
  { title: 'a length of 2^32 - 1', words: () => ({ [SGE_LENGTH]: -1 }), status: LOC_LEN_ERR },
  { title: 'an lkey of all ones', words: () => ({ [SGE_LKEY]: -1 }), status: LOC_PROT_ERR },
  { title: 'an lkey with a wild index', words: (a) => ({ [SGE_LKEY]: a.mr.lkey ^ 0x40000000 }), status: LOC_PROT_ERR },
  {
    title: 'a write to an address with the top bit set',
    needs: ['rdmaWrite'],
    request: aWrite,
    words: () => ({ [REMOTE_ADDR_HI]: -2147483648 }),
    status: REM_ACCESS_ERR,
  },
  {
    title: 'a write with an rkey with a wild index',
    needs: ['rdmaWrite'],
    request: aWrite,
    words: () => ({ [RKEY]: 0x7fffff00 }),
    status: REM_ACCESS_ERR,
  },
];

/** A pair whose first side is tampered with. */
export function tamperedPair(bench: Bench): { a: Side; b: Side; tampering: Tampering } {
  const context = bench.open();
  const tampering = new Tampering(context);
  const maxInlineData = bench.supports('inlineData') ? 16 : 0;
  // Nothing waits: what the device makes of the WQE must come to an end.
  return {
    ...bench.pair({ a: { context }, cap: { maxInlineData }, connection: { ...IMPATIENT, rnrRetry: 0 } }),
    tampering,
  };
}

export const hostileWqeSuite = defineSuite('hostile-wqe', ['rc', 'directAccess'], (suite) => {
  for (const { title, needs = [], request, words, status } of spoilt) {
    suite.provokes(title, needs, async (bench) => {
      const { a, b, tampering } = tamperedPair(bench);
      fillPattern(a.bytes, 1);
      fillPattern(b.bytes, 2);
      const memory = [snapshot(a.bytes, 'memory here'), snapshot(b.bytes, 'memory there')];
      b.qp.postRecv({ wrId: 9, sgList: [b.sge()] });
      tampering.spoilNextSend(a.qp, words(a));
      a.qp.postSend(request === undefined ? send(1, [a.sge(0, 8)]) : request(a, b));
      a.qp.postSend(send(2, []));
      await expectCompletions(a.sendCq, { wrId: 1, status, qp: a.qp }, { wrId: 2, status: WR_FLUSH_ERR });
      expect(a.qp.query().attr.qpState).to.equal(QpState.ERR);
      for (const part of memory) part.expectUnchanged();
    });
  }

  suite.provokes('flags that mean nothing do no harm', async (bench) => {
    const { a, b, tampering } = tamperedPair(bench);
    fillPattern(a.bytes, 1);
    b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 8)] });
    tampering.spoilNextSend(a.qp, { [FLAGS]: sges(1) | 0xffff00e0 | 0 });
    a.qp.postSend(send(1, [a.sge(0, 8)]));
    await expectCompletions(a.sendCq, { wrId: 1, status: [WcStatus.SUCCESS, LOC_QP_OP_ERR] });
  });

  suite.provokes('a request that is changed into another one is that one', ['rdmaWrite'], async (bench) => {
    const { a, b, tampering } = tamperedPair(bench);
    // The device looks at the WQE only: what the library thinks of it does not count, and the QP's rights still do.
    tampering.spoilNextSend(a.qp, { [OPCODE]: WrOpcode.RDMA_WRITE, [RKEY]: b.mr.rkey | 0, [REMOTE_ADDR_HI]: 0 });
    a.qp.postSend(send(1, [a.sge(0, 8)], { remoteAddr: 0 }));
    await expectCompletions(a.sendCq, { wrId: 1, status: REM_ACCESS_ERR });
  });
});
