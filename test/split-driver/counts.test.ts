/** What an operation of the data path costs a guest in trips to the device domain, counted: none in bypass. */
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { expect } from 'chai';
import { SendFlags, WcStatus, WorkCompletion, WrOpcode } from 'openverbs';
import { guestCounters, openTestPair } from 'openverbs/testing';
import type { GuestCounters, TestPair } from 'openverbs/testing';

const ROUNDS = 100;
const BYTES = 4096;
/** What the payload is made of: no words of rings or tables look like it. */
const MARK = 'payload:0123456!';

const WAYS = [
  { dom0: 'inline', device: 'inline' },
  { dom0: 'thread', device: 'thread' },
] as const;

function open(mode: 'basic' | 'bypass', { dom0, device }: (typeof WAYS)[number] = WAYS[0]): TestPair {
  const config = { provider: `xen:${mode}`, xen: { placement: dom0 } };
  const pair = openTestPair({ placement: device, config });
  pair.connect();
  return pair;
}

/** Both ends are of the one guest of this thread. */
function countersOf({ openVerbs }: TestPair): GuestCounters {
  const [counters, ...more] = guestCounters(openVerbs);
  expect(more).to.deep.equal([]);
  return counters;
}

function take(pair: TestPair, end: 'a' | 'b'): void {
  const [wc] = WorkCompletion.array(1);
  while (pair[end].cq.poll([wc]) === 0);
  expect(wc.status, wc.explain()).to.equal(WcStatus.SUCCESS);
}

/** Receive, send, both completions, and a CQ armed and told at each end: everything that is no control verb. */
function sendOnce(pair: TestPair): void {
  const { a, b } = pair;
  b.qp.postRecv({ wrId: 1, sgList: [b.mr.sge(0, BYTES)] });
  a.qp.postSend({
    wrId: 2,
    opcode: WrOpcode.SEND,
    sendFlags: SendFlags.SIGNALED,
    sgList: [a.mr.sge(0, BYTES)],
  });
  take(pair, 'a');
  take(pair, 'b');
}

describe('what the data path costs in a guest', () => {
  for (const way of WAYS) {
    it(`bypass: nothing on the ring and no event, device domain ${way.dom0}, device ${way.device}`, () => {
      using pair = open('bypass', way);
      const before = countersOf(pair);
      for (let round = 0; round < ROUNDS; round++) sendOnce(pair);
      expect(countersOf(pair)).to.deep.include({
        ringRequests: before.ringRequests,
        notifications: before.notifications,
        events: before.events,
      });
    });

    it(`basic: each post and each trip of a poll is a request, device domain ${way.dom0}, device ${way.device}`, () => {
      using pair = open('basic', way);
      const before = countersOf(pair).ringRequests;
      for (let round = 0; round < ROUNDS; round++) sendOnce(pair);
      // Two posts, and at least one trip to each of the CQs.
      expect(countersOf(pair).ringRequests - before).to.be.at.least(4 * ROUNDS);
    });
  }

  it('bypass: arming is no request; a completion that it waits for is one event', () => {
    using pair = open('bypass');
    const { a, b } = pair;
    const before = countersOf(pair);
    for (let round = 0; round < ROUNDS; round++) {
      b.cq.reqNotify();
      expect(b.cq.poll(WorkCompletion.array(1))).to.equal(0);
    }
    expect(countersOf(pair)).to.deep.include({ ringRequests: before.ringRequests, events: before.events });
    b.qp.postRecv({ sgList: [b.mr.sge(0, BYTES)] });
    a.qp.postSend({ opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [a.mr.sge(0, BYTES)] });
    expect(b.channel.tryGetCqEvent()).to.equal(b.cq);
    b.cq.ackEvents(1);
    expect(countersOf(pair)).to.deep.include({ ringRequests: before.ringRequests, events: before.events + 1 });
  });

  it('basic: a poll that finds nothing is a request; a program that waits for the event makes none', async () => {
    using pair = open('basic');
    const { a, b } = pair;
    const before = countersOf(pair).ringRequests;
    for (let round = 0; round < ROUNDS; round++) expect(b.cq.poll(WorkCompletion.array(1))).to.equal(0);
    expect(countersOf(pair).ringRequests - before).to.equal(ROUNDS);
    b.cq.reqNotify();
    b.qp.postRecv({ sgList: [b.mr.sge(0, BYTES)] });
    const event = b.channel.getCqEvent();
    const waiting = countersOf(pair).ringRequests;
    a.qp.postSend({ opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [a.mr.sge(0, BYTES)] });
    expect(await event).to.equal(b.cq);
    b.cq.ackEvents(1);
    take(pair, 'b');
    expect(countersOf(pair).ringRequests - waiting, 'the post, and the poll that finds it').to.equal(2);
  });

  it('bypass: a control verb is a request, so that the counters count', () => {
    using pair = open('bypass');
    const before = countersOf(pair).ringRequests;
    pair.a.context.queryPort(1);
    expect(countersOf(pair).ringRequests).to.equal(before + 1);
  });

  it('basic: no byte of payload is on the ring, nor anywhere else but in both buffers', () => {
    using pair = open('basic');
    const { a, b } = pair;
    const pattern = Buffer.alloc(BYTES, MARK);
    a.buffer.bytes.set(pattern);
    sendOnce(pair);
    expect(Buffer.from(b.buffer.bytes.slice(0, BYTES)).equals(pattern)).to.equal(true);
    const { backend } = countersOf(pair);
    expect(backend).to.deep.include({ ringPayloadBytes: 0, bytes: BYTES, posts: 2 });
    expect(marksIn(pair)).to.equal((2 * BYTES) / MARK.length);
  });

  it('basic: inline data goes through the bulk area, not the ring', () => {
    using pair = open('basic');
    const { a, b } = pair;
    a.buffer.bytes.set(Buffer.from(MARK));
    const { addr: remoteAddr, rkey } = b.mr;
    const sgList = [a.mr.sge(0, MARK.length)];
    const sendFlags = SendFlags.SIGNALED | SendFlags.INLINE;
    a.qp.postSend({ opcode: WrOpcode.RDMA_WRITE, sendFlags, sgList, remoteAddr, rkey });
    take(pair, 'a');
    expect(countersOf(pair).backend).to.deep.include({ ringPayloadBytes: 0, bytes: MARK.length });
  });

  for (const [cqeBuffering, trips] of [
    [true, 1],
    [false, 16],
  ] as const) {
    it(`basic: ${trips} trip(s) for 16 completions with CQE buffering ${cqeBuffering ? 'on' : 'off'}`, () => {
      using pair = openTestPair({ config: { provider: 'xen:basic', xen: { cqeBuffering } } });
      pair.connect();
      const { a, b } = pair;
      const { addr: remoteAddr, rkey } = b.mr;
      const wr = {
        opcode: WrOpcode.RDMA_WRITE,
        sendFlags: SendFlags.SIGNALED,
        sgList: [a.mr.sge(0, 8)],
        remoteAddr,
        rkey,
      };
      a.qp.postSend(Array.from({ length: 16 }, () => wr));
      const before = countersOf(pair).ringRequests;
      for (let n = 0; n < 16; n++) take(pair, 'a');
      expect(countersOf(pair).ringRequests - before).to.equal(trips);
    });
  }
});

/** How often the mark stands in the memory of the machine. */
function marksIn({ openVerbs }: TestPair): number {
  const machine = Machine.attach(openVerbs.machine as MachineHandle);
  try {
    const { buffer, byteOffset, byteLength } = machine.i32;
    const all = Buffer.from(buffer, byteOffset, byteLength);
    let marks = 0;
    for (let at = all.indexOf(MARK); at >= 0; at = all.indexOf(MARK, at + MARK.length)) marks++;
    return marks;
  } finally {
    machine.detach();
  }
}
