/** The report of `openverbs conformance`, for people. */
import { type ConformanceReport, conforms } from '@openverbs/conformance';
import { formatTable } from '../cli/plain-table.ts';

/** Counts, then what failed or deviates and why, then the verdict. */
export function formatReport(report: ConformanceReport): string {
  const { name, passed, failed, deviating, excluded, notSelected } = report;
  const absent = [...new Set(excluded.map(({ capability }) => capability))];
  const counts = [
    [String(passed.length), 'passed'],
    [String(failed.length), 'failed'],
    ...(deviating.length > 0 ? [[String(deviating.length), 'deviate, as listed']] : []),
    ...(excluded.length > 0 ? [[String(excluded.length), `left out, as the device lacks ${absent.join(', ')}`]] : []),
  ];
  const details = [
    ...failed.map(({ key, failure }) => `FAIL ${key}\n     ${failure}`),
    ...deviating.map(({ key, reason }) => `deviates: ${key}\n     ${reason}`),
  ];
  const blocks = [`${name}\n${formatTable(counts, ['right'])}`, ...details, verdictOf(report)];
  if (notSelected.length > 0) blocks.splice(1, 0, `Suites that were not asked for: ${notSelected.join(', ')}`);
  return `${blocks.join('\n\n')}\n`;
}

function verdictOf(report: ConformanceReport): string {
  if (conforms(report)) return 'It conforms.';
  if (report.failed.length > 0) return 'It does not conform.';
  return 'Nothing failed; that it conforms is said only when all suites ran.';
}
