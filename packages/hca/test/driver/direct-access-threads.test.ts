import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { hostClock } from '@openverbs/machine';
import { connectPair, Device, QpType, SendFlags, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { createCqOn, createQpOn, regQueueBuffer, userHalfOf } from '@openverbs/verbs/driver';
import { HcaDevice, userDriver } from '../../src/driver/index.ts';
import { audit } from '../support/audit.ts';
import { dispatcher } from '../support/dispatcher.ts';
import { allocPages, pagesOf } from '../support/front-end.ts';
import type { GuestWork } from '../support/guest-thread.ts';
import { Testbed } from '../support/testbed.ts';

const ROUNDS = 300;
const WAIT_NS = 30e9;

describe('direct access of two threads', () => {
  it('one with the kernel half, the other with the user half, plays ping-pong with a third context', async () => {
    const bed = new Testbed();
    const { machine } = bed;
    const device = new Device(new HcaDevice(bed.engine, bed.hca, bed.clock), 'emulated', dispatcher);

    // The kernel half makes everything; it never posts or polls.
    const back = device.open();
    const cap = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
    const user = userDriver.open(userHalfOf(back), { machine, inlineSource: () => -1 });
    const alloc = (bytes: number): { addr: number; pages: number[] } => {
      const addr = allocPages(machine, bytes);
      return { addr, pages: pagesOf(addr, bytes) };
    };
    const cqMemory = alloc(user.cqGeometry(16).bytes);
    const backCq = createCqOn(regQueueBuffer(back, cqMemory.pages), { cqe: 16 });
    const qpMemory = alloc(user.qpGeometry({ qpType: QpType.RC, cap, withSrq: false }).bytes);
    const pd = back.allocPd();
    const init = { qpType: QpType.RC, sendCq: backCq, recvCq: backCq, cap };
    const backQp = createQpOn(regQueueBuffer(back, qpMemory.pages), pd, init);
    const backMr = pd.regMr(back.allocBuf(8192), 0xf);

    const near = device.open();
    const cq = near.createCq({ cqe: 16 });
    const nearPd = near.allocPd();
    const qp = nearPd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap });
    const mr = nearPd.regMr(near.allocBuf(4096), 0xf);
    connectPair(qp, backQp);

    const workerData: GuestWork = {
      machine: machine.handle,
      userHalf: userHalfOf(back),
      cap,
      cq: { addr: cqMemory.addr, handle: backCq.handle, cqe: 16 },
      qp: { addr: qpMemory.addr, handle: backQp.handle, qpNum: backQp.qpNum },
      mr: backMr,
      rounds: ROUNDS,
      deviceAttr: back.queryDevice(),
      portAttr: back.queryPort(),
    };
    const { addr, lkey } = backMr;
    const worker = new Worker(new URL('../support/guest-thread.js', import.meta.url), {
      workerData: { ...workerData, mr: { addr, lkey } },
    });
    const ended = new Promise<number>((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    await Promise.race([new Promise((resolve) => worker.once('message', resolve)), ended]);

    const wcs = WorkCompletion.array(2);
    const deadlineNs = hostClock.nowNs() + WAIT_NS;
    for (let round = 0; round < ROUNDS; round++) {
      const length = (round * 7) % 900;
      qp.postRecv({ wrId: round, sgList: [mr.sge(1024, 1024)] });
      const sgList = [mr.sge(0, length)];
      qp.postSend({ wrId: 1000 + round, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList });
      for (let open = 2; open > 0;) {
        if (hostClock.nowNs() > deadlineNs) throw new Error(`round ${round}: ${open} completions did not come`);
        for (const { wrId, status, byteLen } of wcs.slice(0, cq.poll(wcs))) {
          expect(status).to.equal(0);
          if (wrId === round) expect(byteLen).to.equal(length + 1);
          open--;
        }
      }
    }
    expect(await ended).to.equal(0);
    back[Symbol.dispose]();
    near[Symbol.dispose]();
    audit(bed);
  });
});
