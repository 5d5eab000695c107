/**
 * The model of atomics: there is an order of all that were carried out on a counter in which each returns what the ones before left,
 * none comes before one that was complete when it was posted, and the last leaves what is found (linearizability).
 *
 * Operands are random, so no value comes twice, and the value that an atomic returned tells its place.
 */
import { WrOpcode } from 'openverbs';
import { Deviation } from './record.ts';

/** An atomic that succeeded, or that may have been carried out. */
export interface AtomicRecord {
  readonly opcode: number;
  readonly operand: bigint;
  readonly compare: bigint;
  /** What it returned; null when it is not known whether it was carried out. */
  readonly returned: bigint | null;
  /** Moments of the post and of the completion. */
  readonly postedAt: number;
  readonly completedAt: number;
}

const STEPS_MAX = 10_000;

/** Checks all atomics on one counter. */
export function checkCounter(name: string, first: bigint, last: bigint, atomics: readonly AtomicRecord[]): void {
  const byValue = new Map<bigint, AtomicRecord[]>();
  for (const atomic of atomics) {
    if (atomic.returned !== null) byValue.set(atomic.returned, [...(byValue.get(atomic.returned) ?? []), atomic]);
  }
  const open = new Set(atomics.filter(({ returned }) => returned === null));
  const known = atomics.length - open.size;
  let steps = 0;

  const search = (value: bigint, order: readonly AtomicRecord[], left: number): boolean => {
    if (steps++ > STEPS_MAX) throw new Deviation('atomics', `${name}: too many orders to look at`);
    const here = byValue.get(value) ?? [];
    const same = here.filter((atomic) => next(atomic, value) === value);
    const moves = here.filter((atomic) => !same.includes(atomic));
    if (moves.length > 1) return false; // two saw the same value and changed it: one was lost
    const ordered = [...order, ...same.sort((a, b) => a.completedAt - b.completedAt)];
    const rest = left - same.length;
    if (moves.length === 1) return search(next(moves[0], value), [...ordered, moves[0]], rest - 1);
    if (rest === 0 && value === last && isInTime(ordered)) return true;
    for (const atomic of [...open]) {
      if (next(atomic, value) === value) continue;
      open.delete(atomic);
      if (search(next(atomic, value), [...ordered, atomic], rest)) return true;
      open.add(atomic);
    }
    return false;
  };

  if (search(first, [], known)) return;
  const list = atomics.map(({ opcode, returned }) => `${opcode}:${returned?.toString(16) ?? '?'}`).join(' ');
  throw new Deviation(
    'atomics',
    `${name}: no order explains ${list} from ${first.toString(16)} to ${last.toString(16)}`,
  );
}

/** The value that an atomic leaves. */
function next({ opcode, operand, compare }: AtomicRecord, value: bigint): bigint {
  if (opcode === WrOpcode.ATOMIC_FETCH_AND_ADD) return BigInt.asUintN(64, value + operand);
  return value === compare ? operand : value;
}

/** Whether none was complete before one that stands in front of it was posted. */
function isInTime(order: readonly AtomicRecord[]): boolean {
  let earliest = Infinity;
  for (const { postedAt, completedAt } of order.toReversed()) {
    if (earliest < postedAt) return false;
    earliest = Math.min(earliest, completedAt);
  }
  return true;
}
