import { expect } from 'chai';
import fc from 'fast-check';
import { QP_DOORBELL_RECORD_BYTES } from '@openverbs/verbs/rings';
import { checkCqSize, checkQpInit } from '../../src/command-checks.ts';
import { cqGeometry, qpGeometry } from '../../src/driver/ring-geometry.ts';
import { CQE_MAX, INLINE_BYTES_MAX, QP_WR_MAX, SGES_MAX } from '../../src/limits.ts';
import { expectDeviceError } from '../support/testbed.ts';

const LEAST = { maxSendWr: 0, maxRecvWr: 0, maxSendSge: 0, maxRecvSge: 0, maxInlineData: 0 };
const MOST = {
  maxSendWr: QP_WR_MAX,
  maxRecvWr: QP_WR_MAX,
  maxSendSge: SGES_MAX,
  maxRecvSge: SGES_MAX,
  maxInlineData: INLINE_BYTES_MAX,
};

const caps = fc.record({
  maxSendWr: fc.nat({ max: QP_WR_MAX }),
  maxRecvWr: fc.nat({ max: QP_WR_MAX }),
  maxSendSge: fc.nat({ max: SGES_MAX }),
  maxRecvSge: fc.nat({ max: SGES_MAX }),
  maxInlineData: fc.nat({ max: INLINE_BYTES_MAX }),
});

describe('the geometry of a QP', () => {
  it('holds all that was asked for, in powers of two that the device takes', () => {
    fc.assert(
      fc.property(fc.oneof(caps, fc.constantFrom(LEAST, MOST)), (asked) => {
        const { cap, bytes, ...rings } = qpGeometry(asked);
        for (const key of Object.keys(asked) as (keyof typeof asked)[]) expect(cap[key]).to.be.at.least(asked[key]);
        expect(2 ** rings.sqLog2Count).to.be.at.least(Math.max(cap.maxSendWr, 1));
        expect(2 ** rings.rqLog2Count).to.be.at.least(Math.max(cap.maxRecvWr, 1));
        const init = {
          uar: 1,
          pd: 1,
          type: 2,
          bufferKey: 1,
          sendCqn: 1,
          recvCqn: 1,
          ...cap,
          ...rings,
        };
        checkQpInit({ ...init, maxInline: cap.maxInlineData });
        const ringBytes = 2 ** (rings.sqLog2Count + rings.sqLog2Bytes) + 2 ** (rings.rqLog2Count + rings.rqLog2Bytes);
        expect(bytes).to.equal(QP_DOORBELL_RECORD_BYTES + ringBytes);
      }),
    );
  });

  it('names the limit that was passed', () => {
    for (const key of Object.keys(MOST) as (keyof typeof MOST)[]) {
      expectDeviceError(
        () => qpGeometry({ ...LEAST, [key]: MOST[key] + 1 }),
        'EINVAL',
        new RegExp(`${key} is ${MOST[key] + 1}`),
      );
    }
  });
});

describe('the geometry of a CQ', () => {
  it('is the next power of two', () => {
    const sizes = [1, 2, 3, 4, 5, 1000, 1024, 1025, CQE_MAX].map((cqe) => 2 ** cqGeometry(cqe).log2Count);
    expect(sizes).to.deep.equal([1, 2, 4, 4, 8, 1024, 1024, 2048, CQE_MAX]);
    for (const cqe of [1, 3, CQE_MAX]) checkCqSize(cqGeometry(cqe).log2Count);
    expect(cqGeometry(3).bytes).to.equal(128 + 4 * 64);
  });

  it('has limits', () => {
    for (const cqe of [0, -1, CQE_MAX + 1]) expectDeviceError(() => cqGeometry(cqe), 'EINVAL', new RegExp(`${cqe}`));
  });
});
