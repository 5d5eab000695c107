/** Writes `docs/compatibility.md`. */
import { writeFileSync } from 'node:fs';

import { renderCompatibility } from './render.ts';

writeFileSync(new URL('../../compatibility.md', import.meta.url), renderCompatibility());
