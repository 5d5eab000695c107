/** Results for people. */
import os from 'node:os';
import Table from 'cli-table3';
import type { Benchmark, BenchOptions, ResultLine } from './benchmark.ts';

/** Fields that have columns of their own. */
const COLUMNS = new Set([
  'name',
  'metric',
  'value',
  'unit',
  'q1',
  'q3',
  'samples',
  'control',
  'controlQ1',
  'controlQ3',
]);

/** What the figures depend on. */
export function describeRun(options: BenchOptions): string {
  const [cpu] = os.cpus();
  const load = os.loadavg()[0].toFixed(2);
  const { starts, pairs, blockMs } = options;
  return [
    `Node ${process.versions.node}, V8 ${process.versions.v8}, ${os.type()} ${os.arch()}`,
    `${os.availableParallelism()} × ${cpu?.model.trim() ?? 'unknown processor'}, load ${load}`,
    `${starts} process starts, ${pairs} pairs of blocks of ${blockMs} ms each; median and quartiles`,
    ...(options.quick ? ['a smoke run: the figures mean nothing'] : []),
    '',
  ].join('\n');
}

/** The results of one benchmark. */
export function formatTable(benchmark: Benchmark, lines: readonly ResultLine[]): string {
  const fields = [...new Set(lines.flatMap((line) => Object.keys(line)))].filter((key) => !COLUMNS.has(key));
  const table = new Table({
    head: [...fields, 'metric', 'median', 'quartiles', 'unit', 'n', 'same against same'],
    colAligns: [...fields.map(() => 'right' as const), 'left', 'right', 'right', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const line of lines) {
    table.push([
      ...fields.map((field) => show(line[field])),
      line.metric,
      show(line.value),
      `${show(line.q1)} – ${show(line.q3)}`,
      line.unit,
      line.samples,
      line.control === undefined ? '' : `${show(line.control)} (${show(line.controlQ1)} – ${show(line.controlQ3)})`,
    ]);
  }
  return `${benchmark.name}: ${benchmark.title}\n${table.toString()}\n`;
}

function show(value: number | string | undefined): string {
  if (typeof value !== 'number') return value ?? '';
  return Math.abs(value) >= 1e6 && value % 1024 !== 0 ? value.toExponential(3) : String(value);
}
