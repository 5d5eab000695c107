import { expect } from 'chai';
import { CqeSyndrome, SRQ_DOORBELL_RECORD_BYTES, srqRingBytes, VendorErr } from '@openverbs/verbs/rings';
import { AsyncEvent } from '../src/async-event.ts';
import { Qpc, QpcState } from '../src/layout.ts';
import { SRQ_WR_MAX } from '../src/limits.ts';
import { audit } from './support/audit.ts';
import { atEveryCall } from './support/cut.ts';
import type { TestQp } from './support/test-qp.ts';
import type { TestSrq } from './support/test-srq.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';

const { SRQ_ERR, SRQ_LIMIT_REACHED, QP_LAST_WQE_REACHED, QP_FATAL } = AsyncEvent;
const { WR_FLUSH_ERR, REMOTE_OP_ERR, RNR_RETRY_EXC_ERR } = CqeSyndrome;
const NO_RETRY = new Map<number, number>([[Qpc.RNR_RETRY, 0]]);

interface World {
  readonly bed: Testbed;
  readonly srq: TestSrq;
  /** Each sends to the receiver of the same index. */
  readonly senders: readonly TestQp[];
  readonly receivers: readonly TestQp[];
}

function makeWorld(log2Count = 2): World {
  const bed = new Testbed();
  const srq = bed.srq({ log2Count });
  const senders = [bed.qp(), bed.qp()];
  const receivers = senders.map((sender) => {
    const receiver = bed.qp({ srq });
    bed.connect(sender, receiver, NO_RETRY);
    return receiver;
  });
  return { bed, srq, senders, receivers };
}

describe('an SRQ', () => {
  it('gives its WQEs in the order of the ring, whoever asks; completions name the slots', () => {
    const { srq, senders, receivers } = makeWorld();
    srq.startAt(0x7ffffffd);
    const free = srq.free;
    free.splice(0, 4, 2, 0, 3, 1);
    for (let round = 0; round < 5; round++) {
      const slots = [srq.recv(), srq.recv(), srq.recv(), srq.recv()];
      for (const at of [1, 0, 0, 1]) expect(senders[at].sendAndPoll({})[0].syndrome).to.equal(0);
      expect(receivers[1].recvCq.poll().map(({ index }) => index)).to.deep.equal([slots[0], slots[3]]);
      expect(receivers[0].recvCq.poll().map(({ index, qpn }) => [index, qpn])).to.deep.equal([
        [slots[1], receivers[0].number],
        [slots[2], receivers[0].number],
      ]);
      free.push(slots[1], slots[3], slots[0], slots[2]);
    }
    expect(senders[0].sendAndPoll({})[0]).to.include({ syndrome: RNR_RETRY_EXC_ERR, vendorErr: VendorErr.RNR });
  });

  it('checks keys against its own protection domain, and SGEs against its own limit', () => {
    const bed = new Testbed();
    const pd = bed.commands.allocPd(bed.uar);
    const srq = bed.srq({ pd, maxSge: 2 });
    const [own, foreign] = [bed.region(64, { pd }), bed.region(64)];
    const from = bed.region(64);
    from.fill(7);
    for (const [sges, vendorErr] of [
      [[own.sge(0, 8), own.sge(32, 8)], 0],
      [[foreign.sge()], VendorErr.LKEY_PD_MISMATCH],
      [[own.sge(), own.sge(), own.sge()], VendorErr.BAD_RECV_WQE],
    ] as const) {
      const [a, b] = [bed.qp(), bed.qp({ srq, maxRecvSge: 0 })];
      bed.connect(a, b);
      srq.recv(sges);
      a.send({ sges: [from.sge(0, 16)] });
      expect(b.recvCq.poll()[0].vendorErr).to.equal(vendorErr);
    }
    expect([...own.read(0, 8), ...own.read(32, 8)]).to.deep.equal([...from.read(0, 16)]);
  });

  it('raises the event of its limit once, when a message leaves less', () => {
    const { bed, srq, senders } = makeWorld();
    for (let n = 0; n < 4; n++) srq.recv();
    srq.arm(3);
    senders[0].send({});
    expect(bed.events()).to.deep.equal([]);
    senders[1].send({});
    expect(bed.events()).to.deep.equal([[SRQ_LIMIT_REACHED, srq.number]]);
    expect(bed.commands.srqs.query(srq.number)).to.deep.equal({ maxWr: 4, maxSge: 4, limit: 0 });
    senders[0].send({});
    expect(bed.events()).to.deep.equal([]);
  });

  it('lets a message in progress hold its WQE while others take the next', () => {
    const { bed, srq, senders, receivers } = makeWorld();
    const [held, next] = [srq.recv(), srq.recv()];
    srq.arm(2);
    const { receives } = bed.engine;
    const p = receivers[0].context;
    expect(receives.find(p)).to.equal(0);
    receives.hold(p);
    receives.hold(p);
    expect(bed.events()).to.deep.equal([[SRQ_LIMIT_REACHED, srq.number]]);
    senders[1].send({});
    expect(receivers[1].recvCq.poll()[0].index).to.equal(next);
    expect([receives.find(p), receives.index]).to.deep.equal([0, held]);
    senders[0].send({}); // the rest of the message, as far as the queue can tell
    expect(receivers[0].recvCq.poll()[0].index).to.equal(held);
    expect(receives.find(p)).to.equal(VendorErr.RNR);
    audit(bed);
  });

  it('has what a QP holds flushed when that fails, and nothing else; then it was the last WQE', () => {
    const { bed, srq, senders, receivers } = makeWorld();
    const held = srq.recv();
    srq.recv();
    bed.engine.receives.find(receivers[0].context);
    bed.engine.receives.hold(receivers[0].context);
    bed.modify(receivers[0], QpcState.ERR);
    expect(receivers[0].recvCq.poll()).to.have.length(1).and.have.nested.property('[0].index', held);
    expect(bed.events()).to.deep.equal([[QP_LAST_WQE_REACHED, receivers[0].number]]);
    bed.modify(receivers[0], QpcState.ERR);
    expect(bed.events()).to.deep.equal([]);
    senders[1].send({});
    expect(receivers[1].recvCq.poll()).to.have.length(1);
    bed.modify(receivers[0], QpcState.RESET);
    expect([receivers[0].word('SRQ_WQE'), receivers[0].word('LAST_WQE_REACHED')]).to.deep.equal([0, 0]);
  });

  it('flushes nothing that is posted', () => {
    const { bed, srq, receivers } = makeWorld();
    srq.recv();
    bed.modify(receivers[0], QpcState.ERR);
    bed.engine.ringRq(bed.uar, receivers[0].number);
    expect(receivers[0].recvCq.poll()).to.deep.equal([]);
    expect(receivers[0].recvCq.poll().map(({ syndrome }) => syndrome)).to.not.include(WR_FLUSH_ERR);
  });

  it('moves to a larger ring with what is posted, held or wrapped around', () => {
    const { bed, srq, senders, receivers } = makeWorld();
    srq.startAt(-2);
    const first = srq.recv();
    const slots = [srq.recv(), srq.recv(), srq.recv()];
    bed.engine.receives.find(receivers[1].context);
    bed.engine.receives.hold(receivers[1].context);
    srq.resize(3);
    for (let n = 0; n < 4; n++) slots.push(srq.recv());
    for (let n = 0; n < 7; n++) senders[0].send({});
    expect(receivers[0].recvCq.poll().map(({ index }) => index)).to.deep.equal(slots);
    senders[1].send({});
    expect(receivers[1].recvCq.poll()[0].index).to.equal(first);
    audit(bed);
  });
});

describe('the commands about SRQs', () => {
  let bed: Testbed;

  beforeEach(() => {
    bed = new Testbed();
  });

  it('refuse what no SRQ can be, and leave nothing behind', () => {
    const log2Count = 3;
    const bytes = SRQ_DOORBELL_RECORD_BYTES + srqRingBytes(log2Count) + 2 ** (log2Count + 6);
    const good = { uar: bed.uar, pd: bed.pd, bufferKey: bed.ringKey(bytes).key, log2Count, wqeLog2Bytes: 6 };
    const init = { ...good, maxWr: 8, maxSge: 3 };
    const short = bed.ringKey(bytes - 64).key;
    for (const [bad, text] of [
      [{ pd: 0 }, /protection domain 0/],
      [{ pd: 999 }, /protection domain 999/],
      [{ bufferKey: 0x1234 }, /no memory region/],
      [{ bufferKey: bed.region(8192).key }, /not of the driver's PD/],
      [{ bufferKey: short }, /does not fit/],
      [{ log2Count: -1 }, /log2Count is -1/],
      [{ log2Count: Math.log2(SRQ_WR_MAX) + 1 }, /log2Count/],
      [{ wqeLog2Bytes: 4 }, /wqeLog2Bytes is 4/],
      [{ wqeLog2Bytes: 11 }, /wqeLog2Bytes is 11/],
      [{ maxWr: 0 }, /maxWr is 0/],
      [{ maxWr: 9 }, /maxWr is 9/],
      [{ maxSge: 4 }, /maxSge is 4/],
    ] as const) {
      expectDeviceError(() => bed.commands.srqs.create({ ...init, ...bad }), 'EINVAL', text);
    }
    expect(bed.hca.objects.srqs).to.equal(0);
    audit(bed);
    const srqn = bed.commands.srqs.create(init);
    audit(bed);
    bed.commands.srqs.destroy(srqn);
    audit(bed);
  });

  it('refuse a change that does not hold what is posted, and make none of it', () => {
    const srq = bed.srq({ log2Count: 3 });
    for (let n = 0; n < 4; n++) srq.recv();
    srq.arm(2);
    const { srqs } = bed.commands;
    for (const [change, text] of [
      [{ maxWr: 3 }, /holds 4 receives/],
      [{ maxWr: 9 }, /maxWr is 9/],
      [{ maxWr: 8, limit: 9 }, /limit is 9/],
      [{ limit: -1 }, /limit is -1/],
      [{ maxWr: 16, ring: { bufferKey: bed.ringKey(64).key, log2Count: 4 } }, /does not fit/],
    ] as const) {
      expectDeviceError(() => srqs.modify(srq.number, change), 'EINVAL', text);
    }
    expect(srqs.query(srq.number)).to.deep.equal({ maxWr: 8, maxSge: 4, limit: 2 });
    srqs.modify(srq.number, { maxWr: 4 });
    expect(srqs.query(srq.number).maxWr).to.equal(4);
    audit(bed);
  });

  it('keep an SRQ that QPs use, and know a number that is gone', () => {
    const srq = bed.srq();
    const qp = bed.qp({ srq });
    expectDeviceError(() => bed.commands.srqs.destroy(srq.number), 'EBUSY', /1 QPs receive/);
    qp.destroy();
    bed.commands.srqs.destroy(srq.number);
    for (const number of [0, srq.number, 1 << 16]) {
      expectDeviceError(() => bed.commands.srqs.context(number), 'EINVAL', /no SRQ/);
    }
    expectDeviceError(() => bed.qp({ srq }), 'EINVAL', /no SRQ/);
    const next = bed.srq();
    expect(next.number & 0xffff).to.equal(srq.number & 0xffff);
    expect(next.number).to.not.equal(srq.number);
    audit(bed);
  });
});

describe('the ring of an SRQ that lies', () => {
  const lies: readonly (readonly [string, (srq: TestSrq, i32: Int32Array) => void])[] = [
    ['claims 2^31 entries', (srq) => srq.claim(-2147483648)],
    ['claims one more than it holds', (srq) => srq.claim(4)],
    ['claims less than nothing', (srq) => srq.claim(-2)],
    ...[4, -1, 0x7fffffff, -2147483648].map((slot): (typeof lies)[number] => [
      `names slot ${slot}`,
      (srq, i32) => {
        i32[srq.entry(0)] = slot;
      },
    ]),
  ];
  for (const [title, lie] of lies) {
    it(`${title}: the SRQ is in error, and who needs it`, () => {
      const { bed, srq, senders, receivers } = makeWorld();
      srq.recv();
      lie(srq, bed.i32);
      for (const sender of senders) {
        const [{ syndrome, vendorErr }] = sender.sendAndPoll({});
        expect([syndrome, vendorErr]).to.deep.equal([REMOTE_OP_ERR, VendorErr.SRQ_ERR]);
      }
      expect(bed.events()).to.deep.equal([
        [SRQ_ERR, srq.number],
        ...receivers.flatMap(({ number }) => [
          [QP_FATAL, number],
          [QP_LAST_WQE_REACHED, number],
        ]),
      ]);
      for (const receiver of receivers) expect(receiver.recvCq.poll()).to.deep.equal([]);
      audit(bed);
    });
  }

  it('names one slot again and again: it is used again and again', () => {
    const { bed, srq, senders, receivers } = makeWorld();
    for (let n = 0; n < 4; n++) srq.recv();
    for (let n = 0; n < 4; n++) bed.i32[srq.entry(n)] = 2;
    for (let n = 0; n < 4; n++) senders[0].send({});
    expect(receivers[0].recvCq.poll().map(({ index }) => index)).to.deep.equal([2, 2, 2, 2]);
  });
});

describe('a thread that dies in the middle of something about an SRQ', () => {
  it('has each message take one WQE, and tells of the limit and of the last WQE', () => {
    atEveryCall(
      makeWorld,
      ({ bed, srq, senders, receivers }) => {
        for (let n = 0; n < 3; n++) srq.recv();
        srq.arm(2);
        senders[0].writeSend({});
        senders[0].writeSend({});
        senders[0].ring();
        senders[1].send({});
        bed.modify(receivers[0], QpcState.ERR);
      },
      ({ bed, senders, receivers, srq }) => {
        for (const sender of senders) sender.ring();
        const sent = senders[0].sent + senders[1].sent;
        const done = receivers.flatMap(({ recvCq }) => recvCq.poll());
        expect(done.map(({ syndrome }) => syndrome)).to.deep.equal(Array.from({ length: sent }, () => 0));
        expect(new Set(done.map(({ index }) => index)).size).to.equal(sent);
        const types = bed.events().map(([type]) => type);
        if (sent > 1) expect(types).to.include(SRQ_LIMIT_REACHED);
        if (sent > 1) expect(srq.word('LIMIT')).to.equal(0);
        if (receivers[0].state === QpcState.ERR) expect(types).to.include(QP_LAST_WQE_REACHED);
      },
    );
  });

  it('leaves whole tables, whatever the command was', () => {
    atEveryCall(
      makeWorld,
      ({ bed, srq }) => {
        srq.recv();
        srq.resize(3);
        bed.srq();
        const qp = bed.qp({ srq: bed.srq() });
        qp.destroy();
        bed.commands.srqs.destroy(qp.srq!.number);
      },
      ({ senders, receivers, srq }) => {
        if (srq.posted === 0) return;
        senders[0].send({});
        expect(receivers[0].recvCq.poll()).to.have.length(1);
      },
    );
  });
});
