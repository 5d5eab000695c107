import { expect } from 'chai';
import { Errno } from '../src/errors.ts';
import { RecvWr } from '../src/recv-wr.ts';
import { RecvWqe, SRQ_DOORBELL_RECORD_BYTES, SrqDoorbellRecord, srqRingBytes } from '../src/rings/layout.ts';
import { RingSharedReceiveQueue } from '../src/rings/ring-shared-receive-queue.ts';
import type { SrqRings } from '../src/rings/rings.ts';

const WQE_LOG2_BYTES = 6;

function ringsAt(i32: Int32Array, addr: number, log2Count: number, maxWr = 2 ** log2Count): SrqRings {
  const ringAddr = addr + SRQ_DOORBELL_RECORD_BYTES;
  const wqeAddr = ringAddr + srqRingBytes(log2Count);
  const shape = { log2Count, wqeLog2Bytes: WQE_LOG2_BYTES, maxWr, maxSge: 3 };
  return { kind: 'rings', i32, doorbellRecordAddr: addr, ringAddr, wqeAddr, ...shape };
}

function makeQueue(log2Count = 2, maxWr?: number) {
  const i32 = new Int32Array(new SharedArrayBuffer(16384));
  const rings = ringsAt(i32, 1024, log2Count, maxWr);
  const queue = new RingSharedReceiveQueue(rings);
  const entry = (index: number): number => i32[(rings.ringAddr >>> 2) + (index & (2 ** log2Count - 1))];
  const producer = (): number => i32[(rings.doorbellRecordAddr >>> 2) + SrqDoorbellRecord.PRODUCER];
  const wqe = (slot: number): number => (rings.wqeAddr >>> 2) + (slot << (WQE_LOG2_BYTES - 2));
  return { i32, rings, queue, entry, producer, wqe };
}

const chain = (...wrIds: number[]): RecvWr =>
  wrIds.reduceRight<RecvWr | null>((next, wrId) => new RecvWr({ wrId, next }), null)!;

describe('the ring of a shared receive queue', () => {
  it('names WQEs by slots that are free, in the order of the posts', () => {
    const { i32, queue, entry, producer, wqe } = makeQueue();
    const sgList = [{ addr: 0x123456789abc, length: 2 ** 31, lkey: 0xfffffff1 }];
    expect(queue.post(new RecvWr({ wrId: 2 ** 40, sgList }))).to.equal(0);
    expect(queue.post(chain(2, 3, 4))).to.equal(0);
    expect([entry(0), entry(1), entry(2), entry(3), producer()]).to.deep.equal([0, 1, 2, 3, 4]);
    const at = wqe(0);
    expect([i32[at + RecvWqe.SGE_COUNT], ...i32.slice(at + RecvWqe.SGE, at + RecvWqe.SGE + 4)]).to.deep.equal([
      1, 0x56789abc, 0x1234, -2147483648, -15,
    ]);
    expect([queue.complete(2), queue.complete(0)]).to.deep.equal([3, 2 ** 40]);
    expect(queue.post(chain(5, 6))).to.equal(0);
    expect([entry(4), entry(5)]).to.deep.equal([0, 2]);
    expect([queue.complete(0), queue.complete(2), queue.complete(1)]).to.deep.equal([5, 6, 2]);
  });

  it('is full at what was asked for, however large it is', () => {
    const { queue, producer } = makeQueue(2, 3);
    expect(queue.post(chain(1, 2, 3, 4))).to.equal(Errno.ENOMEM);
    expect([queue.badWrIndex, producer()]).to.deep.equal([3, 3]);
    queue.complete(1);
    expect(queue.post(chain(5))).to.equal(0);
    expect(queue.post(chain(6))).to.equal(Errno.ENOMEM);
  });

  it('takes what comes before a work request that is wrong', () => {
    const { queue, producer } = makeQueue();
    const bad = chain(1, 2, 3);
    bad.next!.sgList = [0, 0, 0, 0].map(() => ({ addr: 0, length: 0, lkey: 0 }));
    expect(queue.post(bad)).to.equal(Errno.EINVAL);
    expect([queue.badWrIndex, producer()]).to.deep.equal([1, 1]);
    bad.next!.sgList = undefined as never;
    expect(queue.post(bad)).to.equal(Errno.EINVAL);
    expect([queue.badWrIndex, producer()]).to.deep.equal([1, 2]);
    queue.setReady(false);
    expect(queue.post(chain(1))).to.equal(Errno.EINVAL);
    queue.reset();
  });

  it('frees a slot once, and none that is not posted', () => {
    const { queue } = makeQueue();
    queue.post(chain(7, 8));
    expect([queue.complete(0), queue.complete(0), queue.complete(3)]).to.deep.equal([7, 0, 0]);
    expect([queue.complete(4), queue.complete(-1), queue.complete(1 << 30)]).to.deep.equal([0, 0, 0]);
    expect(queue.post(chain(1, 2, 3))).to.equal(0);
    expect(queue.post(chain(4))).to.equal(Errno.ENOMEM);
  });

  it('keeps slots and indices when it moves to a larger ring, and takes fewer when it shrinks', () => {
    const { i32, queue, rings } = makeQueue();
    queue.post(chain(1, 2, 3, 4));
    queue.complete(1);
    const larger = ringsAt(i32, 8192, 3, 6);
    queue.rebind(larger);
    expect(queue.post(chain(5, 6, 7))).to.equal(0);
    expect(queue.post(chain(8))).to.equal(Errno.ENOMEM);
    const ring = larger.ringAddr >>> 2;
    expect(i32[ring + 4], 'the lowest new slot first').to.equal(4);
    expect(i32[(larger.doorbellRecordAddr >>> 2) + SrqDoorbellRecord.PRODUCER]).to.equal(7);
    expect([queue.complete(0), queue.complete(3), queue.complete(4)]).to.deep.equal([1, 4, 5]);
    queue.rebind({ ...larger, maxWr: 3 });
    expect(queue.post(chain(9))).to.equal(Errno.ENOMEM);
    expect(rings.maxWr).to.equal(4);
  });
});
