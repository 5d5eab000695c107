import { subscribe } from 'node:diagnostics_channel';
import { QpType, SendWr, TraceChannel, connectPair, openVerbs, type PacketMessage } from 'openverbs';

// Before openVerbs(), so that messages travel as packets.
subscribe(TraceChannel.PACKET, (message) => {
  const { device, port, direction, text } = message as PacketMessage;
  console.log(`${device}/${port} ${direction} ${text}`);
});

using verbs = openVerbs();
using context = verbs.device().open();
const pd = context.allocPd();
const cq = context.createCq({ cqe: 4 });
const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 1, maxRecvWr: 1 } };
const [near, far] = [pd.createQp(init), pd.createQp(init)];
connectPair(near, far);
far.postRecv({ wrId: 1 });
near.postSend(new SendWr());
