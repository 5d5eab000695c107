/** Writes `docs/vendor-errors.md`. */
import { writeFileSync } from 'node:fs';

import { renderVendorErrors } from './render.ts';

writeFileSync(new URL('../../vendor-errors.md', import.meta.url), renderVendorErrors());
