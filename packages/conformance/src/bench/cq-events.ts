/** Completion events of CQs that have a channel of their own. */
import { expect } from 'chai';
import type { CompletionChannel, CompletionQueue } from '@openverbs/verbs';
import { eventually } from './wait.ts';

/** The channel of a CQ that was made with one. */
export function channelOf(cq: CompletionQueue): CompletionChannel {
  if (cq.channel === null) throw new TypeError('this CQ was made without a channel');
  return cq.channel;
}

/** Waits for an event of `cq`, and acknowledges it. */
export async function expectCqEvent(cq: CompletionQueue): Promise<void> {
  let found: CompletionQueue | null = null;
  await eventually('a completion event', () => (found = channelOf(cq).tryGetCqEvent()) !== null);
  expect(found, 'the CQ of the event').to.equal(cq);
  cq.ackEvents(1);
}
