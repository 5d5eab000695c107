import { expect } from 'chai';
import { CqeSyndrome } from '@openverbs/verbs/rings';
import { EngineState } from '../src/engine-state.ts';
import { Qpc, QpcState, QpcType } from '../src/layout.ts';
import { Opcode } from '../src/opcode.ts';
import { reap } from '../src/reap.ts';
import { ackTimeoutNs } from '../src/retry-timer.ts';
import { audit } from './support/audit.ts';
import { cutOff } from './support/cut.ts';
import { Testbed } from './support/testbed.ts';

const CALLS_MAX = 5000;

/** Everything that a thread can leave behind. */
function inventory(bed: Testbed): object {
  const { usedBytes, buffers } = bed.machine.pages.stats();
  return { ...bed.hca.objects, usedBytes, buffers };
}

/** Lets the machine believe that the thread of another testbed has ended. */
function die(victim: Testbed): void {
  victim.machine.threads.declareDead(victim.machine.threadIndex);
}

/** One of everything, in use. */
function makeEverything(bed: Testbed): void {
  const region = bed.pagedRegion(9000, 5);
  const [a, b] = bed.pair();
  b.recv([region.sge(0, 100)]);
  a.send({ sges: [region.sge(4000, 100)] });
  a.send({}); // waits for a receive, with a timer
  bed.cq(2).resize(4);
  bed.commands.allocPd(bed.uar);
  bed.commands.openUar();
  bed.cq();
  bed.ah();
  bed.modify(bed.qp(), QpcState.INIT);
  const srq = bed.srq();
  const [c, d] = [bed.qp(), bed.qp({ srq })];
  bed.connect(c, d);
  srq.recv([region.sge(0, 100)]);
  srq.recv();
  c.send({ sges: [region.sge(4000, 100)] });
  srq.resize(5);
  const xrcdn = bed.commands.xrcds.open({ uar: bed.uar, create: true, exclusive: false });
  const cqn = bed.cq().number;
  bed.srq({ xrc: { xrcdn, cqn } });
  const { number: qpn } = bed.qp({ type: QpcType.XRC_RECV, xrcdn });
  bed.commands.qps.open({ uar: bed.uar, xrcdn, qpn });
}

describe('reap', () => {
  it('reclaims all that a dead thread had, and nothing else', () => {
    const bed = new Testbed();
    makeEverything(bed);
    const before = inventory(bed);
    const victim = bed.join();
    makeEverything(victim);
    expect(reap(bed.engine), 'a thread that lives').to.equal(0);
    die(victim);
    expect(reap(bed.engine)).to.equal(1);
    audit(bed);
    expect(inventory(bed)).to.deep.equal(before);
    expect(new EngineState(bed.engine).threadsReaped).to.equal(1);
    expect(reap(bed.engine)).to.equal(0);
  });

  it('reclaims all of it wherever the thread was cut off', () => {
    const bed = new Testbed();
    const before = inventory(bed);
    let wasCut = true;
    let calls = 0;
    for (; wasCut && calls < CALLS_MAX; calls++) {
      const victim = bed.join();
      wasCut = cutOff(bed, calls, () => makeEverything(victim), victim.machine);
      die(victim);
      expect(reap(bed.engine)).to.equal(1);
      audit(bed);
      expect(inventory(bed), `cut off at call ${calls}`).to.deep.equal(before);
    }
    expect(wasCut).to.equal(false);
    expect(calls).to.be.above(100);
  });

  it('of a thread that was cut off while it reaped another finds both', () => {
    const bed = new Testbed();
    const before = inventory(bed);
    for (let n = 0, wasCut = true; wasCut; n += 7) {
      const [first, second] = [bed.join(), bed.join()];
      makeEverything(first);
      die(first);
      wasCut = cutOff(bed, n, () => void reap(second.engine), second.machine);
      die(second);
      reap(bed.engine);
      audit(bed);
      expect(inventory(bed), `cut off at call ${n}`).to.deep.equal(before);
    }
  });

  it('of a peer leaves its requester with a timeout', () => {
    const bed = new Testbed();
    const victim = bed.join();
    const words = [[Qpc.RETRY_CNT, 1], [Qpc.TIMEOUT, 8]] as const; // prettier-ignore
    const [a, b] = [bed.qp(), victim.qp()];
    bed.connect(a, b, new Map<number, number>(words));
    die(victim);
    reap(bed.engine);
    a.send({ opcode: Opcode.RDMA_WRITE });
    bed.advance(2 * ackTimeoutNs(8));
    expect(a.sendCq.poll()[0]).to.include({ syndrome: CqeSyndrome.RETRY_EXC_ERR });
  });

  it('is done by whoever polls for long', () => {
    const bed = new Testbed();
    const before = inventory(bed);
    const victim = bed.join();
    makeEverything(victim);
    die(victim);
    for (let poll = 0; poll < 1024; poll++) bed.engine.idle();
    expect(inventory(bed)).to.deep.equal(before);
    audit(bed);
  });

  it('is done by whoever polls for long, even if each poll finds something to do', () => {
    const bed = new Testbed();
    const before = inventory(bed);
    const victim = bed.join();
    makeEverything(victim);
    die(victim);
    for (let poll = 0; poll < 1024; poll++) {
      bed.engine.uars.mark(bed.uar);
      bed.engine.idle();
    }
    expect(inventory(bed)).to.deep.equal(before);
    audit(bed);
  });

  it('lets a new thread have the slot, and the numbers with another generation', () => {
    const bed = new Testbed();
    const victim = bed.join();
    const { number } = victim.qp();
    const slot = victim.machine.threadIndex;
    die(victim);
    reap(bed.engine);
    const next = bed.join();
    expect(next.machine.threadIndex).to.equal(slot);
    const qp = next.qp();
    expect(qp.number & 0xffff).to.equal(number & 0xffff);
    expect(qp.number).to.not.equal(number);
    next.machine.detach();
  });
});
