/** What an operation of the data path costs a guest in trips to the device domain, counted: none in bypass. */
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { expect } from 'chai';
import { openVerbs, SendFlags, WcStatus, WorkCompletion, WrOpcode } from 'openverbs';
import type { OpenVerbs } from 'openverbs';
import { guestCounters, openTestPair } from 'openverbs/testing';
import type { GuestCounters, TestPair } from 'openverbs/testing';
import { BYTES as MESSAGE_BYTES, Ends } from './ends.ts';
import { OPERATIONS } from './operations.ts';

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
function countersOf({ openVerbs: verbs }: { readonly openVerbs: OpenVerbs }): GuestCounters {
  const [counters, ...more] = guestCounters(verbs);
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

  it('basic: bytes that the sends name are counted, and none of them is on the ring', () => {
    using pair = open('basic');
    sendOnce(pair);
    expect(countersOf(pair).backend).to.deep.include({ ringPayloadBytes: 0, bytes: BYTES, posts: 2 });
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

describe('what each operation costs in a guest', () => {
  for (const mode of ['bypass', 'basic'] as const) {
    let verbs: OpenVerbs;
    let ends: Ends;
    before(() => {
      verbs = openVerbs({ provider: `xen:${mode}` });
      ends = new Ends(verbs.device());
    });
    after(() => verbs[Symbol.dispose]());

    for (const operation of OPERATIONS) {
      const { name, posts, polls, arms = 0, events = 0 } = operation;
      const requests = mode === 'basic' ? posts + polls + arms : 0;
      it(`${mode}, ${name}: ${requests} requests, ${events} events`, () => {
        operation.run(ends);
        const before = countersOf({ openVerbs: verbs });
        for (let round = 0; round < ROUNDS; round++) operation.run(ends);
        const after = countersOf({ openVerbs: verbs });
        expect((after.ringRequests - before.ringRequests) / ROUNDS, 'requests').to.equal(requests);
        expect((after.events - before.events) / ROUNDS, 'events').to.equal(events);
        if (mode === 'bypass') expect(after.notifications - before.notifications, 'notifications').to.equal(0);
        expect(after.backend!.ringPayloadBytes, 'bytes of payload on the ring').to.equal(0);
      });
    }
  }

  it('basic: after every operation with a payload it is in both buffers, and nowhere else', () => {
    using verbs = openVerbs({ provider: 'xen:basic' });
    const ends = new Ends(verbs.device());
    const { a, b } = ends;
    a.buffer.bytes.set(Buffer.alloc(MESSAGE_BYTES, MARK));
    for (const operation of OPERATIONS) {
      if (!operation.name.includes('inline')) operation.run(ends);
    }
    // A datagram went to the place behind the other messages.
    expect(Buffer.from(b.buffer.bytes).indexOf(MARK, MESSAGE_BYTES)).to.equal(2 * MESSAGE_BYTES);
    expect(marksIn({ openVerbs: verbs })).to.equal((3 * MESSAGE_BYTES) / MARK.length);
  });
});

/** How often the mark stands in the memory of the machine. */
function marksIn({ openVerbs: verbs }: { readonly openVerbs: OpenVerbs }): number {
  const machine = Machine.attach(verbs.machine as MachineHandle);
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
