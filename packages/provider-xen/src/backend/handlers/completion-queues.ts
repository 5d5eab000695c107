/** Completion queues. */
import {
  CompletionQueueEx,
  CreateCqFlags,
  VerbsError,
  WcExFlags,
  WC_STANDARD_FLAGS,
  WcStatus,
  WorkCompletion,
} from '@openverbs/verbs';
import type { CompletionQueue } from '@openverbs/verbs';
import { createCqOn, keepRoom, resizeCqOn } from '@openverbs/verbs/driver';
import type { CompletionValue } from '../../protocol/attributes.ts';
import type { RequestOf } from '../../protocol/command.ts';
import type { Commands } from '../../protocol/commands.ts';
import { COMPLETIONS_PER_DRAIN } from '../../protocol/limits.ts';
import { Account } from '../accounting.ts';
import type { GuestContext } from '../guest-context.ts';
import { GuestCq } from '../guest-cq.ts';
import { cqBytes } from '../queue-bytes.ts';
import type { Handlers } from './handlers.ts';
import { DONE } from './handlers.ts';

/** What a drain polls into: one at a time, since handlers don't run inside each other. */
const drained = WorkCompletion.array(COMPLETIONS_PER_DRAIN);

export const completionQueueHandlers: Handlers<
  'CREATE_CQ' | 'DESTROY_CQ' | 'RESIZE_CQ' | 'MODIFY_CQ' | 'DRAIN_CQ' | 'CONSUME_CQ' | 'REQ_NOTIFY_CQ'
> = {
  CREATE_CQ(guest, { context, cookie, ...request }) {
    const owner = guest.context(context);
    // Of a queue that the guest polls itself there is no room to keep.
    const keeps = !request.ignoreOverrun;
    const { cq } = owner.cqs.add(() => {
      const made = createCq(owner, request);
      return new GuestCq(made, cookie, keeps ? keepRoom(made) : undefined);
    });
    owner.cookies.set(cq, cookie);
    return { cq: cq.handle, cqe: cq.cqe };
  },

  DESTROY_CQ(guest, { context, cq }) {
    const owner = guest.context(context);
    owner.cqs.remove(cq, (object) => {
      object.cq.destroy();
      owner.queueBytes.end(object.cq);
      owner.cookies.delete(object.cq);
    });
    return DONE;
  },

  RESIZE_CQ(guest, { context, cq, cqe, consumed, key }) {
    const owner = guest.context(context);
    const queue = owner.cqs.get(cq);
    const object = queue.cq;
    const buffer = key === 0 ? null : owner.queueBuffer(key);
    queue.consume(consumed);
    if (buffer === null) {
      owner.queueBytes.move(object, cqBytes(owner.lower.queryDevice(), cqe), () => {
        object.resize(cqe);
      });
    } else resizeCqOn(buffer, object, cqe);
    return { cqe: object.cqe };
  },

  MODIFY_CQ(guest, { context, cq, cqCount, cqPeriod }) {
    guest.context(context).cqs.get(cq).cq.modify({ moderate: { cqCount, cqPeriod } });
    return DONE;
  },

  DRAIN_CQ(guest, { context, cq, max, consumed, taken }) {
    const owner = guest.context(context);
    const queue = owner.cqs.get(cq);
    const object = queue.cq;
    queue.consume(consumed);
    const timed = object instanceof CompletionQueueEx && (object.wcFlags & WcExFlags.COMPLETION_TIMESTAMP) !== 0;
    const completions = timed ? drainTimed(object, max) : drain(object, max);
    queue.given(completions.length, taken);
    guest.counts[Account.COMPLETIONS] += completions.length;
    return { more: completions.length === max, completions, states: statesOf(owner, completions) };
  },

  CONSUME_CQ(guest, { context, cq, consumed }) {
    guest.context(context).cqs.get(cq).consume(consumed);
    return DONE;
  },

  REQ_NOTIFY_CQ(guest, { context, cq, solicitedOnly }) {
    return { missed: arm(guest.context(context).cqs.get(cq).cq, solicitedOnly) };
  },
};

/** Arms a queue; whether completions may be in it. Where the lower provider can't tell they may. */
function arm(cq: CompletionQueue, solicitedOnly: boolean): boolean {
  try {
    return cq.reqNotifyReportMissed(solicitedOnly);
  } catch (error) {
    if (!VerbsError.is(error) || error.code !== 'EOPNOTSUPP') throw error;
    cq.reqNotify(solicitedOnly);
    return true;
  }
}

/** What the guest would not know: an error may have changed the state of its QP. */
function statesOf({ qps }: GuestContext, completions: readonly CompletionValue[]): { qp: number; state: number }[] {
  const failed = new Set<number>();
  for (const { status, qpNum } of completions) if (status !== WcStatus.SUCCESS) failed.add(qpNum);
  // The QP of an error may be gone, or be that of another context whose message took a receive here.
  return [...failed].flatMap((qpNum) => {
    const owned = qps.find(qpNum);
    return owned === undefined ? [] : [{ qp: qpNum, state: owned.qp.state }];
  });
}

type CreateCq = RequestOf<(typeof Commands)['CREATE_CQ']>;

/** On memory of the back-end's own, or on the guest's. */
function createCq(
  owner: GuestContext,
  { cqe, compVector, timestamps, ignoreOverrun, extended, key }: Omit<CreateCq, 'context' | 'cookie'>,
): CompletionQueue {
  const flags = ignoreOverrun ? CreateCqFlags.IGNORE_OVERRUN : 0;
  const { lower, channel } = owner;
  if (key !== 0) {
    return createCqOn(owner.queueBuffer(key), { cqe, compVector, channel, timestamps, ignoreOverrun });
  }
  const wcFlags = WC_STANDARD_FLAGS | (timestamps ? WcExFlags.COMPLETION_TIMESTAMP : 0);
  return owner.queueBytes.within(cqBytes(lower.queryDevice(), cqe), () =>
    extended
      ? lower.createCqEx({ cqe, compVector, channel, wcFlags, flags })
      : lower.createCq({ cqe, compVector, channel }),
  );
}

function drain(cq: CompletionQueue, max: number): CompletionValue[] {
  const n = cq.poll(drained, max);
  return drained.slice(0, n).map((wc) => ({ ...wc, timestamp: 0 }));
}

function drainTimed(cq: CompletionQueueEx, max: number): CompletionValue[] {
  const completions: CompletionValue[] = [];
  if (!cq.startPoll()) return completions;
  do completions.push(readTimed(cq));
  while (completions.length < max && cq.nextPoll());
  cq.endPoll();
  return completions;
}

function readTimed(cq: CompletionQueueEx): CompletionValue {
  return {
    wrId: cq.wrId,
    status: cq.status,
    opcode: cq.readOpcode(),
    vendorErr: cq.readVendorErr(),
    byteLen: cq.readByteLen(),
    immData: cq.readImmData(),
    qpNum: cq.readQpNum(),
    srcQp: cq.readSrcQp(),
    wcFlags: cq.readWcFlags(),
    pkeyIndex: 0,
    slid: cq.readSlid(),
    sl: cq.readSl(),
    dlidPathBits: cq.readDlidPathBits(),
    faultKey: 0,
    faultAddr: 0,
    timestamp: cq.readCompletionTs(),
  };
}
