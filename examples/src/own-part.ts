/**
 * A part of one's own: `use` hands objects to OpenVerbs in the place of the usual ones. This one makes the usual CQE pollers and keeps them
 * in sight, to print what buffering has saved a guest of the split driver.
 */
import { CqePollers, type CqePoller } from '@openverbs/cqe-poller';
import { SendFlags, WorkCompletion, WrOpcode } from 'openverbs';
import { openTestPair } from 'openverbs/testing';

const BURST = 16;

class WatchedPollers extends CqePollers {
  readonly all: CqePoller[] = [];

  override attach(...args: Parameters<CqePollers['attach']>): CqePoller {
    const poller = super.attach(...args);
    this.all.push(poller);
    return poller;
  }
}

const cqePoller = new WatchedPollers();
using pair = openTestPair({ config: { provider: 'xen:basic', use: { cqePoller } } });
pair.connect();
const { a, b } = pair;

const write = {
  opcode: WrOpcode.RDMA_WRITE,
  sendFlags: SendFlags.SIGNALED,
  sgList: [a.mr.sge(0, 8)],
  remoteAddr: b.mr.addr,
  rkey: b.mr.rkey,
};
a.qp.postSend(Array.from({ length: BURST }, () => write));
const wcs = WorkCompletion.array(1);
for (let polled = 0; polled < BURST;) polled += a.cq.poll(wcs);

for (const { statistics } of cqePoller.all) {
  const { polls, localPolls, cqes } = statistics;
  if (polls > 0) console.log(`${cqes} completions by ${polls} polls, ${localPolls} of them without a trip`);
}
