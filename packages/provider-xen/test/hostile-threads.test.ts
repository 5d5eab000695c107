/** Attacks from threads; the many, in every mix of placements, are in hostile-threads.exhaustive.ts. */
import { runAttackedThreads } from './support/attacked-threads.ts';

const SEED = Number(process.env['OPENVERBS_SEED'] ?? 20061);

describe(`hostile guests on threads of their own (seed ${SEED})`, () => {
  it('device domain on a thread, device inline, the main thread within one verb', () =>
    runAttackedThreads({ dom0: 'thread', device: 'inline', seed: SEED, attacks: 50 })).timeout(200_000);
});
