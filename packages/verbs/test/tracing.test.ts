import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  connectPair,
  type EventMessage,
  EventType,
  type PollMessage,
  type PostMessage,
  QpState,
  QpType,
  SendFlags,
  TraceChannel,
  TRACED_VERBS,
  type VerbMessage,
  VerbsError,
  WcExFlags,
  WcOpcode,
  WrOpcode,
} from '../src/index.ts';
import * as verbs from '../src/index.ts';
import { RingSendBuilder } from '../src/rings/ring-send-builder.ts';
import { toPlain } from '../src/tracing/plain.ts';
import { isTraced } from '../src/tracing/trace-verb.ts';
import { openConnected } from './support/connected.ts';
import { openFake } from './support/fake-provider.ts';

/** What is told on a channel while `run` runs. */
async function told<T>(channel: string, run: () => unknown): Promise<T[]> {
  const messages: T[] = [];
  const listener = (message: unknown): void => void messages.push(message as T);
  subscribe(channel, listener);
  try {
    await run();
  } finally {
    unsubscribe(channel, listener);
  }
  return messages;
}

const verbsOf = (messages: readonly VerbMessage[]): string[] => messages.map(({ verb }) => verb);

describe('openverbs:verb', () => {
  it('tells each control verb once, with its arguments and its result as plain data', async () => {
    const { context } = openFake();
    const messages = await told<VerbMessage>(TraceChannel.VERB, () => {
      const pd = context.allocPd();
      const mr = pd.regMr(context.allocBuf(4096), 1);
      mr.dereg();
      context.queryGidTable();
    });
    expect(verbsOf(messages)).to.deep.equal([
      'ibv_alloc_pd',
      'ibv_alloc_buf',
      'ibv_reg_mr',
      'ibv_dereg_mr',
      'ibv_query_gid_table',
    ]);
    const [pd, buf, mr] = messages;
    expect(pd).to.include({ device: context.device.name, object: context.label, error: undefined });
    expect(pd.result).to.match(/^PD \d+$/);
    expect(buf.args).to.deep.equal({ length: 4096 });
    expect(mr.object).to.equal(pd.result);
    expect(mr.args).to.deep.equal({ memory: buf.result, access: 1 });
    for (const { atNs, durationNs } of messages) expect([atNs > 0, durationNs >= 0]).to.deep.equal([true, true]);
    for (const message of messages) structuredClone(message);
  });

  it('tells what a verb threw, also when no provider was asked', async () => {
    const { context } = openFake();
    const [message] = await told<VerbMessage>(TraceChannel.VERB, () => {
      expect(() => context.createCq({ cqe: 0 })).to.throw(VerbsError);
    });
    expect(message).to.deep.include({ verb: 'ibv_create_cq', args: { init: { cqe: 0 } }, result: undefined });
    expect((message.error as VerbsError).code).to.equal('EINVAL');
  });

  it('tells what an owner disposes of, the children first', async () => {
    const { context } = openFake();
    const pd = context.allocPd();
    pd.regMr(context.allocBuf(4096), 1);
    const messages = await told<VerbMessage>(TraceChannel.VERB, () => context[Symbol.dispose]());
    expect(verbsOf(messages)).to.deep.equal(['ibv_dereg_mr', 'ibv_free_buf', 'ibv_dealloc_pd', 'ibv_close_device']);
  });

  it('tells of a wait when it has ended', async () => {
    const { context } = openFake();
    const channel = context.createCompChannel();
    const ending = new AbortController();
    const messages = await told<VerbMessage>(TraceChannel.VERB, async () => {
      const wait = channel.getCqEvent({ signal: ending.signal });
      const failed = wait.then(
        () => false,
        () => true,
      );
      ending.abort(new Error('enough'));
      expect(await failed).to.equal(true);
    });
    expect(messages).to.have.length(1);
    expect(messages[0]).to.deep.include({ verb: 'ibv_get_cq_event', args: {}, object: 'completion channel' });
    expect((messages[0].error as Error).message).to.equal('enough');
  });

  it('does not tell what a subscriber calls itself', async () => {
    const { context } = openFake();
    let calls = 0;
    const listener = (): void => {
      calls++;
      context.queryPort(1);
    };
    subscribe(TraceChannel.VERB, listener);
    context.queryDevice();
    unsubscribe(TraceChannel.VERB, listener);
    expect(calls).to.equal(1);
  });

  it('survives arguments of any kind', async () => {
    const { context } = openFake();
    const pd = context.allocPd();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const bomb = Object.defineProperty({}, 'x', { enumerable: true, get: () => expect.fail('looked at') });
    for (const memory of [circle, bomb, null, undefined, 5n, () => 1, Symbol('x'), new Proxy({}, {})]) {
      const messages = await told<VerbMessage>(TraceChannel.VERB, () => {
        expect(() => pd.regMr(memory as never, 1)).to.throw();
      });
      expect(verbsOf(messages)).to.deep.equal(['ibv_reg_mr']);
    }
  });

  it('makes nothing while nobody listens', () => {
    const { a, cq } = openConnected();
    expect(Object.keys(a)).to.not.include('postRecv');
    expect(Object.keys(cq)).to.not.include('poll');
    expect((a as unknown as { sendPath: unknown }).sendPath).to.be.instanceOf(RingSendBuilder);
  });

  it('tells of the end of every kind of object', () => {
    for (const [name, value] of Object.entries(verbs)) {
      if (typeof value !== 'function' || !(value.prototype instanceof verbs.VerbsObject)) continue;
      const own = Object.getOwnPropertyDescriptor(value.prototype, 'releaseInProvider')?.value as object | undefined;
      if (own !== undefined) expect(isTraced(own), name).to.equal(true);
    }
  });

  it('keeps the names of methods', () => {
    const { context } = openFake();
    expect(context.queryPort.name).to.equal('queryPort');
    expect(TRACED_VERBS).to.include.members(['ibv_open_device', 'ibv_modify_qp', 'ibv_destroy_srq']);
  });
});

describe('openverbs:post and openverbs:poll', () => {
  it('tell of queues that were made while somebody listened', async () => {
    const polls: PollMessage[] = [];
    const listener = (message: unknown): void => void polls.push(message as PollMessage);
    subscribe(TraceChannel.POLL, listener);
    const posts = await told<PostMessage>(TraceChannel.POST, () => {
      const { a, b, cq, mr, wcs } = openConnected();
      b.postRecv([{ wrId: 5, sgList: [mr.sge(0, 64)] }]);
      a.postSend({ wrId: 7, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge(64, 8)] });
      expect(cq.poll(wcs)).to.equal(2);
      expect(cq.poll(wcs)).to.equal(0);
    });
    unsubscribe(TraceChannel.POLL, listener);
    expect(posts.map(({ queue, errno }) => [queue, errno])).to.deep.equal([
      ['recv', 0],
      ['send', 0],
    ]);
    expect(posts[0].workRequests[0]).to.deep.include({ wrId: 5, length: 64 });
    expect(posts[1].workRequests[0]).to.deep.include({ wrId: 7, opcode: WrOpcode.SEND, length: 8 });
    expect(polls).to.have.length(1);
    expect(polls[0].completions.map(({ wrId }) => wrId).toSorted()).to.deep.equal([5, 7]);
    expect(polls[0].completions[0].explanation).to.match(/^SUCCESS/);
    for (const message of [...posts, ...polls]) structuredClone(message);
  });

  it('tell of the extended form when it completes, and of a chain as a whole', async () => {
    const posts = await told<PostMessage>(TraceChannel.POST, () => {
      const { a, mr } = openConnected();
      a.wrStart();
      a.wrId = 1;
      a.wrRdmaWrite(mr.rkey, mr.addr + 64);
      a.wrSetSge(mr.lkey, mr.addr, 8);
      a.wrId = 2;
      a.wrRdmaWrite(mr.rkey, mr.addr + 128);
      a.wrSetSgeList([mr.sge(0, 4), mr.sge(4, 12)]);
      a.wrId = 3;
      a.wrRdmaWrite(mr.rkey, mr.addr + 192);
      a.wrSetInlineData(new Uint8Array(5));
      a.wrComplete();
      a.postSend([
        { opcode: WrOpcode.RDMA_WRITE, wrId: 4, ...{ rkey: mr.rkey, remoteAddr: mr.addr } },
        { opcode: WrOpcode.RDMA_READ, wrId: 5, ...{ rkey: mr.rkey, remoteAddr: mr.addr } },
      ]);
    });
    const fields = posts.map(({ workRequests }) => workRequests.map(({ wrId, length }) => [wrId, length]));
    expect(fields).to.deep.equal([
      [
        [1, 8],
        [2, 16],
        [3, 5],
      ],
      [
        [4, 0],
        [5, 0],
      ],
    ]);
    const { mr } = openConnected();
    expect(posts[0].workRequests[0]).to.include({ remoteAddr: BigInt(mr.addr) + 64n });
    expect(posts[0].workRequests[2].sendFlags! & SendFlags.INLINE).to.equal(SendFlags.INLINE);
  });

  it('tell of a post that is refused', async () => {
    const posts = await told<PostMessage>(TraceChannel.POST, () => {
      const { a, mr } = openConnected();
      a.modify({ qpState: QpState.RESET });
      expect(() => a.postSend({ sgList: [mr.sge(0, 8)] })).to.throw(VerbsError);
      expect(() => a.postRecv({ sgList: [mr.sge(0, 8)] })).to.throw(VerbsError);
    });
    expect(posts.map(({ queue, errno }) => [queue, errno])).to.deep.equal([
      ['send', 22],
      ['recv', 22],
    ]);
  });

  it('tell of completions of an extended CQ one by one, as far as it was asked for', async () => {
    const polls = await told<PollMessage>(TraceChannel.POLL, () => {
      const { context, pd, mr } = openConnected();
      const cq = context.createCqEx({ cqe: 8, wcFlags: WcExFlags.BYTE_LEN });
      const init = { sendCq: cq, recvCq: cq, qpType: QpType.RC, sqSigAll: true, cap: { maxSendWr: 2, maxRecvWr: 2 } };
      const [a, b] = [pd.createQp(init), pd.createQp(init)];
      connectPair(a, b);
      a.postSend([
        { wrId: 1, opcode: WrOpcode.RDMA_READ, rkey: mr.rkey, remoteAddr: mr.addr },
        { wrId: 2, opcode: WrOpcode.RDMA_READ, rkey: mr.rkey, remoteAddr: mr.addr },
      ]);
      expect([cq.startPoll(), cq.nextPoll(), cq.nextPoll()]).to.deep.equal([true, true, false]);
      cq.endPoll();
    });
    const completion = {
      status: 0,
      opcode: WcOpcode.RDMA_READ,
      vendorErr: 0,
      byteLen: 0,
      explanation: 'SUCCESS: RDMA_READ',
    };
    expect(polls.flatMap(({ completions }) => completions)).to.deep.equal([
      { wrId: 1, ...completion },
      { wrId: 2, ...completion },
    ]);
  });
});

describe('openverbs:event', () => {
  it('tells of an event before somebody takes it', async () => {
    const fake = openConnected();
    const events = await told<EventMessage>(TraceChannel.EVENT, () => {
      fake.context.routing.add('qp', 999, { deliver: () => undefined });
      fake.a.deliver(EventType.COMM_EST);
      fake.cq.deliver(-1);
    });
    expect(events.map(({ object, text }) => [object, text])).to.deep.equal([
      [fake.a.label, 'communication established'],
      [fake.cq.label, 'completion'],
    ]);
    expect(events[0]).to.include({ device: fake.context.device.name, type: EventType.COMM_EST });
  });
});

describe('plain data', () => {
  it('has an end', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(JSON.stringify(toPlain(circle))).to.include('…');
    expect(toPlain(new Array(1000).fill(1))).to.have.length(256);
    expect(toPlain({ a: new Uint8Array(7), b: () => 1, c: undefined })).to.deep.equal({ a: '7 bytes' });
  });
});
