/** The shortest useful program: two connected queue pairs, and one writes into the memory of the other. */
import { AccessFlags, QpType, SendFlags, WcStatus, WorkCompletion, WrOpcode, connectPair, openVerbs } from 'openverbs';

using verbs = openVerbs();
const context = verbs.device().open();
const pd = context.allocPd();
const cq = context.createCq({ cqe: 16 });
const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 4, maxRecvWr: 4 } };
const near = pd.createQp(init);
const far = pd.createQp(init);
connectPair(near, far);

const source = pd.regMr(context.allocBuf(4096), AccessFlags.LOCAL_WRITE);
const target = pd.regMr(context.allocBuf(4096), AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
const message = Buffer.from('Written by RDMA, without the other side taking part.');
source.bytes.set(message);

const { addr: remoteAddr, rkey } = target;
const sgList = [source.sge(0, message.length)];
near.postSend({ wrId: 1, opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList, remoteAddr, rkey });

const [completion] = WorkCompletion.array(1);
while (cq.poll([completion]) === 0);
if (completion.status !== WcStatus.SUCCESS) throw new Error(completion.explain());
console.log(Buffer.from(target.bytes.slice(0, message.length)).toString());
