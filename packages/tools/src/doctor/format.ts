/** The report of `openverbs doctor`, for people. */
import { formatTable } from '../cli/plain-table.ts';
import { type FindingGroup, allFine } from './finding.ts';

/** A title for each group, a line for each finding, the cure under what is wrong, and a sentence at the end. */
export function formatFindings(groups: readonly FindingGroup[]): string {
  const checks = groups.flatMap(({ findings }) => findings.map(({ check }) => check.length));
  const width = Math.max(...checks);
  const blocks = groups.filter(({ findings }) => findings.length > 0).map((group) => formatGroup(group, width));
  const verdict = allFine(groups)
    ? 'Nothing is wrong.'
    : 'Something is wrong; the lines that begin with FAIL say what.';
  return `${[...blocks, verdict].join('\n\n')}\n`;
}

function formatGroup({ title, findings }: FindingGroup, checkWidth: number): string {
  const rows = findings.flatMap(({ check, ok, found, cure }) => [
    [(ok ? 'ok' : 'FAIL').padEnd(4), check.padEnd(checkWidth), found],
    ...(cure ? [['', '', `cure: ${cure}`]] : []),
  ]);
  return `${title}\n${formatTable(rows)}`;
}
