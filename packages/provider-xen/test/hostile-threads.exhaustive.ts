/** Attacks from threads in every mix of placements: more than 10,000 beside an honest guest of each mode. */
import { runAttackedThreads } from './support/attacked-threads.ts';

const SEED = Number(process.env['OPENVERBS_SEED'] ?? 20061);
/** Of each hostile guest; there are two of them in each of four mixes. */
const ATTACKS = 1100;

describe(`hostile guests on threads of their own, in every mix (seed ${SEED})`, () => {
  for (const dom0 of ['inline', 'thread'] as const) {
    for (const device of ['inline', 'thread'] as const) {
      it(`device domain ${dom0}, device ${device}, the main thread within one verb`, () =>
        runAttackedThreads({ dom0, device, seed: SEED, attacks: ATTACKS })).timeout(200_000);
    }
  }
});
