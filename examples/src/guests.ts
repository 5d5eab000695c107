/**
 * Guests of the split driver beside a native program, on one HCA: each writes into the memory of the next. The code is that of any program; where
 * a peer runs is the business of the configuration. What each guest has cost the device domain stands below.
 */
import {
  AccessFlags,
  type CompletionQueue,
  type Device,
  type MemoryRegion,
  QpType,
  type QueuePair,
  SendFlags,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  connectPair,
  openVerbs,
} from 'openverbs';

const BYTES = 4096;
const ROUNDS = 100;

/** A program: its memory, and queue pairs to the one behind it and to the one in front. */
interface Peer {
  readonly name: string;
  readonly cq: CompletionQueue;
  readonly mr: MemoryRegion;
  readonly from: QueuePair;
  readonly to: QueuePair;
}

function start(device: Device): Peer {
  const context = device.open();
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: 16 });
  const mr = pd.regMr(context.allocBuf(BYTES), AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
  const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 4, maxRecvWr: 4 } };
  return { name: device.name, cq, mr, from: pd.createQp(init), to: pd.createQp(init) };
}

/** Writes the whole memory of one into that of another. */
function write({ cq, mr, to }: Peer, { mr: target }: Peer): void {
  const { addr: remoteAddr, rkey } = target;
  to.postSend({ opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge()], remoteAddr, rkey });
  const [completion] = WorkCompletion.array(1);
  while (cq.poll([completion]) === 0);
  if (completion.status !== WcStatus.SUCCESS) throw new Error(completion.explain());
}

const guests = [
  { name: 'web', mode: 'bypass' },
  { name: 'db', mode: 'basic' },
] as const;
using verbs = openVerbs({ providers: ['emulated', 'xen'], xen: { guests } });
const peers = verbs.devices.map(start);
const next = (peer: Peer): Peer => peers[(peers.indexOf(peer) + 1) % peers.length];
for (const peer of peers) connectPair(peer.to, next(peer).from);

const message = Buffer.from('around the HCA');
peers[0].mr.bytes.set(message);
for (let round = 0; round < ROUNDS; round++) for (const peer of peers) write(peer, next(peer));
for (const { name, mr } of peers) console.log(`${name}: ${Buffer.from(mr.bytes.slice(0, message.length)).toString()}`);

for (const { name, mode, ringRequests, backend } of verbs.guests())
  console.log(`${name} (${mode}): ${ringRequests} commands, ${backend?.bytes} bytes sent`);
