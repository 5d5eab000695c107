/** Placement `inline`, with everything above 2 GiB of machine memory, where a 32-bit address is a negative number. */
import type { ConformanceSession, ConformanceSubject } from '@openverbs/conformance';
import { openVerbs, type Context } from 'openverbs';
import { capabilities, deviations, sessionOf } from './emulated.ts';

const HALF_BYTES = 2 ** 31;
const PAGE_BYTES = 4096;

/** Takes all memory of the lower half. Address space only: nobody touches it. */
function fillLowerHalf(context: Context): void {
  for (let length = HALF_BYTES / 2; length >= PAGE_BYTES; length /= 2) {
    for (;;) {
      const ballast = context.allocBuf(length);
      if (ballast.bytes.byteOffset < HALF_BYTES) continue;
      ballast.free();
      break;
    }
  }
}

function open(): ConformanceSession {
  const verbs = openVerbs({ provider: 'emulated', emulated: { devices: 2, placement: 'inline' } });
  const context = verbs.device().open();
  fillLowerHalf(context);
  const session = sessionOf(verbs);
  return {
    ...session,
    close: () => {
      context[Symbol.dispose]();
      return session.close();
    },
  };
}

/** The subject. */
export const above2Gib: ConformanceSubject = {
  name: 'the emulated provider, inline, above 2 GiB',
  open,
  capabilities,
  deviations,
};
