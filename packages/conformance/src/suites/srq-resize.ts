/** Resizing SRQs (ibv_modify_srq with IBV_SRQ_MAX_WR). */
import { expect } from 'chai';
import { completions, expectCompletions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import { share, type Sharing } from '../bench/sharing.ts';
import { defineSuite } from '../define-suite.ts';

/** Posts receives with these wrIds. */
function post({ srq }: Sharing, from: number, to: number): void {
  srq.postRecv(Array.from({ length: to - from }, (_, n) => ({ wrId: from + n })));
}

/** Has messages take so many receives. */
async function take({ pairs }: Sharing, count: number, at = 0): Promise<void> {
  for (let n = 0; n < count; n++) {
    pairs[at].a.qp.postSend(send(n, []));
    await expectCompletions(pairs[at].a.sendCq, { wrId: n });
  }
}

/** Polls completions of these wrIds, in this order. */
async function expectWrIds({ pairs }: Sharing, from: number, to: number, at = 0): Promise<void> {
  const found = await completions(pairs[at].b.recvCq, to - from);
  expect(found.map(({ wrId }) => wrId)).to.deep.equal(Array.from({ length: to - from }, (_, n) => from + n));
}

export const srqResizeSuite = defineSuite('srq-resize', ['rc', 'srq', 'srqResize'], (suite) => {
  suite.works('grows and shrinks', (bench) => {
    const { srq } = share(bench, { count: 0 });
    for (const maxWr of [9, 100, 1000, 50, 1, 300]) {
      srq.modify({ maxWr });
      expect(srq.maxWr).to.be.at.least(maxWr);
      expect(srq.query().maxWr).to.equal(srq.maxWr);
    }
  });

  suite.works('keeps what is posted and what was not polled, and has room for more', async (bench) => {
    const sharing = share(bench, { attr: { maxWr: 4 } });
    // The indices are somewhere in the middle of the ring, the slots in another order than at first.
    post(sharing, 0, 4);
    await take(sharing, 1);
    await take(sharing, 2, 1);
    await expectWrIds(sharing, 1, 3, 1);
    await expectWrIds(sharing, 0, 1);
    post(sharing, 4, 7);
    await take(sharing, 2);
    sharing.srq.modify({ maxWr: 64 });
    post(sharing, 7, 60);
    await take(sharing, 55);
    await expectWrIds(sharing, 3, 60);
    post(sharing, 100, 164);
    await take(sharing, 64, 1);
    await expectWrIds(sharing, 100, 164, 1);
  });

  suite.works('shrunk, it takes as many as it says', async (bench) => {
    const sharing = share(bench, { attr: { maxWr: 16 } });
    const { srq } = sharing;
    srq.modify({ maxWr: 4 });
    post(sharing, 0, srq.maxWr);
    expectError('ENOMEM', () => {
      srq.postRecv({ wrId: 99 });
    });
    await take(sharing, srq.maxWr);
    await expectWrIds(sharing, 0, srq.maxWr);
  });

  suite.provokes('a size that is out of range, or less than is posted', async (bench) => {
    const sharing = share(bench);
    const { srq, context } = sharing;
    post(sharing, 0, 6);
    const { maxWr: before } = srq;
    for (const maxWr of [0, -1, 2.5, context.queryDevice().maxSrqWr + 1]) {
      expectError('EINVAL', () => {
        srq.modify({ maxWr });
      });
    }
    expectError('EINVAL', () => {
      srq.modify({ maxWr: 5 });
    });
    expect([srq.maxWr, srq.query().maxWr]).to.deep.equal([before, before]);
    await take(sharing, 6);
    await expectWrIds(sharing, 0, 6);
  });

  suite.provokes('all of a modify or nothing', (bench) => {
    const { srq } = share(bench, { count: 0 });
    srq.modify({ srqLimit: 6 });
    const { maxWr, srqLimit } = srq.query();
    expectError('EINVAL', () => {
      srq.modify({ maxWr: 100, srqLimit: 101 });
    });
    expectError('EINVAL', () => {
      srq.modify({ maxWr: 4 }); // less than the limit that is armed
    });
    expect(srq.query()).to.include({ maxWr, srqLimit });
    srq.modify({ maxWr: 100, srqLimit: 99 });
    expect(srq.query()).to.include({ srqLimit: 99 });
  });
});
