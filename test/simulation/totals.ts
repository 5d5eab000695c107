/** What a run, or many, did. */
import { faultCounters } from 'openverbs/testing';
import type { World } from './world.ts';

/** Sums over programs. */
export interface Totals {
  programs: number;
  /** Counters of the devices, under the names that rxe gives them. */
  readonly counters: Record<string, number>;
  /** What happened to packets. */
  readonly faults: Record<string, number>;
  /** Posted, by opcode. */
  readonly operations: Record<string, number>;
  /** Polled, by status. */
  readonly completions: Record<string, number>;
}

export function emptyTotals(): Totals {
  return { programs: 0, counters: {}, faults: {}, operations: {}, completions: {} };
}

/** Adds one to another. */
export function addTotals(sum: Totals, totals: Totals): void {
  sum.programs += totals.programs;
  for (const key of ['counters', 'faults', 'operations', 'completions'] as const) {
    for (const [name, count] of Object.entries(totals[key])) sum[key][name] = (sum[key][name] ?? 0) + count;
  }
}

/** Adds what the devices and the network have counted. */
export function readCounters(world: World, totals: Totals): void {
  const add = (sums: Record<string, number>, counts: Readonly<Record<string, number>>): void => {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  };
  for (const counts of world.counters) add(totals.counters, counts);
  if (world.hasFaults) add(totals.faults, { ...faultCounters(world.verbs) });
}
