/** Tells of completions, for CQs that are made while somebody listens; others have no part in it, and pay nothing. */
import { WcExFlags } from '../enums/cq.ts';
import type { WorkCompletion } from '../work-completion.ts';
import { pollChannel, type PolledCompletion, type PollMessage, traceNowNs } from './channels.ts';

/** A CQ, as far as it is traced. */
interface Queue {
  readonly label: string;
  readonly context: { readonly device: { readonly name: string } };
  poll(wcs: WorkCompletion[], limit?: number): number;
}

/** An extended CQ, as far as it is traced. */
interface QueueEx extends Queue {
  readonly wcFlags: number;
  readonly wrId: number;
  readonly status: number;
  startPoll(): boolean;
  nextPoll(): boolean;
  readOpcode(): number;
  readVendorErr(): number;
  readByteLen(): number;
  readQpNum(): number;
  explain(): string;
}

/** Has the CQ tell of the completions that are polled, if somebody listens. */
export function tracePolls(cq: Queue): void {
  if (!pollChannel.hasSubscribers) return;
  const poll = cq.poll.bind(cq);
  cq.poll = (wcs, limit) => {
    const atNs = traceNowNs();
    const count = poll(wcs, limit);
    if (count > 0) publish(cq, wcs.slice(0, count).map(polled), atNs);
    return count;
  };
}

/** The same, of completions that are read where they lie. */
export function traceReads(cq: QueueEx): void {
  if (!pollChannel.hasSubscribers) return;
  for (const step of ['startPoll', 'nextPoll'] as const) {
    const go = cq[step].bind(cq);
    cq[step] = () => {
      const atNs = traceNowNs();
      const found = go();
      if (found) publish(cq, [read(cq)], atNs);
      return found;
    };
  }
}

function publish(cq: Queue, completions: readonly PolledCompletion[], atNs: number): void {
  const device = cq.context.device.name;
  const message: PollMessage = { device, object: cq.label, completions, atNs, durationNs: traceNowNs() - atNs };
  pollChannel.publish(message);
}

function polled(wc: WorkCompletion): PolledCompletion {
  const { wrId, status, opcode, vendorErr, byteLen, qpNum } = wc;
  return { wrId, status, opcode, vendorErr, byteLen, qpNum, explanation: wc.explain() };
}

function read(cq: QueueEx): PolledCompletion {
  const { wrId, status, wcFlags } = cq;
  return {
    wrId,
    status,
    opcode: cq.readOpcode(),
    vendorErr: cq.readVendorErr(),
    ...((wcFlags & WcExFlags.BYTE_LEN) !== 0 && { byteLen: cq.readByteLen() }),
    ...((wcFlags & WcExFlags.QP_NUM) !== 0 && { qpNum: cq.readQpNum() }),
    explanation: cq.explain(),
  };
}
