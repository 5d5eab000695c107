/** What a run, or many, did. */
import { faultCounters } from 'openverbs/testing';
import { emptyRow } from './traffic.ts';
import type { TrafficRow } from './traffic.ts';
import type { World } from './world.ts';

/** Sums over programs. */
export interface Totals {
  programs: number;
  /** Counters of the devices, under the names that rxe gives them. */
  readonly counters: Record<string, number>;
  /** What happened to packets. */
  readonly faults: Record<string, number>;
  /** What acknowledges said of credits, and NAKs. */
  readonly acknowledges: Record<string, number>;
  /** What was posted and became of its packets, by transport and opcode. */
  readonly traffic: Record<string, TrafficRow>;
  /** Polled, by status. */
  readonly completions: Record<string, number>;
}

export function emptyTotals(): Totals {
  return { programs: 0, counters: {}, faults: {}, acknowledges: {}, traffic: {}, completions: {} };
}

/** Adds one to another. */
export function addTotals(sum: Totals, totals: Totals): void {
  sum.programs += totals.programs;
  for (const key of ['counters', 'faults', 'acknowledges', 'completions'] as const) {
    for (const [name, count] of Object.entries(totals[key])) sum[key][name] = (sum[key][name] ?? 0) + count;
  }
  for (const [name, row] of Object.entries(totals.traffic)) {
    const total = (sum.traffic[name] ??= emptyRow());
    for (const column of Object.keys(row) as (keyof TrafficRow)[]) total[column] += row[column];
  }
}

/** Adds what the devices and the network have counted. */
export function readCounters(world: World, totals: Totals): void {
  const add = (sums: Record<string, number>, counts: Readonly<Record<string, number>>): void => {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  };
  for (const counts of world.counters) add(totals.counters, counts);
  Object.assign(totals.traffic, world.traffic.rows);
  Object.assign(totals.acknowledges, world.traffic.acknowledges);
  if (world.hasFaults) add(totals.faults, { ...faultCounters(world.verbs) });
}
