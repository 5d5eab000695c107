/** Two open contexts of one device, connected in each way that there is: public API, and nothing that knows where it runs. */
import {
  AccessFlags,
  connectPair,
  MwType,
  QpState,
  QpType,
  SendFlags,
  SrqType,
  WcStatus,
  WorkCompletion,
} from 'openverbs';
import type {
  AddressHandle,
  CompletionChannel,
  CompletionQueue,
  CompletionQueueEx,
  Context,
  Device,
  DmaBuffer,
  MemoryRegion,
  MemoryWindow,
  ProtectionDomain,
  QueuePair,
  SendWrInit,
  SharedReceiveQueue,
  WrOpcode,
} from 'openverbs';

const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, MW_BIND, FLUSH_GLOBAL } = AccessFlags;
const REMOTE = REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC | FLUSH_GLOBAL;
const ACCESS = LOCAL_WRITE | REMOTE | MW_BIND;
const CAP = { maxSendWr: 32, maxRecvWr: 32, maxSendSge: 4, maxRecvSge: 4, maxInlineData: 64 };
export const QKEY = 0x11111111;
/** Of each message; a datagram has to fit one packet. */
export const BYTES = 1024;
export const BUFFER_BYTES = 4096;

/** One end: an open context with a queue pair of each kind. */
export class End {
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly channel: CompletionChannel;
  readonly cq: CompletionQueue;
  readonly buffer: DmaBuffer;
  readonly mr: MemoryRegion;
  readonly window: MemoryWindow;
  readonly oldWindow: MemoryWindow;
  readonly srq: SharedReceiveQueue;
  readonly rc: QueuePair;
  /** Receives from `srq`. */
  readonly shared: QueuePair;
  readonly ud: QueuePair;
  readonly cqEx: CompletionQueueEx;
  /** Completes in `cqEx`. */
  readonly rcEx: QueuePair;
  readonly #wcs = WorkCompletion.array(1);

  constructor(device: Device) {
    const context = (this.context = device.open());
    const pd = (this.pd = context.allocPd());
    const channel = (this.channel = context.createCompChannel());
    const cq = (this.cq = context.createCq({ cqe: 128, channel }));
    this.buffer = context.allocBuf(BUFFER_BYTES);
    this.mr = pd.regMr(this.buffer, ACCESS);
    this.window = pd.allocMw(MwType.TYPE_2);
    this.oldWindow = pd.allocMw(MwType.TYPE_1);
    const srq = (this.srq = pd.createSrq({ attr: { maxWr: 32, maxSge: 1 } }));
    const cqs = { sendCq: cq, recvCq: cq };
    this.rc = pd.createQp({ ...cqs, qpType: QpType.RC, cap: CAP });
    this.shared = pd.createQp({ ...cqs, qpType: QpType.RC, srq, cap: CAP });
    this.ud = pd.createQp({ ...cqs, qpType: QpType.UD, cap: CAP });
    const cqEx = (this.cqEx = context.createCqEx({ cqe: 128 }));
    this.rcEx = pd.createQp({ sendCq: cqEx, recvCq: cqEx, qpType: QpType.RC, cap: CAP });
    this.ud.modify({ qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qkey: QKEY });
    this.ud.modify({ qpState: QpState.RTR });
    this.ud.modify({ qpState: QpState.RTS, sqPsn: 0 });
  }

  /** Takes completions, one a poll. */
  take(count: number): void {
    const wcs = this.#wcs;
    for (let taken = 0; taken < count; taken += this.cq.poll(wcs));
    if (wcs[0].status !== WcStatus.SUCCESS) throw new Error(wcs[0].explain());
  }
}

/** Two ends of one device, connected in each way. */
export class Ends {
  readonly a: End;
  readonly b: End;
  /** From `a` to the datagrams of `b`. */
  readonly ah: AddressHandle;
  readonly xrcSend: QueuePair;
  readonly xrcSrq: SharedReceiveQueue;

  constructor(device: Device) {
    const a = (this.a = new End(device));
    const b = (this.b = new End(device));
    const init = { accessFlags: LOCAL_WRITE | REMOTE };
    for (const kind of ['rc', 'shared', 'rcEx'] as const) connectPair(a[kind], b[kind], { init });
    const { gid, lid, port } = b.ud.endpoint();
    this.ah = a.pd.createAh({ grh: { dgid: gid }, dlid: lid, portNum: port });
    const xrcd = b.context.openXrcd();
    this.xrcSrq = b.pd.createSrq({ attr: { maxWr: 32, maxSge: 1 }, srqType: SrqType.XRC, xrcd, cq: b.cq });
    const target = xrcd.createQp();
    this.xrcSend = a.pd.createQp({ qpType: QpType.XRC_SEND, sendCq: a.cq, cap: { maxSendWr: 32, maxSendSge: 1 } });
    this.xrcSend.toInit();
    target.toInit(init);
    target.toRtr(this.xrcSend.endpoint());
    this.xrcSend.toRtr(target.endpoint());
    this.xrcSend.toRts();
  }

  /** A send work request of `a`, signalled; `b`'s memory is what it names. */
  request(opcode: WrOpcode, more: Partial<SendWrInit> = {}): SendWrInit {
    const { a, b } = this;
    const sgList = [a.mr.sge(0, BYTES)];
    return { opcode, sendFlags: SendFlags.SIGNALED, sgList, remoteAddr: b.mr.addr, rkey: b.mr.rkey, ...more };
  }
}
