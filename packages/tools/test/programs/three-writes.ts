/** Three writes of 100 bytes, memory that is registered twice, one poll that finds nothing; then it ends as its first argument says. */
import { AccessFlags, connectPair, openVerbs, QpType, SendFlags, WorkCompletion, WrOpcode } from 'openverbs';

const [end = ''] = process.argv.slice(2);
console.log(`three-writes ${end}`);
if (end === 'alone') process.exit(0);
{
  using verbs = openVerbs(end === 'native' ? { provider: 'emulated' } : { registrationCache: true });
  const context = verbs.device().open();
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: 16 });
  const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 4, maxRecvWr: 4 } };
  const [near, far] = [pd.createQp(init), pd.createQp(init)];
  connectPair(near, far);
  const buffer = context.allocBuf(4096);
  const { addr: remoteAddr, rkey } = pd.regMr(buffer, AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
  const mr = pd.regMr(buffer, AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
  const sgList = [mr.sge(0, 100)];
  const wr = { opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList, remoteAddr, rkey };
  near.postSend([wr, wr, wr]);
  const wcs = WorkCompletion.array(1);
  for (let taken = 0; taken < 3;) taken += cq.poll(wcs);
  if (end === 'stays') setInterval(() => undefined, 1000);
  if (end === 'stays') await new Promise(() => undefined);
}
if (end === 'throws') throw new Error('this is how it ends');
if (end === 'status') process.exit(3);
