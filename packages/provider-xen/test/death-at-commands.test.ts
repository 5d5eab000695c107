/** A guest dies in some of the commands, at one point or another; at all points of all, also on threads: death-at-commands.exhaustive.ts. */
import { DEATH_POINTS, Deaths } from './support/deaths.ts';
import { REQUESTS_OF_STAGE } from './support/stage.ts';

const STEP = 3;

describe('the end of guests within commands', () => {
  it('some commands, once each', () => {
    const deaths = new Deaths();
    for (let request = 0; request < REQUESTS_OF_STAGE; request += STEP) {
      const point = DEATH_POINTS[request % DEATH_POINTS.length];
      deaths.die({ mode: request % 2 === 0 ? 'basic' : 'bypass', request, point });
    }
    deaths.close();
  }).timeout(30_000);
});
