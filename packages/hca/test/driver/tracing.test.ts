import { expect } from 'chai';
import type { HcaMessage, PacketMessage } from '@openverbs/verbs';
import { type TraceSink, traceEngine } from '../../src/driver/tracing.ts';
import { Qpc } from '../../src/layout.ts';
import { TAP_RECORDS_MAX } from '../../src/limits.ts';
import { Opcode } from '../../src/opcode.ts';
import { Testbed } from '../support/testbed.ts';

interface Told {
  readonly packets: PacketMessage[];
  readonly notes: HcaMessage[];
  traced: { packets: boolean; hca: boolean };
}

/** Collects what is told. Each time it asks for the machine's lock, which it gets: nothing is told under it. */
function listen(bed: Testbed): Told {
  const told: Told = { packets: [], notes: [], traced: { packets: true, hca: true } };
  const sink: TraceSink = {
    traced: {
      get packets() {
        return told.traced.packets;
      },
      get hca() {
        return told.traced.hca;
      },
    },
    packet(message) {
      expect(bed.machine.lock.ownerIndex).to.equal(0);
      told.packets.push(message);
    },
    hca(message) {
      expect(bed.machine.lock.ownerIndex).to.equal(0);
      told.notes.push(message);
    },
  };
  traceEngine(bed.engine, sink);
  return told;
}

describe('tracing of devices', () => {
  it('tells of each frame, as it is sent and as it is received', () => {
    const bed = Testbed.withPackets();
    const [a, b] = bed.pair();
    const told = listen(bed);
    const here = bed.region(4096);
    here.fill(100);
    b.recv([here.sge(200, 100)]);
    a.send({ sges: [here.sge(0, 100)] });
    expect(told.packets.map(({ direction, text }) => [direction, /RC_\w+/.exec(text)?.[0]])).to.deep.equal([
      ['sent', 'RC_SEND_ONLY'],
      ['received', 'RC_SEND_ONLY'],
      ['sent', 'RC_ACKNOWLEDGE'],
      ['received', 'RC_ACKNOWLEDGE'],
    ]);
    const [sent, received] = told.packets;
    expect(sent).to.include({ device: 'hca0', port: 1, atNs: bed.clock.nowNs() });
    expect(sent.text).to.match(/^IP6 fe80::.* > fe80::.*qpn 0x.*psn 0.*payload 100$/);
    expect(Buffer.compare(sent.frame, received.frame)).to.equal(0);
    expect(sent.frame.buffer).to.not.equal(bed.machine.u8.buffer);
    expect(Buffer.from(sent.frame).includes(Buffer.from(here.read(0, 100)))).to.equal(true);
    structuredClone(sent);
    expect(told.notes).to.deep.equal([]);
  });

  it('shows what is lost and what is damaged', () => {
    const bed = Testbed.withPackets({ seed: 1, corrupt: 1 });
    const [a] = bed.pair({}, new Map([[Qpc.RETRY_CNT, 0]]));
    const told = listen(bed);
    a.send({ opcode: Opcode.RDMA_WRITE, sges: [bed.region(64).sge()], ...bed.region(64).at() });
    expect(told.packets.map(({ direction }) => direction)).to.deep.equal(['sent', 'received']);
    expect(told.packets[1].text).to.match(/bad ICRC|not RoCEv2|bad packet/);
    bed.engine.faults!.set({ drop: 1, corrupt: 0 });
    bed.advance(1e9);
    expect(told.packets.filter(({ direction }) => direction === 'received')).to.have.length(1);
  });

  it('tells of retries, failed completions and QPs in error, in words', () => {
    const bed = new Testbed();
    const [a] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 1]]));
    const told = listen(bed);
    a.send({ sges: [bed.region(64).sge()] });
    bed.advance(1e9);
    const ofA = told.notes.filter(({ qpNum }) => qpNum === a.number);
    expect(ofA.map(({ what }) => what)).to.deep.equal([
      'rcvd_rnr_err',
      'rcvd_rnr_err',
      'retry_rnr_exceeded_err',
      'state',
      'completion',
    ]);
    expect(ofA.slice(-2).map(({ text }) => text)).to.deep.equal([
      'goes to ERR',
      'RNR_RETRY_EXC_ERR: the peer had no receive posted, and rnrRetry is used up',
    ]);
    expect(told.packets).to.deep.equal([]);
  });

  it('makes no record while nobody wants it', () => {
    const bed = Testbed.withPackets();
    const [a] = bed.pair({}, new Map([[Qpc.RNR_RETRY, 0]]));
    const told = listen(bed);
    told.traced = { packets: false, hca: false };
    a.send({ sges: [bed.region(64).sge()] });
    told.traced = { packets: true, hca: true };
    bed.engine.command(() => undefined);
    expect([told.packets, told.notes]).to.deep.equal([[], []]);
  });

  it('loses records beyond a limit, and says how many', () => {
    const bed = new Testbed();
    const [a] = bed.pair();
    const told = listen(bed);
    bed.engine.command(() => {
      for (let n = 0; n < TAP_RECORDS_MAX + 7; n++) bed.engine.events.tap.note(a.context, 'state', 6);
    });
    expect(told.notes).to.have.length(TAP_RECORDS_MAX + 1);
    expect(told.notes.at(-1)!.text).to.match(/^7 messages/);
  });
});
