/** What `openverbs-xentop` shows when no program is given: guests of both kinds that write to each other, now and then more, now and then less. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AccessFlags,
  connectPair,
  type CompletionChannel,
  type CompletionQueue,
  type DmaBuffer,
  type MemoryRegion,
  openVerbs,
  type OpenVerbs,
  type ProtectionDomain,
  QpType,
  type QueuePair,
  SendFlags,
  WorkCompletion,
  WrOpcode,
} from 'openverbs';

const BUFFER_BYTES = 64 * 1024;
const ROUND_MS = 20;
const BURST_MAX = 16;
const CAP = { maxSendWr: BURST_MAX, maxRecvWr: 1 };

/** A guest at work. */
interface Peer {
  readonly pd: ProtectionDomain;
  readonly channel: CompletionChannel;
  readonly cq: CompletionQueue;
  readonly qp: QueuePair;
  readonly buffer: DmaBuffer;
  readonly mr: MemoryRegion;
}

const [guests = '4'] = process.argv.slice(2);
const names = Array.from({ length: Number(guests) }, (_, n) => ({
  name: `guest${n + 1}`,
  mode: n % 2 === 0 ? ('basic' as const) : ('bypass' as const),
}));
const verbs = openVerbs({ provider: 'xen', xen: { placement: 'thread', guests: names }, registrationCache: true });
const peers = openPeers(verbs);
const wcs = WorkCompletion.array(1);
void play();

/** Ends with its thread. */
async function play(): Promise<void> {
  for (let round = 0; ; round++) {
    for (const [n, peer] of peers.entries()) work(peer, peers[n ^ 1], 1 + ((round + 5 * n) % BURST_MAX));
    await sleep(ROUND_MS);
  }
}

/** One device of each guest, connected two by two. */
function openPeers({ devices }: OpenVerbs): Peer[] {
  const opened = devices.flatMap((device) => {
    if (!device.name.endsWith('.0')) return [];
    const context = device.open();
    const pd = context.allocPd();
    const channel = context.createCompChannel();
    const cq = context.createCq({ cqe: 2 * BURST_MAX, channel });
    const qp = pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: CAP });
    const buffer = context.allocBuf(BUFFER_BYTES);
    const mr = pd.regMr(buffer, AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
    return [{ pd, channel, cq, qp, buffer, mr }];
  });
  for (let n = 0; n < opened.length; n += 2) connectPair(opened[n].qp, opened[n + 1].qp);
  return opened;
}

/** A burst of writes from memory that is registered for it, as programs do which keep no registrations. */
function work({ pd, channel, cq, qp, buffer }: Peer, { mr: target }: Peer, count: number): void {
  const mr = pd.regMr(buffer, AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
  const { addr: remoteAddr, rkey } = target;
  const sgList = [mr.sge(0, Math.floor(BUFFER_BYTES / count))];
  const wr = { opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList, remoteAddr, rkey };
  cq.reqNotify();
  qp.postSend(Array.from({ length: count }, () => wr));
  for (let taken = 0; taken < count;) {
    const polled = cq.poll(wcs);
    if (polled === 1 && wcs[0].status !== 0) throw new Error(wcs[0].explain());
    taken += polled;
  }
  while (channel.tryGetCqEvent() !== null) cq.ackEvents(1);
  mr.dereg();
}
