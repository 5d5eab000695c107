/** Writes over a network that loses frames. Time is virtual: it passes from deadline to deadline. */
import { Counters, Engine } from '@openverbs/hca';
import { Machine, VirtualClock } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { Mtu, SendFlags, WcStatus, WorkCompletion, WrOpcode } from 'openverbs';
import { openTestPair } from 'openverbs/testing';

const MESSAGE_BYTES = 65536;
const IN_FLIGHT = 16;
const DELAY_US = 5;
/** 4.096 us * 2^2 = 16 us: the least that is longer than the 10 us to the other end and back. */
const TIMEOUT = 2;
const MEMORY_BYTES = 2 ** 28;

/** What a run comes to. */
export interface Run {
  /** Bytes of messages that arrived, a nanosecond. */
  readonly goodput: number;
  /** Share of the packets that had been sent before. */
  readonly again: number;
}

/** Writes `messages` messages over a network that loses `drop` of the frames, 0 to 1. */
export function transfer(drop: number, seed: number, messages: number): Run {
  const clock = new VirtualClock(1e9);
  const emulated = { devices: 2, memoryBytes: MEMORY_BYTES, faults: { seed, drop, delay: DELAY_US } };
  using pair = openTestPair({ placement: 'inline', bufferBytes: MESSAGE_BYTES, config: { use: { clock }, emulated } });
  pair.connect({ rtr: { pathMtu: Mtu.MTU_4096 }, rts: { timeout: TIMEOUT } });
  const { a, b } = pair;
  const machine = Machine.attach(pair.openVerbs.machine as MachineHandle);
  const engine = new Engine(machine, 'inline', clock);
  const wcs = WorkCompletion.array(IN_FLIGHT);
  const wr = {
    opcode: WrOpcode.RDMA_WRITE,
    sendFlags: SendFlags.SIGNALED,
    sgList: [a.mr.sge()],
    remoteAddr: b.mr.addr,
    rkey: b.mr.rkey,
  };
  const startNs = clock.nowNs();
  for (let posted = 0, done = 0; done < messages;) {
    for (; posted < messages && posted - done < IN_FLIGHT; posted++) a.qp.postSend(wr);
    const count = a.cq.poll(wcs);
    for (const wc of wcs.slice(0, count)) if (wc.status !== WcStatus.SUCCESS) throw new Error(wc.explain());
    done += count;
    if (count === 0) clock.advanceTo(Math.max(clock.nowNs(), engine.timers.earliestNs));
  }
  const tookNs = clock.nowNs() - startNs;
  const { sent_pkts: sent, retransmitted_pkts: again } = new Counters(machine).read(engine.hcas[0].header);
  machine.detach();
  return { goodput: (messages * MESSAGE_BYTES) / tookNs, again: again / sent };
}
