/** A write that the peer refuses, for those who look at what is printed about it. */
import { setTimeout as sleep } from 'node:timers/promises';

import {
  AccessFlags,
  QpType,
  SendFlags,
  VerbsError,
  WorkCompletion,
  WrOpcode,
  connectPair,
  openVerbs,
} from '../../src/index.ts';

using verbs = openVerbs();
const context = verbs.device().open();
const pd = context.allocPd();
const cq = context.createCq({ cqe: 16 });
try {
  context.createCq({ cqe: 0 });
} catch (error) {
  if (!VerbsError.is(error)) throw error;
}
const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 4, maxRecvWr: 4 } };
const near = pd.createQp(init);
const far = pd.createQp(init);
connectPair(near, far);
const mr = pd.regMr(context.allocBuf(4096), AccessFlags.LOCAL_WRITE);
const { addr: remoteAddr, rkey } = mr;
const sgList = [mr.sge(0, 8)];
near.postSend({ wrId: 7, opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList, remoteAddr, rkey });
const wcs = WorkCompletion.array(1);
while (cq.poll(wcs) === 0);
// What another thread tells comes by the event loop, as do events.
await sleep(300);
