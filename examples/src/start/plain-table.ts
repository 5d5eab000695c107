/** How the tables of `npm start` look: aligned columns, indented by two, without lines. */
import Table, { type TableConstructorOptions } from 'cli-table3';

const PLAIN_TABLE: TableConstructorOptions = {
  chars: {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: ' ',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: ' ',
  },
  style: { head: [], border: [], 'padding-left': 1, 'padding-right': 0 },
};

/** The rows as text; no line ends with blanks. Column by column, `'right'` or `'left'`. */
export function formatTable(rows: readonly (readonly string[])[], aligns: readonly ('left' | 'right')[] = []): string {
  const table = new Table({ ...PLAIN_TABLE, colAligns: [...aligns] });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replace(/ +$/gm, '');
}
