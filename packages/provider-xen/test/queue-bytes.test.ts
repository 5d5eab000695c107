import { expect } from 'chai';
import type { DeviceAttr } from '@openverbs/verbs';
import { CQE_BYTES, RECV_WQE_BYTES_MIN, SEND_WQE_BYTES_MIN, SGE_BYTES } from '@openverbs/verbs/rings';
import { cqBytes, qpBytes, srqBytes } from '../src/backend/queue-bytes.ts';
import { INLINE_BYTES_MAX } from '../src/protocol/limits.ts';

const OVERHEAD = 4096;
const ATTR = { maxCqe: 1000, maxQpWr: 64, maxSge: 4, maxSrqWr: 32, maxSrqSge: 2 } as DeviceAttr;
const CAP = { maxSendWr: 8, maxRecvWr: 16, maxSendSge: 3, maxRecvSge: 2, maxInlineData: 0 };
const ANY = 0xffffffff;

/** Bytes of a send queue. */
function sends(count: number, payload: number): number {
  return count * (SEND_WQE_BYTES_MIN + payload);
}

/** Bytes of a receive queue. */
function receives(count: number, sges: number): number {
  return count * (RECV_WQE_BYTES_MIN + sges * SGE_BYTES);
}

describe('the bytes of a queue', () => {
  it('are those of a power of two of entries, one at least', () => {
    expect([0, 1, 5, 8].map((cqe) => (cqBytes(ATTR, cqe) - OVERHEAD) / CQE_BYTES)).to.deep.equal([1, 1, 8, 8]);
    expect([0, 5].map((maxWr) => srqBytes(ATTR, maxWr, 1) - OVERHEAD)).to.deep.equal([receives(1, 1), receives(8, 1)]);
  });

  it('have room for the SGEs or for the inline data of a send, whichever is more', () => {
    const of = (changes: object): number => qpBytes(ATTR, { ...CAP, ...changes }, false) - OVERHEAD;
    expect(of({})).to.equal(sends(8, 3 * SGE_BYTES));
    expect(of({ maxSendSge: 1, maxInlineData: 100 })).to.equal(sends(8, 100));
    expect(of({ maxSendSge: 2, maxInlineData: 4 })).to.equal(sends(8, 2 * SGE_BYTES));
  });

  it('are those of receives where the queue pair has them', () => {
    expect(qpBytes(ATTR, CAP, true) - qpBytes(ATTR, CAP, false)).to.equal(receives(16, 2));
  });

  it('are for no more than the device allows, whatever is asked for', () => {
    expect(cqBytes(ATTR, ANY)).to.equal(cqBytes(ATTR, ATTR.maxCqe));
    expect(srqBytes(ATTR, ANY, ANY)).to.equal(OVERHEAD + receives(32, 2));
    const all = { maxSendWr: ANY, maxRecvWr: ANY, maxSendSge: ANY, maxRecvSge: ANY, maxInlineData: 0 };
    expect(qpBytes(ATTR, all, true)).to.equal(OVERHEAD + sends(64, 4 * SGE_BYTES) + receives(64, 4));
    const inline = { ...CAP, maxInlineData: ANY };
    expect(qpBytes(ATTR, inline, false)).to.equal(OVERHEAD + sends(8, INLINE_BYTES_MAX));
  });
});
