/** Cuts the device off in the middle of something, as the termination of its thread does; another thread's recovery follows. */
import { expect } from 'chai';
import { IndexAllocator, PageAllocator } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import { cutAtCall } from '@openverbs/machine/testing';
import type { Part } from '@openverbs/machine/testing';
import { Completer } from '../../src/completer.ts';
import { DmaEngine } from '../../src/dma-engine.ts';
import { EventQueues } from '../../src/event-queue.ts';
import { EngineHeader } from '../../src/layout.ts';
import { QpStateMachine } from '../../src/qp-state.ts';
import { recover } from '../../src/recovery.ts';
import { ReceiveQueue } from '../../src/receive-queue.ts';
import { Request } from '../../src/request.ts';
import { Responder } from '../../src/responder.ts';
import { TimerQueue } from '../../src/timer-queue.ts';
import { Tpt } from '../../src/tpt.ts';
import { Uars } from '../../src/uar.ts';
import { WorkQueueReader } from '../../src/work-queue-reader.ts';
import { audit } from './audit.ts';
import type { Testbed } from './testbed.ts';

/** More calls than any action of a test has. */
const CALLS_MAX = 5000;

const PARTS: readonly Part[] = [
  IndexAllocator,
  PageAllocator,
  Completer,
  DmaEngine,
  EventQueues,
  QpStateMachine,
  ReceiveQueue,
  Request,
  Responder,
  TimerQueue,
  Tpt,
  Uars,
  WorkQueueReader,
];

/**
 * Runs an action up to the n-th call of a method, from 0; then nothing more of it happens, and `bed` takes over from the victim.
 *
 * @returns whether it was cut off; false means that the action has fewer calls, and was run to its end
 */
export function cutOff(bed: Testbed, n: number, action: () => void, victim: Machine = bed.machine): boolean {
  const wasCut = cutAtCall(PARTS, n, action);
  if (wasCut) takeOver(bed, victim);
  return wasCut;
}

/** What the thread does that takes the lock over from the victim. */
export function takeOver(bed: Testbed, victim: Machine = bed.machine): void {
  const { machine, engine } = bed;
  // A command gives the lock back on its way out, a doorbell does not.
  if (victim.lock.isHeld) victim.lock.release();
  machine.lock.acquire();
  machine.pages.rebuild();
  recover(engine);
  engine.unlock();
}

/** How often recovery ran. */
export function recoveries(bed: Testbed): number {
  return bed.i32[bed.engine.header + EngineHeader.RECOVERIES];
}

/** Cuts the action off at its first call, its second, and so on, each in a world of its own, and checks what came of it. */
export function atEveryCall<W extends { readonly bed: Testbed }>(
  make: () => W,
  action: (world: W) => void,
  check: (world: W) => void,
): number {
  for (let n = 0; n < CALLS_MAX; n++) {
    const world = make();
    const wasCut = cutOff(world.bed, n, () => {
      action(world);
    });
    expect(recoveries(world.bed)).to.equal(wasCut ? 1 : 0);
    try {
      audit(world.bed);
      check(world);
    } catch (error) {
      (error as Error).message += ` (cut off at call ${n})`;
      throw error;
    }
    if (!wasCut) return n;
  }
  throw new Error(`more than ${CALLS_MAX} calls`);
}
