/** The report of `openverbs conformance`, for people. */
import { type ConformanceReport, type SuiteSummary, conforms, summarize } from '@openverbs/conformance';
import { Capability } from '@openverbs/verbs';
import { formatTable } from '../cli/plain-table.ts';

const HEAD = ['suite', 'passed', 'failed', 'deviating', 'left out', ''];
const ALIGNS = ['left', 'right', 'right', 'right', 'right', 'left'] as const;

/** What ran, suite by suite; what the manifest leaves out; what failed or deviates and why; and the verdict. */
export function formatReport(report: ConformanceReport): string {
  const { name, failed, deviating, notSelected } = report;
  const blocks = [
    `${name}\n${formatSuites(summarize(report))}`,
    ...(notSelected.length > 0 ? [`Suites that were not asked for: ${notSelected.join(', ')}`] : []),
    ...formatAbsent(report),
    ...failed.map(({ key, failure }) => `FAIL ${key}\n     ${failure}`),
    ...deviating.map(({ key, reason, failure }) => `deviates: ${key}\n     ${reason}\n     (${failure})`),
    verdictOf(report),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function formatSuites(summaries: readonly SuiteSummary[]): string {
  const rows = summaries.map(({ suite, passed, failed, deviating, excluded, lacking }) => {
    const why = lacking.length > 0 ? `for lack of ${lacking.join(', ')}` : '';
    return [suite, ...[passed, failed, deviating, excluded].map(countOf), why];
  });
  const sum = (of: (summary: SuiteSummary) => number): string =>
    String(summaries.reduce((total, one) => total + of(one), 0));
  const all = [sum((s) => s.passed), sum((s) => s.failed), sum((s) => s.deviating), sum((s) => s.excluded)];
  return formatTable([HEAD, ...rows, ['all', ...all, '']], ALIGNS);
}

/** A dot, so that the numbers stand out. */
function countOf(count: number): string {
  return count === 0 ? '·' : String(count);
}

function formatAbsent({ capabilities, failed }: ConformanceReport): string[] {
  const absent = capabilities.filter(({ claimed }) => !claimed);
  if (absent.length === 0) return [];
  const rows = absent.map(({ name, refusal }) => {
    const isRefused = !failed.some(({ key }) => key === refusal);
    return [name, isRefused ? 'refused' : 'NOT REFUSED', Capability[name]];
  });
  return [`Not claimed by the manifest, and so refused when it is used\n${formatTable(rows)}`];
}

function verdictOf(report: ConformanceReport): string {
  const { name } = report;
  if (conforms(report)) return `${name} conforms.`;
  if (report.failed.length > 0) return `${name} does not conform.`;
  return 'Nothing failed; that it conforms is said only when all suites ran.';
}
