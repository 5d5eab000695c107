/**
 * The one way to wait inside a verb.
 *
 * @packageDocumentation
 */
import { hostClock } from './clock.ts';
import { MachineError, MachineTimeoutError } from './errors.ts';
import { Header } from './header.ts';
import type { Machine } from './machine.ts';

const { WAKE, WAKE_SLEEPERS } = Header;

/** Turns without work before a thread parks, and turns between two looks at the clock. */
const SPIN_TURNS_MAX = 200;
/** Longest sleep unless said: a wake-up that nobody announced costs no more. */
const PARK_MS_MAX = 1;

/**
 * Waits until a condition holds: runs the pollers of this thread, spins, then parks for at most a millisecond at a time, or
 * `parkMsMax`, and no longer than until the next of {@link Machine.alarms}.
 *
 * Whoever makes the condition true calls {@link wakeAll}, or the waiter finds out a little later.
 *
 * @param deadlineNs - in time of the host clock
 * @param describe - says in the error what was waited for and in which state it is
 * @param parkMsMax - longest sleep, for the loop of a service all of whose wakers call {@link wakeAll}
 * @throws MachineTimeoutError when the deadline passes; MachineError `EDEADLK` when this thread holds the machine lock
 */
export function waitUntil(
  machine: Machine,
  condition: () => boolean,
  deadlineNs: number,
  describe?: () => string,
  parkMsMax: number = PARK_MS_MAX,
): void {
  const { i32, lock } = machine;
  if (lock.isHeld) throw new MachineError({ code: 'EDEADLK', message: 'a wait with the machine lock held' });
  let idleTurns = 0;
  for (let turn = 1; ; turn++) {
    // Read before the condition: a wake-up in between makes the park return at once.
    const ticket = Atomics.load(i32, WAKE);
    idleTurns = runPollers(machine) ? 0 : idleTurns + 1;
    if (condition()) return;
    const spins = idleTurns < SPIN_TURNS_MAX;
    if (spins && turn % SPIN_TURNS_MAX !== 0) continue;
    const nowNs = hostClock.nowNs();
    if (nowNs >= deadlineNs) throw timeout(describe);
    if (spins) continue;
    Atomics.store(i32, WAKE_SLEEPERS, 1);
    // The mark is up; a waker that didn't see it was early enough for this look.
    if (condition()) return;
    Atomics.wait(i32, WAKE, ticket, Math.min(parkMsMax, msUntil(machine, deadlineNs, nowNs)));
  }
}

/** Wakes all threads that are parked in {@link waitUntil}. Costs two atomic operations when there are none. */
export function wakeAll(machine: Machine): void {
  const { i32 } = machine;
  Atomics.add(i32, WAKE, 1);
  if (Atomics.load(i32, WAKE_SLEEPERS) === 0) return;
  // Sleepers set it again if they sleep again; one that died leaves nothing behind that lasts.
  Atomics.store(i32, WAKE_SLEEPERS, 0);
  Atomics.notify(i32, WAKE);
}

/** How long a wait may sleep before somebody has to be looked after. */
function msUntil({ alarms }: Machine, deadlineNs: number, nowNs: number): number {
  let dueNs = deadlineNs;
  for (const alarm of alarms) dueNs = Math.min(dueNs, alarm());
  return Math.max(0, (dueNs - nowNs) / 1e6);
}

/** Whether any poller did something. */
function runPollers(machine: Machine): boolean {
  const { pollers } = machine;
  let worked = false;
  for (let i = 0; i < pollers.length; i++) worked = pollers[i]() === true || worked;
  return worked;
}

function timeout(describe: (() => string) | undefined): MachineTimeoutError {
  return new MachineTimeoutError(
    `timed out waiting for ${describe?.() ?? 'a condition'}`,
    'the other side did not act',
  );
}
