/** Sends that name memory which is not registered: they cost their guest what a message of that length would, and no other guest its share. */
import { expect } from 'chai';
import { VirtualClock } from '@openverbs/machine';
import { AccessFlags, connectPair, QpType, Sge, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { CompletionQueue, Context, Device, MemoryRegion, ProtectionDomain, QueuePair } from '@openverbs/verbs';
import { openXen } from './support/open-xen.ts';

const MS_NS = 1e6;
const LINK_BYTES_PER_S = 320e6;
const MESSAGE_BYTES = 65536;
/** Shorter than the longest message, and far longer than what the link sends in a look. */
const CLAIM_BYTES = 32 * 2 ** 20;
const DEPTH = 64;
const MS = 2000;

class Program {
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly cq: CompletionQueue;
  readonly mr: MemoryRegion;
  readonly wcs = WorkCompletion.array(DEPTH);

  constructor(device: Device) {
    this.context = device.open();
    this.pd = this.context.allocPd();
    this.cq = this.context.createCq({ cqe: DEPTH });
    const access = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE;
    this.mr = this.pd.regMr(this.context.allocBuf(2 * MESSAGE_BYTES), access);
  }

  /** A queue pair that is connected to itself. */
  qp(): QueuePair {
    const cap = { maxSendWr: DEPTH, maxRecvWr: 1, maxSendSge: 1 };
    const qp = this.pd.createQp({ qpType: QpType.RC, sendCq: this.cq, recvCq: this.cq, cap, sqSigAll: true });
    connectPair(qp, qp);
    return qp;
  }

  write(qp: QueuePair, length: number, lkey: number): void {
    const { addr, rkey } = this.mr;
    const sgList = [new Sge(addr, length, lkey)];
    qp.postSend({ opcode: WrOpcode.RDMA_WRITE, sgList, remoteAddr: addr + MESSAGE_BYTES, rkey });
  }
}

describe('claims of more than there is to send', () => {
  it('take no more than the share of the guest that makes them', () => {
    const clock = new VirtualClock();
    using xen = openXen({ mode: 'basic', guests: 2, bandwidthBytesPerS: LINK_BYTES_PER_S }, clock);
    const [liar, honest] = xen.devices.map((device) => new Program(device));
    const honestQp = honest.qp();
    let [outstanding, bytes, claims] = [0, 0, 0];
    let liarQp: QueuePair | null = null;
    for (let at = 0; at < MS; at++) {
      for (; outstanding < DEPTH; outstanding++) honest.write(honestQp, MESSAGE_BYTES, honest.mr.lkey);
      if (liarQp === null) {
        liarQp = liar.qp();
        liar.write(liarQp, CLAIM_BYTES, liar.mr.lkey + 1);
      }
      clock.advance(MS_NS);
      const done = honest.cq.poll(honest.wcs);
      outstanding -= done;
      bytes += done * MESSAGE_BYTES;
      if (liar.cq.poll(liar.wcs) === 0) continue;
      expect(liar.wcs[0].status).to.equal(WcStatus.LOC_PROT_ERR);
      claims++;
      liarQp.destroy();
      liarQp = null;
    }
    const whole = (LINK_BYTES_PER_S * MS) / 1000;
    expect(claims).to.be.above(2);
    expect(claims * CLAIM_BYTES).to.be.below(whole / 2 + 2 * CLAIM_BYTES);
    // Half, less what is under way at the end.
    expect(bytes).to.be.above(whole / 2 - 2 * CLAIM_BYTES);
    liarQp?.destroy();
    for (const { context } of [liar, honest]) context[Symbol.dispose]();
  }).timeout(30_000);

  it('are charged to the rate of their guest in full', () => {
    const clock = new VirtualClock();
    const limited = { rateBytesPerS: CLAIM_BYTES, burstBytes: 1 };
    using xen = openXen({ mode: 'basic', guests: [limited] }, clock);
    const program = new Program(xen.devices[0]);
    program.write(program.qp(), CLAIM_BYTES, program.mr.lkey + 1);
    program.write(program.qp(), MESSAGE_BYTES, program.mr.lkey);
    // The first look has the back-end post what may go by then.
    const completed = (): number => program.cq.poll(program.wcs) + program.cq.poll(program.wcs);
    clock.advance(MS_NS);
    expect(completed()).to.equal(1);
    clock.advance(900 * MS_NS);
    expect(completed()).to.equal(0);
    clock.advance(200 * MS_NS);
    expect(completed()).to.equal(1);
    program.context[Symbol.dispose]();
  });
});
