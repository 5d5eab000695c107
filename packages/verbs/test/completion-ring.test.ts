import { expect } from 'chai';
import fc from 'fast-check';
import { QpState } from '../src/enums/qp.ts';
import { WcFlags, WcOpcode, WcStatus } from '../src/enums/wc.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { CqeSyndrome } from '../src/rings/layout.ts';
import { QpTable } from '../src/rings/qp-table.ts';
import { RingCompletionQueue, STATUS_OF_SYNDROME } from '../src/rings/ring-completion-queue.ts';
import { VendorErr } from '../src/rings/vendor-err.ts';
import { NO_QP, QpSlots, WorkQueueSlots } from '../src/rings/work-queue-slots.ts';
import { WorkCompletion } from '../src/work-completion.ts';
import { openConnected } from './support/connected.ts';
import { FakeDevice } from './support/fake-device.ts';
import { errorOf, openFake } from './support/fake-provider.ts';
import { FakeCq } from './support/fake-rings.ts';

/** A ring without objects around it, with some QPs whose wrIds are their index. */
function makeRing(cqe: number, qpNums: readonly number[]) {
  const device = new FakeDevice();
  const fake = new FakeCq(device.memory, 1, cqe, device, () => undefined);
  const qps = new QpTable();
  for (const qpNum of qpNums) {
    const slots = new WorkQueueSlots(8);
    for (let i = 0; i < 256; i++) slots.wrIds[i] = i;
    qps.add(new QpSlots(qpNum, slots, slots, null));
  }
  return { device, fake, qps, ring: new RingCompletionQueue(fake.rings, qps), wcs: WorkCompletion.array(64) };
}

/** What a poll finds, as QP numbers and wrIds. */
function pollAll(ring: RingCompletionQueue, wcs: WorkCompletion[]): [number, number][] {
  return wcs.slice(0, ring.poll(wcs, wcs.length)).map(({ qpNum, wrId }) => [qpNum, wrId]);
}

describe('polling a ring', () => {
  it('fills every field of a completion', () => {
    const { fake, ring, wcs } = makeRing(4, [7]);
    fake.complete({
      QPN: 7,
      WQE_INDEX: 3,
      OPCODE: WcOpcode.RECV,
      BYTE_LEN: -1,
      IMM: -2,
      SRC_QPN: 0xabcdef,
      FLAGS: WcFlags.GRH | WcFlags.WITH_IMM | (0xa << 8) | (0xfedc << 16),
      PKEY_INDEX: 0x1234 | (0x56 << 16),
    });
    expect(ring.poll(wcs, 1)).to.equal(1);
    expect(wcs[0]).to.deep.include({
      wrId: 3,
      status: 0,
      opcode: WcOpcode.RECV,
      vendorErr: 0,
      byteLen: 0xffffffff,
      immData: 0xfffffffe,
      qpNum: 7,
      srcQp: 0xabcdef,
      wcFlags: 3,
      sl: 0xa,
      slid: 0xfedc,
      pkeyIndex: 0x1234,
      dlidPathBits: 0x56,
      faultKey: 0,
      faultAddr: 0,
    });
  });

  it('keeps the room of what was polled until it is given back, also over a clean and a resize', () => {
    const { fake, ring, wcs } = makeRing(4, [7, 8]);
    ring.keepRoom();
    ring.keepRoom(); // a second time is none
    for (const QPN of [7, 8, 7, 8]) fake.complete({ QPN });
    ring.keep(ring.poll(wcs, 2));
    expect(fake.consumer, 'nothing was given back').to.equal(0);
    expect(() => fake.complete({ QPN: 7 })).to.throw('CQ overrun');
    ring.giveBack(1);
    expect(fake.consumer).to.equal(1);
    ring.clean(7);
    expect(fake.consumer, 'what was cleaned has no room').to.equal(2);
    for (const QPN of [7, 7]) fake.complete({ QPN });
    ring.rebind(fake.resize(8));
    for (let n = 0; n < 4; n++) fake.complete({ QPN: 7 });
    expect(() => fake.complete({ QPN: 7 })).to.throw('CQ overrun');
    const n = ring.poll(wcs, 64);
    ring.keep(n);
    expect(wcs.slice(0, n).map(({ qpNum }) => qpNum)).to.deep.equal([8, 7, 7, 7, 7, 7, 7]);
    expect(fake.consumer).to.equal(2);
    ring.giveBack(n + 1);
    expect(fake.consumer).to.equal(fake.producer);
  });

  it('passes over what is of no QP without keeping its room', () => {
    const { fake, ring, wcs } = makeRing(4, [7]);
    ring.keepRoom();
    for (const QPN of [9, 7, 9]) fake.complete({ QPN });
    ring.keep(ring.poll(wcs, 4));
    expect(fake.producer - fake.consumer).to.equal(1);
  });

  it('tells why one failed, and nothing of it in the next', () => {
    const { fake, ring, wcs } = makeRing(4, [7]);
    const fault = { VENDOR_ERR: VendorErr.RKEY_RANGE, FAULT_KEY: -256, FAULT_ADDR_LO: -1, FAULT_ADDR_HI: 0x1fffff };
    fake.complete({ QPN: 7, SYNDROME: CqeSyndrome.REMOTE_ACCESS_ERR, ...fault });
    expect(ring.poll(wcs, 1)).to.equal(1);
    expect(wcs[0]).to.include({
      status: WcStatus.REM_ACCESS_ERR,
      vendorErr: 6,
      faultKey: 0xffffff00,
      faultAddr: 2 ** 53 - 1,
    });
    fake.complete({ QPN: 7 });
    expect(ring.poll(wcs, 1)).to.equal(1);
    expect(wcs[0]).to.include({ status: WcStatus.SUCCESS, vendorErr: 0, faultKey: 0, faultAddr: 0 });
  });

  it('translates every syndrome', () => {
    const { fake, ring, wcs } = makeRing(4, [7]);
    const table = new Map(STATUS_OF_SYNDROME);
    expect([...table.keys()]).to.have.members(Object.values(CqeSyndrome));
    for (let syndrome = 0; syndrome < 256; syndrome++) {
      fake.complete({ QPN: 7, SYNDROME: syndrome });
      expect(ring.poll(wcs, 1)).to.equal(1);
      expect(wcs[0].status).to.equal(table.get(syndrome) ?? WcStatus.GENERAL_ERR);
    }
  });

  it('runs the device when it finds nothing, and looks once more', () => {
    const { device, fake, ring, wcs } = makeRing(4, [7]);
    expect(ring.poll(wcs, 4)).to.equal(0);
    expect(device.idles).to.equal(1);
    device.onIdle = () => fake.complete({ QPN: 7 });
    expect(ring.poll(wcs, 4)).to.equal(1);
    fake.complete({ QPN: 7 });
    expect(ring.poll(wcs, 4)).to.equal(1);
    expect(device.idles).to.equal(2);
  });

  it('skips completions of QPs that are gone', () => {
    const { fake, qps, ring, wcs } = makeRing(8, [7, 0x7007, 0xffffff]);
    for (const QPN of [7, 0x7007, 9, -1, 7, 0xffffff]) fake.complete({ QPN });
    qps.remove(0x7007);
    expect(pollAll(ring, wcs)).to.deep.equal([
      [7, 0],
      [7, 0],
      [0xffffff, 0],
    ]);
    expect(fake.consumer).to.equal(6);
    expect(qps.get(123456)).to.equal(NO_QP);
  });

  it('stores the consumer once, and keeps to the limit', () => {
    const { fake, ring, wcs } = makeRing(8, [7]);
    for (let i = 0; i < 8; i++) fake.complete({ QPN: 7, WQE_INDEX: i });
    expect(ring.poll(wcs, 3)).to.equal(3);
    expect(fake.consumer).to.equal(3);
    expect(ring.poll(wcs, 0)).to.equal(0);
    expect(fake.consumer).to.equal(3);
    expect(pollAll(ring, wcs).map(([, wrId]) => wrId)).to.deep.equal([3, 4, 5, 6, 7]);
  });

  it('finds what was produced, in order, whatever the lap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 16 })), { maxLength: 60 }),
        (log2, steps) => {
          const { fake, ring, wcs } = makeRing(2 ** log2, [7]);
          let produced = 0;
          let consumed = 0;
          for (const [produce, limit] of steps) {
            for (let i = 0; i < produce && produced - consumed < fake.entries; i++) {
              fake.complete({ QPN: 7, WQE_INDEX: produced++ });
            }
            const n = ring.poll(wcs, limit);
            expect(n).to.equal(Math.min(limit, produced - consumed));
            for (let i = 0; i < n; i++) expect(wcs[i].wrId).to.equal(consumed++ & 255);
          }
        },
      ),
    );
  });
});

describe('cleaning a ring', () => {
  it('removes the completions of one QP and keeps the others, in order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.constantFrom(7, 8, 9), { maxLength: 16 }),
        fc.array(fc.constantFrom(7, 8, 9), { maxLength: 16 }),
        (lead, before, after) => {
          const { fake, ring, wcs } = makeRing(16, [7, 8, 9]);
          for (let i = 0; i < lead; i++) {
            fake.complete({ QPN: 8 });
            ring.poll(wcs, 1);
          }
          for (const [i, QPN] of before.entries()) fake.complete({ QPN, WQE_INDEX: i });
          ring.clean(7);
          const kept = before.flatMap((qpn, i): [number, number][] => (qpn === 7 ? [] : [[qpn, i]]));
          expect((fake.producer - fake.consumer) | 0).to.equal(kept.length);
          // The device goes on behind what it had produced, also over the places that became free.
          const more = after.slice(0, 16 - kept.length);
          for (const [i, QPN] of more.entries()) fake.complete({ QPN, WQE_INDEX: 100 + i });
          expect(pollAll(ring, wcs)).to.deep.equal([...kept, ...more.map((qpn, i) => [qpn, 100 + i])]);
          expect(ring.poll(wcs, 1)).to.equal(0);
        },
      ),
    );
  });

  it('gives an SRQ back what the removed receives took', () => {
    const { fake, qps, ring } = makeRing(8, []);
    const freed: number[] = [];
    const srq = { complete: (index: number) => freed.push(index) };
    qps.add(new QpSlots(7, new WorkQueueSlots(2), new WorkQueueSlots(2), srq));
    fake.complete({ QPN: 7, WQE_INDEX: 1, OPCODE: WcOpcode.SEND });
    fake.complete({ QPN: 7, WQE_INDEX: 2, OPCODE: WcOpcode.RECV });
    fake.complete({ QPN: 7, WQE_INDEX: 3, OPCODE: WcOpcode.RECV_RDMA_WITH_IMM });
    ring.clean(7);
    expect(freed).to.have.members([2, 3]);
  });

  it('asks an SRQ for the wrId of a receive', () => {
    const { fake, qps, ring, wcs } = makeRing(8, []);
    const send = new WorkQueueSlots(2);
    send.wrIds[1] = 77;
    qps.add(new QpSlots(7, send, new WorkQueueSlots(2), { complete: (index) => 2 ** 40 + index }));
    fake.complete({ QPN: 7, WQE_INDEX: 2, OPCODE: WcOpcode.RECV });
    fake.complete({ QPN: 7, WQE_INDEX: 1, OPCODE: WcOpcode.SEND });
    expect(pollAll(ring, wcs)).to.deep.equal([
      [7, 2 ** 40 + 2],
      [7, 77],
    ]);
  });
});

describe('a QP that is reset or destroyed', () => {
  const write = { opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED };

  it('takes its completions along', () => {
    const { a, b, cq, wcs } = openConnected();
    for (const qp of [a, b, a, b, b]) qp.postSend({ ...write, wrId: qp.qpNum });
    a.modify({ qpState: QpState.RESET });
    expect(cq.poll(wcs, 2)).to.equal(2);
    expect([wcs[0].qpNum, wcs[1].qpNum]).to.deep.equal([b.qpNum, b.qpNum]);
    b.destroy();
    expect(cq.poll(wcs)).to.equal(0);
  });

  it('begins anew after a reset', () => {
    const { a, b, cq, wcs } = openConnected({ depth: 5 });
    const cycle = (): void => {
      for (let i = 0; i < 5; i++) a.postSend({ ...write, wrId: i });
      for (let i = 0; i < 4; i++) a.postRecv({ wrId: i });
      expect(errorOf(() => a.postSend(write)).code).to.equal('ENOMEM');
    };
    for (let round = 0; round < 3; round++) {
      cycle();
      if (round === 1) expect(cq.poll(wcs, 2)).to.equal(2);
      a.modify({ qpState: QpState.RESET });
      expect(cq.poll(wcs)).to.equal(0);
      a.toRts(b.endpoint());
    }
    cycle();
    expect(cq.poll(wcs)).to.equal(5);
    expect(wcs.slice(0, 5).map(({ wrId }) => wrId)).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('is cleaned out of both of its CQs', () => {
    const { context } = openFake();
    const pd = context.allocPd();
    const [sendCq, recvCq] = [context.createCq({ cqe: 8 }), context.createCq({ cqe: 8 })];
    const qp = pd.createQp({ sendCq, recvCq, cap: { maxSendWr: 4, maxRecvWr: 4 }, qpType: 2 });
    qp.toRts(qp.endpoint()); // to itself
    qp.postRecv({});
    qp.postSend({ sendFlags: SendFlags.SIGNALED });
    qp.destroy();
    const wcs = WorkCompletion.array(4);
    expect([sendCq.poll(wcs), recvCq.poll(wcs)]).to.deep.equal([0, 0]);
  });
});

describe('resizing a CQ', () => {
  it('keeps what was not consumed', () => {
    const { a, cq, fakeCq, ops, wcs } = openConnected({ cqe: 8, depth: 16 });
    const post = (wrId: number): void =>
      a.postSend({ opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, wrId });
    for (let i = 0; i < 8; i++) post(i);
    expect(cq.poll(wcs, 3)).to.equal(3);
    cq.resize(32);
    expect(cq.cqe).to.equal(32);
    for (let i = 8; i < 14; i++) post(i);
    expect(cq.poll(wcs)).to.equal(11);
    expect(wcs.slice(0, 11).map(({ wrId }) => wrId)).to.deep.equal([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    cq.resize(4);
    for (let i = 0; i < 4; i++) post(i);
    expect(cq.poll(wcs)).to.equal(4);
    expect(fakeCq.entries).to.equal(4);
    expect(ops.calls.filter((call) => call.startsWith('resizeCq'))).to.have.length(2);
    expect(errorOf(() => cq.resize(1025)).message).to.contain('1 to 1024 (maxCqe of the device)');
  });
});
