/** Fetching completions and saying what they must be. */
import { expect } from 'chai';
import {
  type WcOpcode,
  WcStatus,
  WorkCompletion,
  wcStatusStr,
  type CompletionQueue,
  type QueuePair,
} from '@openverbs/verbs';
import { eventually } from './wait.ts';

/** Whether the device of the test that runs claims `vendorErrors`; runners run one test after the other. */
let reasonsRequired = false;

/** Runs `body`, in which each failed completion that is expected has to have a `vendorErr` if `required`. */
export async function withReasonsRequired(required: boolean, body: () => Promise<void>): Promise<void> {
  reasonsRequired = required;
  try {
    await body();
  } finally {
    reasonsRequired = false;
  }
}

/** What a completion must be; a field that is left out may be anything. */
export interface ExpectedCompletion {
  readonly wrId: number;
  /** SUCCESS when left out. One of several where the specification leaves a choice. */
  readonly status?: WcStatus | readonly WcStatus[];
  /** Checked on success only: of a failed completion the opcode is not valid. */
  readonly opcode?: WcOpcode;
  readonly qp?: QueuePair;
  readonly byteLen?: number;
  readonly immData?: number;
}

/** Polls until `count` completions have come; each is an object of its own. */
export async function completions(cq: CompletionQueue, count: number): Promise<WorkCompletion[]> {
  const found: WorkCompletion[] = [];
  await eventually(
    `${count} completions`,
    () => {
      // Asks for what is missing and no more, so that the next call finds the rest.
      const batch = WorkCompletion.array(count - found.length);
      const polled = batch.length === 0 ? 0 : cq.poll(batch);
      found.push(...batch.slice(0, polled));
      return found.length === count;
    },
    () => `have ${found.length}: ${found.map(describe).join(', ')}`,
  );
  return found;
}

/** What is in the CQ now. */
export function completionsNow(cq: CompletionQueue): WorkCompletion[] {
  const found: WorkCompletion[] = [];
  for (;;) {
    const batch = WorkCompletion.array(16);
    const polled = cq.poll(batch);
    if (polled === 0) return found;
    found.push(...batch.slice(0, polled));
  }
}

/** Waits for exactly these completions, in this order. */
export async function expectCompletions(
  cq: CompletionQueue,
  ...expected: readonly ExpectedCompletion[]
): Promise<WorkCompletion[]> {
  const found = await completions(cq, expected.length);
  expected.forEach((one, index) => {
    checkCompletion(found[index], one);
  });
  return found;
}

/** Fails when the CQ holds anything now. */
export function expectNoCompletion(cq: CompletionQueue): void {
  const wcs = WorkCompletion.array(1);
  const polled = cq.poll(wcs);
  expect(polled, polled === 0 ? '' : `unexpected completion ${describe(wcs[0])}`).to.equal(0);
}

/** Checks one completion. */
function checkCompletion(wc: WorkCompletion, expected: ExpectedCompletion): void {
  const statuses: readonly number[] = [expected.status ?? WcStatus.SUCCESS].flat();
  if (!statuses.includes(wc.status) || wc.wrId !== expected.wrId) {
    const wanted = statuses.map((status) => wcStatusStr(status)).join(' or ');
    expect.fail(`expected WR ${expected.wrId}: ${wanted}; got ${describe(wc)}`);
  }
  if (expected.qp !== undefined) expect(wc.qpNum, 'qpNum').to.equal(expected.qp.qpNum);
  if (wc.status !== WcStatus.SUCCESS) {
    expect(wc.explain(), 'a failed completion explains itself').to.be.a('string').that.is.not.empty;
    if (reasonsRequired) expect(wc.vendorErr, `vendorErr of ${describe(wc)}`).to.not.equal(0);
    return;
  }
  if (expected.opcode !== undefined) expect(wc.opcode, 'opcode').to.equal(expected.opcode);
  if (expected.byteLen !== undefined) expect(wc.byteLen, 'byteLen').to.equal(expected.byteLen);
  if (expected.immData !== undefined) expect(wc.immData, 'immData').to.equal(expected.immData);
}

function describe(wc: WorkCompletion): string {
  return `WR ${wc.wrId}: ${wcStatusStr(wc.status)} (opcode ${wc.opcode}, QP ${wc.qpNum}${why(wc)})`;
}

function why(wc: WorkCompletion): string {
  return wc.status === WcStatus.SUCCESS ? '' : `; ${wc.explain()}`;
}
