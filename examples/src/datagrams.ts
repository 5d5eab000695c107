/**
 * Unreliable datagrams: one server, and two clients that it has never heard of.
 *
 * A datagram goes to whoever the address handle of its work request leads to. Each receive begins with 40 bytes of header (GRH),
 * from which, with the completion, the server makes the address handle that leads back. Its receives are in a shared receive queue,
 * which any number of its queue pairs could take from.
 */
import {
  AccessFlags,
  type AddressHandle,
  type CompletionQueue,
  type Context,
  GRH_BYTES,
  QpState,
  QpType,
  SendFlags,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  openVerbs,
} from 'openverbs';

/** Both sides have to know it: datagrams with another one are dropped. */
const QKEY = 0x11111111;
/** A receive: the header, and room for the text. */
const SLOT_BYTES = GRH_BYTES + 64;
const SLOTS = 4;
const PORT = 1;

using verbs = openVerbs();
using context = verbs.device().open();
const server = createEnd(context);
const clients = [createEnd(context), createEnd(context)];

/** To the server: its address, which clients know from somewhere, as they know its QPN. */
const dgid = context.queryGid(PORT, 0);
clients.forEach((client, n) => {
  const ah = client.pd.createAh({ portNum: PORT, isGlobal: true, grh: { dgid } });
  send(client, ah, server.qp.qpNum, `hello from client ${n}`);
});

const addressHandles: AddressHandle[] = [];
for (let answered = 0; answered < clients.length; answered++) {
  const { wc, text, header } = receive(server);
  const back = server.pd.createAhFromWc(wc, header, PORT);
  addressHandles.push(back);
  send(server, back, wc.srcQp, `${text}, answered`);
}
for (const client of clients) console.log(receive(client).text);
for (const ah of addressHandles) ah.destroy();

type End = ReturnType<typeof createEnd>;

function createEnd(owner: Context) {
  const pd = owner.allocPd();
  const sendCq = owner.createCq({ cqe: SLOTS });
  const recvCq = owner.createCq({ cqe: SLOTS });
  const srq = pd.createSrq({ attr: { maxWr: SLOTS, maxSge: 1 } });
  const qp = pd.createQp({
    qpType: QpType.UD,
    sendCq,
    recvCq,
    srq,
    cap: { maxSendWr: SLOTS, maxSendSge: 1 },
  });
  const mr = pd.regMr(owner.allocBuf(2 * SLOTS * SLOT_BYTES), AccessFlags.LOCAL_WRITE);
  // No peer: what a connected queue pair has to be told of one, a work request says here.
  qp.toInit({ qkey: QKEY });
  qp.modify({ qpState: QpState.RTR });
  qp.modify({ qpState: QpState.RTS, sqPsn: 0 });
  for (let wrId = 0; wrId < SLOTS; wrId++) srq.postRecv({ wrId, sgList: [mr.sge(wrId * SLOT_BYTES, SLOT_BYTES)] });
  return { pd, sendCq, recvCq, qp, mr };
}

function send({ qp, sendCq, mr }: End, ah: AddressHandle, remoteQpn: number, text: string): void {
  const bytes = Buffer.from(text);
  const at = SLOTS * SLOT_BYTES;
  mr.bytes.set(bytes, at);
  qp.postSend({
    opcode: WrOpcode.SEND,
    sendFlags: SendFlags.SIGNALED,
    sgList: [mr.sge(at, bytes.length)],
    ah,
    remoteQpn,
    remoteQkey: QKEY,
  });
  waitFor(sendCq);
}

function receive({ recvCq, mr }: End): { wc: WorkCompletion; text: string; header: Uint8Array } {
  const wc = waitFor(recvCq);
  const start = wc.wrId * SLOT_BYTES;
  const header = mr.bytes.slice(start, start + GRH_BYTES);
  // The length counts the header, whether there is one or not.
  const text = Buffer.from(mr.bytes.slice(start + GRH_BYTES, start + wc.byteLen)).toString();
  return { wc, text, header };
}

function waitFor(cq: CompletionQueue): WorkCompletion {
  const [wc] = WorkCompletion.array(1);
  while (cq.poll([wc]) === 0);
  if (wc.status !== WcStatus.SUCCESS) throw new Error(wc.explain());
  return wc;
}
