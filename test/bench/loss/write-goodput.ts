/** `npm run goodput`: writes the table of `docs/benchmarks.md`. */
import { writeFileSync } from 'node:fs';
import { measureRows, pageWith } from './goodput-table.ts';

const { url, after } = pageWith(measureRows());
writeFileSync(url, after);
