/** Registers tests of whole payloads between two threads: every byte, as soon as the last one shows, at odd alignments, 1 byte to 64 KiB. */
import { openVerbs } from 'openverbs';
import { Echo } from './echo.ts';
import { LISTED_ROUNDS } from './rounds.ts';

/** The two threads wait for each other in every round, and a busy machine lets them run by turns; one that hangs is seen nevertheless. */
const TIMEOUT_MS = 120_000;

/** Registers them, with every length that is listed, and so many that the seed chooses. */
export function describePayloads(random: number): void {
  describe('payloads between two threads', function () {
    this.timeout(TIMEOUT_MS);

    for (const placement of ['inline', 'thread'] as const) {
      describe(`placement ${placement}`, () => {
        for (const transfer of ['write', 'send'] as const) {
          const how = transfer === 'write' ? 'written, seen in memory, and read back' : 'sent, seen by completions';
          it(how, async () => {
            const seed = (Math.random() * 2 ** 32) >>> 0;
            using verbs = openVerbs({ provider: 'emulated', emulated: { devices: 2, placement } });
            const echo = await Echo.start(verbs, transfer, seed);
            try {
              await echo.play(LISTED_ROUNDS + random);
            } catch (error) {
              throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
            } finally {
              await echo.close();
            }
          });
        }
      });
    }
  });
}
