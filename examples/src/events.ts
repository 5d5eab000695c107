/**
 * Completion events instead of polling: nothing spins, and the process sleeps until a message has come.
 *
 * A completion channel is an async iterator of the completion queues that have something; `cq.completions()` is one step
 * further, it hides the channel.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  AccessFlags,
  type CompletionQueue,
  type Context,
  QpType,
  type QueuePair,
  SendFlags,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  connectPair,
  openVerbs,
} from 'openverbs';

const MESSAGES = ['one', 'two', 'three'];

using verbs = openVerbs();
using context = verbs.device().open();
const pd = context.allocPd();
const slots = pd.regMr(context.allocBuf(4096), AccessFlags.LOCAL_WRITE);

const { qp: sender, cq: sendCq } = createEnd(context);
const { qp: receiver, cq: recvCq } = createEnd(context);
connectPair(sender, receiver);
MESSAGES.forEach((_, i) => receiver.postRecv({ wrId: i, sgList: [slots.sge(1024 + i * 64, 64)] }));

await Promise.all([sendSlowly(), receive(recvCq), countSent(sendCq)]);

async function sendSlowly(): Promise<void> {
  for (const [i, message] of MESSAGES.entries()) {
    await delay(20);
    const bytes = Buffer.from(message);
    slots.bytes.set(bytes, i * 64);
    const sgList = [slots.sge(i * 64, bytes.length)];
    sender.postSend({ wrId: i, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList });
  }
}

/** By hand: arm, wait for the channel, arm again, and only then poll, so that none is missed. */
async function receive(cq: CompletionQueue): Promise<void> {
  const completions = WorkCompletion.array(4);
  let received = 0;
  cq.reqNotify();
  for await (const ready of cq.channel!) {
    ready.reqNotify();
    for (let count; (count = ready.poll(completions)) > 0; received += count) {
      for (const wc of completions.slice(0, count)) {
        const start = 1024 + wc.wrId * 64;
        console.log(`received ${Buffer.from(slots.bytes.slice(start, start + wc.byteLen)).toString()}`);
      }
    }
    if (received === MESSAGES.length) return;
  }
}

/** The short form, of the same steps. */
async function countSent(cq: CompletionQueue): Promise<void> {
  let sent = 0;
  for await (const batch of cq.completions()) {
    for (const wc of batch) if (wc.status !== WcStatus.SUCCESS) throw new Error(wc.explain());
    sent += batch.length;
    if (sent === MESSAGES.length) break;
  }
  console.log(`${sent} sent`);
}

function createEnd(owner: Context): { qp: QueuePair; cq: CompletionQueue } {
  const cq = owner.createCq({ cqe: 16, channel: owner.createCompChannel() });
  const qp = pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 8, maxRecvWr: 8 } });
  return { qp, cq };
}
