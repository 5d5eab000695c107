/**
 * Guests in a thread of their own, in every mix of mode, device domain, device and main thread: each mix runs some of the suites, and each
 * suite runs in mixes that hold every pair of these choices. All suites in all mixes would take a quarter of an hour.
 */
import { suites } from '@openverbs/conformance';
import { expect } from 'chai';
import { expectConformance, nameOf } from './xen-threads.ts';
import type { XenMix } from './xen-threads.ts';

/** Five of sixteen mixes, a bit for each of four choices: any two bits have all four values. So they do when the same bits of all are turned. */
const PAIRS = [0b0000, 0b0111, 0b1011, 0b1101, 0b1110];
const MIXES = 16;
/** The main thread's commands are served between those of the guests. */
const IN_VERBS: XenMix = { mode: 'bypass', dom0: 'inline', device: 'inline', main: 'in verbs' };

function mixOf(bits: number): XenMix {
  return {
    mode: (bits & 8) === 0 ? 'basic' : 'bypass',
    dom0: (bits & 4) === 0 ? 'thread' : 'inline',
    device: (bits & 2) === 0 ? 'thread' : 'inline',
    main: (bits & 1) === 0 ? 'in one verb' : 'in its event loop',
  };
}

/** The suites of a mix. Which bits are turned goes by the number of the suite, so that all mixes have about as many. */
function suitesOf(bits: number): string[] {
  return suites.filter((_, index) => PAIRS.includes(bits ^ (index % MIXES))).map(({ name }) => name);
}

describe('guests in a thread of their own, in every mix', () => {
  for (let bits = 0; bits < MIXES; bits++) {
    const mix = mixOf(bits);
    it(nameOf(mix), () => expectConformance(mix, suitesOf(bits))).timeout(600_000);
  }

  it(nameOf(IN_VERBS), () => expectConformance(IN_VERBS, ['cq', 'send-recv', 'channel', 'mr'])).timeout(200_000);

  it('each suite meets every pair of choices', () => {
    const pairs = [0, 1, 2, 3].flatMap((one) => [0, 1, 2, 3].filter((two) => two > one).map((two) => [one, two]));
    for (const { name } of suites) {
      const mixes = Array.from({ length: MIXES }, (_, bits) => bits).filter((bits) => suitesOf(bits).includes(name));
      for (const [one, two] of pairs) {
        const values = mixes.map((bits) => ((bits >> one) & 1) * 2 + ((bits >> two) & 1));
        expect([...new Set(values)], `${name}: ${one}, ${two}`).to.have.members([0, 1, 2, 3]);
      }
    }
  });
});
