/**
 * Posts of chains of work requests, for the functions of both levels. A post that fails names the work request that was refused in `bad_wr`, and its
 * error speaks of `verb`. One function a kind of queue, so that each calls one class.
 */
import type { QueuePair, RecvWr, RecvWrInit, SendWr, SendWrInit, SharedReceiveQueue } from '@openverbs/verbs';

import { refused } from './bad-wr.ts';
import type { BadWr } from './bad-wr.ts';
import { anSrq, aQp } from './first-argument.ts';
import { inTermsOf } from './terms.ts';

/** To a send queue. */
export function postSend(
  verb: string,
  qp: QueuePair,
  wr: SendWr | SendWrInit,
  bad_wr: BadWr<SendWr | SendWrInit> | undefined,
): void {
  try {
    aQp(verb, qp).postSend(wr);
  } catch (error) {
    throw refused(inTermsOf(verb, error), wr, bad_wr);
  }
}

/** To a receive queue. */
export function postRecv(
  verb: string,
  qp: QueuePair,
  wr: RecvWr | RecvWrInit,
  bad_wr: BadWr<RecvWr | RecvWrInit> | undefined,
): void {
  try {
    aQp(verb, qp).postRecv(wr);
  } catch (error) {
    throw refused(inTermsOf(verb, error), wr, bad_wr);
  }
}

/** To a shared receive queue. */
export function postSrqRecv(
  verb: string,
  srq: SharedReceiveQueue,
  wr: RecvWr | RecvWrInit,
  bad_wr: BadWr<RecvWr | RecvWrInit> | undefined,
): void {
  try {
    anSrq(verb, srq).postRecv(wr);
  } catch (error) {
    throw refused(inTermsOf(verb, error), wr, bad_wr);
  }
}
