/** Writes `docs/qp-states.md`. */
import { writeFileSync } from 'node:fs';

import { renderQpStates } from './render.ts';

writeFileSync(new URL('../../qp-states.md', import.meta.url), renderQpStates());
