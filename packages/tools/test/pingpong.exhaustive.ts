/** Ping-pongs on two threads, which take as long to start as all others to run. */
import { itEndsWell, itGetsAllAcross, itGivesUp, itPlays, nameOf, type Run } from './ping-pongs.ts';

const RUNS = {
  UC: ['--threads 2 -c', 4096, 1000],
  UD: ['--threads 2 -c', 1024, 1000],
  SRQ: ['--threads 2 -c', 4096, 1000, 16],
  XSRQ: ['--threads 2 -c 4 -n 250 --chk', 4096, 250, 4],
} as const satisfies Record<string, Run>;

for (const service of ['UC', 'UD', 'SRQ', 'XSRQ'] as const) {
  describe(nameOf(service), () => {
    itPlays(service, [RUNS[service]]);
  });
}

describe('a ping-pong on a network that loses packets', function () {
  this.timeout(20_000);

  itGivesUp('UD', '--threads 2');
  for (const service of ['UC', 'UD'] as const) itEndsWell(service, '--threads 2');
  itGetsAllAcross('XSRQ', 2);
});
