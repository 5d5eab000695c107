/** Guests that send to one receiver: the order of arrival says who was served when. */
import { AccessFlags, connectPair, QpType, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { CompletionQueue, Device, QueuePair, SendWrInit } from '@openverbs/verbs';

/** Takes what all send, and notes whose it was. */
export class Receiver {
  /** One for each sender. */
  readonly qps: readonly QueuePair[];
  /** Whose each message was, in the order of arrival. */
  readonly order: number[] = [];
  readonly #cq: CompletionQueue;
  readonly #wcs = WorkCompletion.array(64);

  /**
   * @param senders - how many there are
   * @param messages - of all of them
   * @param bytes - of the longest message
   */
  constructor(device: Device, senders: number, messages: number, bytes: number) {
    const context = device.open();
    const pd = context.allocPd();
    const cq = (this.#cq = context.createCq({ cqe: messages }));
    const srq = pd.createSrq({ attr: { maxWr: messages, maxSge: 1 } });
    const mr = pd.regMr(context.allocBuf(bytes), AccessFlags.LOCAL_WRITE);
    srq.postRecv(Array.from({ length: messages }, () => ({ sgList: [mr.sge(0, bytes)] })));
    const init = { sendCq: cq, recvCq: cq, srq, qpType: QpType.RC, cap: { maxSendWr: 1 } };
    this.qps = Array.from({ length: senders }, () => pd.createQp(init));
  }

  /** Waits until so many messages have arrived in all. */
  take(count: number): void {
    while (this.order.length < count) {
      const polled = this.#cq.poll(this.#wcs);
      for (const wc of this.#wcs.slice(0, polled)) {
        if (wc.status !== WcStatus.SUCCESS) throw new Error(wc.explain());
        this.order.push(this.qps.findIndex(({ qpNum }) => qpNum === wc.qpNum));
      }
    }
  }
}

/** What sends to a receiver. */
export class MessageSender {
  readonly #qp: QueuePair;
  readonly #wr: SendWrInit;

  /**
   * @param count - of all its messages
   * @param bytes - of each
   */
  constructor(device: Device, to: QueuePair, count: number, bytes: number) {
    const context = device.open();
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: count });
    const cap = { maxSendWr: count, maxRecvWr: 1 };
    this.#qp = pd.createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap });
    connectPair(this.#qp, to);
    const mr = pd.regMr(context.allocBuf(bytes), AccessFlags.LOCAL_WRITE);
    this.#wr = { opcode: WrOpcode.SEND, sgList: [mr.sge(0, bytes)] };
  }

  /** Posts so many messages as one list. */
  post(count: number): void {
    this.#qp.postSend(Array.from({ length: count }, () => this.#wr));
  }
}
