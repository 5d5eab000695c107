/** Whole payloads between two threads: every byte, as soon as the last one shows, at odd alignments, 1 byte to 64 KiB. */
import { openVerbs } from 'openverbs';
import { Echo } from './echo.ts';

describe('payloads between two threads', () => {
  for (const placement of ['inline', 'thread'] as const) {
    describe(`placement ${placement}`, () => {
      for (const transfer of ['write', 'send'] as const) {
        const how = transfer === 'write' ? 'written, seen in memory, and read back' : 'sent, seen by completions';
        it(how, async () => {
          const seed = (Math.random() * 2 ** 32) >>> 0;
          using verbs = openVerbs({ provider: 'emulated', emulated: { devices: 2, placement } });
          const echo = await Echo.start(verbs, transfer, seed);
          try {
            await echo.play(echo.lap);
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
