import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { TraceChannel, type HcaMessage, type PacketMessage } from '@openverbs/verbs';
import type { ProviderInstance } from '@openverbs/verbs/driver';
import { provider } from '../src/index.ts';
import { forwardTraces, publishForwarded, TRACES_UNDER_WAY_MAX, type ForwardedTrace } from '../src/traces.ts';
import { Endpoint } from './support/endpoint.ts';

const ENVIRONMENT = { machine: undefined, clock: undefined, prng: undefined };

/** Turns of 5 ms and more, which only a trace that does not come takes: a busy machine needs seconds to start a thread. */
const TURNS_MAX = 5000;

/** A write of an endpoint to itself, with what was told of it. */
async function writeTraced(
  config: unknown,
  isEnough: (packets: readonly PacketMessage[]) => boolean,
): Promise<PacketMessage[]> {
  const packets: PacketMessage[] = [];
  const listener = (message: unknown): void => void packets.push(message as PacketMessage);
  subscribe(TraceChannel.PACKET, listener);
  let instance: ProviderInstance | undefined;
  try {
    instance = provider.open(ENVIRONMENT, provider.parseConfig(config));
    const end = new Endpoint(instance.devices[0], 1);
    end.connect(end);
    end.writeTo(end, 1);
    for (let turn = 0; turn < TURNS_MAX && !isEnough(packets); turn++)
      await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    unsubscribe(TraceChannel.PACKET, listener);
    instance?.close();
  }
  return packets;
}

describe('traces of the emulated devices', () => {
  for (const placement of ['inline', 'thread'] as const) {
    it(`tell of packets to who listened before, with placement ${placement}`, async () => {
      const packets = await writeTraced({ placement, packets: true }, ({ length }) => length >= 4);
      expect(packets.map(({ direction }) => direction).toSorted()).to.deep.equal([
        'received',
        'received',
        'sent',
        'sent',
      ]);
      expect(packets[0]).to.include({ device: 'emulated0', port: 1, direction: 'sent' });
      expect(packets[0].text).to.match(/RC_RDMA_WRITE_ONLY/);
      expect(packets[0].frame).to.be.instanceOf(Uint8Array);
    });
  }

  for (const placement of ['inline', 'thread'] as const) {
    it(`have messages travel as packets by themselves, with placement ${placement}`, async () => {
      const packets = await writeTraced({ placement }, ({ length }) => length >= 4);
      expect(packets).to.have.length(4);
    });
  }

  it('tell of no packets where there are to be none', async () => {
    expect(await writeTraced({ packets: false }, () => true)).to.deep.equal([]);
  });

  it('leave messages as they are where only others than packets are listened to', async () => {
    const listener = (): void => undefined;
    subscribe(TraceChannel.HCA, listener);
    const instance = provider.open(ENVIRONMENT, provider.parseConfig({}));
    try {
      expect(instance.faults).to.equal(undefined);
    } finally {
      unsubscribe(TraceChannel.HCA, listener);
      instance.close();
    }
  });

  it('are lost, and counted, where nobody takes them', () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const posted: ForwardedTrace[] = [];
    const request = { traced: { packets: false, hca: true }, words };
    const sink = forwardTraces(request, (trace) => posted.push(trace));
    const message: HcaMessage = { device: 'emulated0', qpNum: 0, atNs: 1, what: 'state', text: 'goes to ERR' };
    for (let n = 0; n < TRACES_UNDER_WAY_MAX + 5; n++) sink.hca(message);
    expect(posted).to.have.length(TRACES_UNDER_WAY_MAX);
    const heard: HcaMessage[] = [];
    const listener = (each: unknown): void => void heard.push(each as HcaMessage);
    subscribe(TraceChannel.HCA, listener);
    publishForwarded(request, posted[0]);
    unsubscribe(TraceChannel.HCA, listener);
    expect(heard).to.deep.equal([message]);
    sink.hca(message);
    expect(posted.slice(TRACES_UNDER_WAY_MAX)).to.deep.equal([
      { hca: message },
      { hca: { ...message, what: 'lost', text: '5 messages of tracing were lost, because nobody took them' } },
    ]);
  });
});
