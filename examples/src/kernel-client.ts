/**
 * A client of kernel level, on the C names of `openverbs/kernel`: it learns of the devices, and on each has two queue pairs play ping-pong by
 * completion handlers alone. Nothing here waits or spins: `kernel-client [ITERATIONS]`.
 */
import process from 'node:process';
import { ib_register_client, ib_unregister_client, type IbClient } from 'openverbs/kernel';
import { PingPong } from './kernel-client/ping-pong.ts';

function main(iters = 1000): number {
  if (!(iters >= 1 && Number.isInteger(iters))) {
    process.stderr.write('Usage: kernel-client [ITERATIONS], a whole number from 1\n');
    return 2;
  }
  const running = new Map<object, PingPong>();
  const client: IbClient = {
    name: 'kernel-client',
    add(device) {
      const game = new PingPong(device, iters, (seconds) => {
        console.log(`${device.name}: ${iters} exchanges, ${((seconds * 1e6) / iters).toFixed(2)} us each`);
        if ([...running.values()].every(({ done }) => done)) ib_unregister_client(client);
      });
      running.set(device, game);
      game.start();
    },
    remove(device) {
      running.get(device)?.end();
      running.delete(device);
      console.log(`${device.name}: removed`);
    },
  };
  ib_register_client(client);
  return 0;
}

process.exitCode = main(...process.argv.slice(2, 3).map(Number));
