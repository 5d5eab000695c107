/** The table of `docs/benchmarks.md` that says what a network that loses frames leaves of the goodput; it is generated. */
import { readFileSync } from 'node:fs';
import { spread } from '../samples.ts';
import { LOSSES } from './benchmark.ts';
import { measure } from './measure.ts';

const PAGE = new URL('../../../../docs/benchmarks.md', import.meta.url);
const HEAD = ['frames lost', 'goodput', 'share', 'sent again'];
/** The lines of the table in the page. */
const TABLE = /^\| frames lost .*\n(?:\|.*\n)+/m;

/** The page with the table as `rows` say, and where it is. */
export interface GoodputPage {
  readonly url: URL;
  readonly before: string;
  readonly after: string;
}

/** The page as it is, and with the table of these rows. */
export function pageWith(rows: readonly (readonly string[])[]): GoodputPage {
  const before = readFileSync(PAGE, 'utf8');
  if (!TABLE.test(before)) throw new Error(`${PAGE.pathname} has no table that begins with '| frames lost'`);
  return { url: PAGE, before, after: before.replace(TABLE, () => table(rows)) };
}

/** Measures all rows: what `npm run bench -- --only loss` prints, rounded. Time is virtual, so they are the same on every machine. */
export function measureRows(): string[][] {
  return LOSSES.map((percent) => {
    const samples = measure({ fields: { loss: percent }, starts: 1 }, { quick: false });
    const median = (metric: string): number => spread(samples[metric]).value;
    return [
      `${percent} %`,
      `${median('goodput').toFixed(1)} GB/s`,
      median('share').toFixed(2),
      `${(median('sent-again') * 100).toFixed(0)} %`,
    ];
  });
}

/** A table as prettier lays it out. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n].length)));
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((cell, n) => cell.padEnd(widths[n], fill)).join(' | ')} |\n`;
  const rule = line(['', '', '', ''], '-');
  return line(HEAD) + rule + rows.map((row) => line(row)).join('');
}
