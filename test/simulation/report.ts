/** What a run of the simulation says, for people. */
import type { Totals } from './totals.ts';
import { emptyRow } from './traffic.ts';
import type { TrafficRow } from './traffic.ts';
import type { Answer } from './worker.ts';

/** Steps of a minimized program that are printed one by one. */
const STEPS_PRINTED_MAX = 12;

/** What all programs did, as lines. */
export function reportTotals({ programs, counters, faults, acknowledges, traffic, completions }: Totals): string {
  const { retransmitted_pkts: again, ...rest } = counters;
  const packets = `${rest['sent_pkts'] ?? 0} request packets sent, ${again ?? 0} of them again; ${rest['rcvd_pkts'] ?? 0} packets received`;
  return [
    `programs     ${programs}`,
    `packets      ${packets}`,
    `faults       ${list(faults)}`,
    `acknowledges ${list(acknowledges)}`,
    `completions  ${list(completions)}`,
    `counters     ${list(rest)}`,
    ...tableOf(traffic),
  ].join('\n');
}

/** A seed that failed: what differed, the smaller program, and how it becomes a regression test. */
export function reportFailure({ seed, failure, smaller }: Answer): string {
  if (failure === null) return '';
  const lines = [`seed ${seed} failed (${failure.kind}): ${failure.message}`];
  if (smaller === null) return lines[0];
  const { program } = smaller;
  lines.push(`smaller, with ${program.steps.length} steps: ${smaller.failure.message}`);
  lines.push(`  weather ${JSON.stringify(program.weather)}`);
  for (const step of program.steps.slice(0, STEPS_PRINTED_MAX)) lines.push(`  ${JSON.stringify(step)}`);
  if (program.steps.length > STEPS_PRINTED_MAX) lines.push('  …');
  lines.push(
    `to repeat it: npm run simulate -- --seed ${seed} --verbose`,
    `as a regression test: npm run simulate -- --seed ${seed} --regression, which writes test/simulation/regressions/seed-${seed}.test.ts`,
  );
  return lines.join('\n');
}

/** The text of a regression test: the program itself, since a seed means another one when the generator changes. */
export function regressionTest({ seed, failure, smaller }: Answer): string {
  const program = JSON.stringify(smaller?.program ?? null);
  return `// Found by seed ${seed}: ${(failure?.message ?? '').split('\n')[0]}
import { regression } from './regression.ts';

regression('seed ${seed}', ${program});
`;
}

/** By opcode: operations, packets, and what the network did to them. */
function tableOf(traffic: Totals['traffic']): string[] {
  const names = Object.keys(traffic).toSorted();
  const columns = Object.keys(emptyRow()) as (keyof TrafficRow)[];
  const width = Math.max(0, ...names.map(({ length }) => length));
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `${name.padEnd(width)} ${cells.map((cell) => String(cell).padStart(12)).join('')}`;
  const rows = names.map((name) =>
    line(
      name,
      columns.map((column) => traffic[name][column]),
    ),
  );
  return [line('by opcode', columns), ...rows];
}

function list(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count !== 0);
  return entries.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}
