import { expect } from 'chai';
import { BackRing, FrontRing, ringSize, RingTake, SharedRing } from '../src/index.ts';
import { expectError } from './support/testbed.ts';

const WORDS = 16;
const page = (): { i32: Int32Array; word: number } => ({
  i32: new Int32Array(new SharedArrayBuffer(8192)),
  word: 1024,
});

function rings(): { memory: ReturnType<typeof page>; front: FrontRing; back: BackRing; into: Int32Array } {
  const memory = page();
  const front = new FrontRing(memory, WORDS);
  return { memory, front, back: new BackRing(memory, WORDS), into: new Int32Array(WORDS) };
}

describe('shared ring', () => {
  it('has as many entries as a power of two that fits', () => {
    expect([1, 8, 16, 28, 63, 64, 1008].map(ringSize)).to.deep.equal([512, 64, 32, 32, 16, 8, 1]);
    for (const words of [0, -1, 1009, 1.5, NaN]) expectError(() => ringSize(words), 'EINVAL');
  });

  it('lays its head out as Xen does', () => {
    const { memory, front } = rings();
    expect([...memory.i32.subarray(1024, 1028)]).to.deep.equal([0, 1, 0, 1]);
    front.putRequest([5, 6]);
    front.pushRequests();
    expect([...memory.i32.subarray(1024, 1028)]).to.deep.equal([1, 1, 0, 1]);
    expect([...memory.i32.subarray(1024 + 16, 1024 + 18)]).to.deep.equal([5, 6]);
  });

  it('carries requests and responses through many turns of the ring', () => {
    const { front, back, into } = rings();
    let [asked, answered] = [0, 0];
    for (let turn = 0; turn < 200; turn++) {
      while (front.freeRequests > 0 && front.putRequest([asked, ~asked])) asked++;
      front.pushRequests();
      for (let n = 0; n <= turn % 32 && back.takeRequest(into) === RingTake.TAKEN; n++) {
        expect(into[1]).to.equal(~into[0]);
        expect(back.putResponse([into[0] * 2])).to.be.true;
      }
      back.pushResponses();
      while (front.takeResponse(into) === RingTake.TAKEN) expect(into[0]).to.equal(2 * answered++);
    }
    expect(asked).to.be.greaterThan(1000);
  });

  it('is full with as many requests as entries, and takes no response without a request', () => {
    const { front, back, into } = rings();
    for (let n = 0; n < 32; n++) expect(front.putRequest([n])).to.be.true;
    expect(front.putRequest([32])).to.be.false;
    expect(back.takeRequest(into)).to.equal(RingTake.NONE);
    expect(back.putResponse([1])).to.be.false;
    front.pushRequests();
    back.takeRequest(into);
    expect(back.putResponse([1])).to.be.true;
    expect(back.putResponse([1])).to.be.false;
    expectError(() => back.takeRequest(into) && back.putResponse(new Array(17).fill(0)), 'EINVAL');
  });

  it('refuses a request while each entry has one that is not answered', () => {
    const { front, back, into } = rings();
    for (let n = 0; n < front.size; n++) front.putRequest([n]);
    front.pushRequests();
    expect(front.putRequest([-1])).to.be.false;
    for (let n = 0; n < front.size; n++) {
      back.takeRequest(into);
      expect(into[0]).to.equal(n);
    }
  });

  it('asks for an event only when the other side waits', () => {
    const { front, back, into } = rings();
    front.putRequest([1]);
    expect(front.pushRequests()).to.be.true;
    front.putRequest([2]);
    expect(front.pushRequests()).to.be.false;
    expect(back.finalCheckForRequests()).to.be.true;
    back.takeRequest(into);
    back.takeRequest(into);
    expect(back.finalCheckForRequests()).to.be.false;
    front.putRequest([3]);
    front.putRequest([4]);
    expect(front.pushRequests()).to.be.true;
    back.putResponse([1]);
    expect(back.pushResponses()).to.be.true;
    back.putResponse([2]);
    expect(back.pushResponses()).to.be.false;
    expect(front.finalCheckForResponses()).to.be.true;
  });

  it('notices an index that ran away, and looks at nothing behind it', () => {
    for (const runaway of [33, 100, -1, 0x7fffffff, -0x80000000]) {
      const { memory, back, into } = rings();
      memory.i32[memory.word + SharedRing.REQ_PROD] = runaway;
      expect(back.takeRequest(into)).to.equal(RingTake.OVERFLOW);
      expect([...into]).to.deep.equal(new Array(WORDS).fill(0));
    }
    for (const runaway of [2, -1, 1000]) {
      const { memory, front, into } = rings();
      front.putRequest([1]);
      front.pushRequests();
      memory.i32[memory.word + SharedRing.RSP_PROD] = runaway;
      expect(front.takeResponse(into)).to.equal(RingTake.OVERFLOW);
    }
  });

  it('counts requests that are not answered against the room', () => {
    const { memory, front, back, into } = rings();
    for (let n = 0; n < 32; n++) front.putRequest([n]);
    front.pushRequests();
    for (let n = 0; n < 32; n++) expect(back.takeRequest(into)).to.equal(RingTake.TAKEN);
    expect(back.takeRequest(into)).to.equal(RingTake.NONE);
    memory.i32[memory.word + SharedRing.REQ_PROD]++;
    expect(back.takeRequest(into)).to.equal(RingTake.OVERFLOW);
  });

  it('copies a request out once, so that changing it later changes nothing', () => {
    const { memory, front, back, into } = rings();
    front.putRequest([1, 2, 3]);
    front.pushRequests();
    back.takeRequest(into);
    memory.i32.fill(-1, 1024 + 16);
    expect([...into.subarray(0, 3)]).to.deep.equal([1, 2, 3]);
  });
});
