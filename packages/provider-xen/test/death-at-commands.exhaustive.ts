/** Guests die at every point of every command; on threads, where a command may be taken meanwhile, some of them. */
import { expect } from 'chai';
import { runAttackedThreads } from './support/attacked-threads.ts';
import { DEATH_POINTS, Deaths } from './support/deaths.ts';
import { REQUESTS_OF_STAGE } from './support/stage.ts';

/** Commands that ask the lower device for something, at least. */
const INTERRUPTED_MIN = 25;
/** Guests of a thread. */
const GUESTS = 17;

describe('the end of guests within commands, at every point', () => {
  for (const mode of ['basic', 'bypass'] as const) {
    it(`of every command, ${mode}`, () => {
      const deaths = new Deaths();
      for (let request = 0; request < REQUESTS_OF_STAGE; request++) {
        for (const point of DEATH_POINTS) deaths.die({ mode, request, point });
      }
      expect(deaths.interrupted.size).to.be.above(INTERRUPTED_MIN);
      deaths.close();
    }).timeout(300_000);
  }

  for (const dom0 of ['inline', 'thread'] as const) {
    const device = dom0 === 'inline' ? 'thread' : 'inline';
    it(`with their thread, ${2 * GUESTS} of them; device domain ${dom0}, device ${device}, the main thread within one verb`, () =>
      runAttackedThreads({ dom0, device, seed: 0, attacks: GUESTS, program: 'dying-thread.js' })).timeout(200_000);
  }
});
