import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { TraceChannel } from '@openverbs/verbs';
import type { XenMessage } from '@openverbs/verbs';
import { expect } from 'chai';
import { beginTrace, endTrace } from '../src/channel/tracing.ts';
import { forwardTraces, publishForwarded, traceRequest, TRACES_UNDER_WAY_MAX } from '../src/dom0/traces.ts';
import { Commands } from '../src/protocol/commands.ts';

const MESSAGE: XenMessage = {
  side: 'back-end',
  device: 'domain 1',
  id: 7,
  command: 'POST_SEND',
  atNs: 1,
  durationNs: 2,
};

describe('messages of a device domain on a thread', () => {
  it('are not asked for while nobody listens', () => {
    const request = traceRequest();
    expect(request.wanted).to.equal(false);
    forwardTraces(request, () => {
      throw new Error('nobody wants it');
    });
    expect(channel(TraceChannel.XEN).hasSubscribers).to.equal(false);
  });

  it('arrive as they were told, and those that were lost are counted', () => {
    const arrived: XenMessage[] = [];
    const listener = (message: unknown): void => void arrived.push(message as XenMessage);
    subscribe(TraceChannel.XEN, listener);
    const request = traceRequest();
    unsubscribe(TraceChannel.XEN, listener);
    expect(request.wanted).to.equal(true);
    const posted: XenMessage[] = [];
    const end = forwardTraces(request, (message) => void posted.push(message));
    try {
      const tell = (): void => {
        channel(TraceChannel.XEN).publish(MESSAGE);
      };
      tell();
      Atomics.store(request.underWay, 0, TRACES_UNDER_WAY_MAX);
      for (let n = 0; n < 3; n++) tell();
      Atomics.store(request.underWay, 0, 1);
      tell();
      expect(posted.map(({ command }) => command)).to.deep.equal(['POST_SEND', '3 messages lost', 'POST_SEND']);
      expect(Atomics.load(request.underWay, 0)).to.equal(3);
    } finally {
      end();
    }
    subscribe(TraceChannel.XEN, listener);
    for (const message of posted) publishForwarded(request, message);
    unsubscribe(TraceChannel.XEN, listener);
    expect(arrived).to.deep.equal(posted);
    expect(Atomics.load(request.underWay, 0)).to.equal(0);
  });
});

describe('a command that is traced', () => {
  const { number } = Commands.ALLOC_PD;
  let told: XenMessage[];
  const listener = (message: unknown): void => void told.push(message as XenMessage);

  beforeEach(() => {
    told = [];
  });
  afterEach(() => {
    unsubscribe(TraceChannel.XEN, listener);
  });

  it('is told of when it has ended', () => {
    subscribe(TraceChannel.XEN, listener);
    const beganNs = beginTrace();
    endTrace('back-end', 'domain 1', 7, number, beganNs);
    expect(told).to.have.length(1);
    expect(told[0]).to.include({ side: 'back-end', device: 'domain 1', id: 7, command: 'ALLOC_PD', atNs: beganNs });
  });

  it('is not told of when nobody listened as it began', () => {
    const beganNs = beginTrace();
    subscribe(TraceChannel.XEN, listener);
    endTrace('back-end', 'domain 1', 7, number, beganNs);
    expect(told).to.deep.equal([]);
  });
});
