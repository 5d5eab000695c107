/** Ping-pongs on two threads, which take as long to start as all others to run, and those with the most queue pairs. */
import { itEndsWell, itGetsAllAcross, itGivesUp, itPlays, nameOf, SERVICE_NAMES, type Run } from './ping-pongs.ts';
import { type ServiceName } from '../src/pingpong/service.ts';

const RUNS: Record<ServiceName, Run[]> = {
  RC: [['--threads 2 -c', 4096, 1000]],
  UC: [
    ['--threads 2 -c', 4096, 1000],
    ['--threads 2 -e -c -n 200 -d emulated0 -i 1 -g 0 -l 3', 4096, 200],
  ],
  UD: [
    ['--threads 2 -c', 1024, 1000],
    ['--threads 2 -e -c -n 200 -d emulated0 -i 1 -g 0 -l 3', 1024, 200],
  ],
  SRQ: [
    ['--threads 2 -c', 4096, 1000, 16],
    ['--threads 2 -e -c -q 3 -r 3 -n 200 -d emulated0 -i 1 -g 0 -l 3 -m 256', 4096, 200, 3],
    ['-q 255 -n 300 -s 8', 8, 300, 255],
  ],
  XSRQ: [
    ['--threads 2 -c 4 -n 250 --chk', 4096, 250, 4],
    ['-c 255 --num_tests 3 -s 8', 8, 3, 255],
  ],
};

for (const service of SERVICE_NAMES) {
  describe(nameOf(service), () => {
    itPlays(service, RUNS[service]);
  });
}

describe('a ping-pong on a network that loses packets', function () {
  this.timeout(20_000);

  itGivesUp('UC', '--threads 2 -e');
  itGivesUp('UD', '--threads 2');
  itEndsWell('UC', '-e');
  itEndsWell('UD', '');
  for (const service of ['UC', 'UD'] as const) itEndsWell(service, '--threads 2');
  for (const service of ['SRQ', 'XSRQ'] as const) itGetsAllAcross(service, 2);
});
