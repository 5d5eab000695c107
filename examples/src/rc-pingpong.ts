/** The ping-pong of the C examples, on the C names of `openverbs/gen2`: `rc-pingpong [SIZE [ITERATIONS]]`. */
import process from 'node:process';
import { ibv_get_device_list, ibv_get_device_name } from 'openverbs/gen2';
import { pingPong } from './rc-pingpong/ping-pong.ts';

function main(size = 4096, iters = 1000): number {
  if (!(size >= 1 && Number.isInteger(size) && iters >= 1 && Number.isInteger(iters))) {
    process.stderr.write('Usage: rc-pingpong [SIZE [ITERATIONS]], both whole numbers from 1\n');
    return 2;
  }
  const [device] = ibv_get_device_list();
  const { seconds, addresses } = pingPong(device, { size, iters });
  console.log(`${ibv_get_device_name(device)}: ${iters} exchanges of ${size} bytes`);
  for (const { qpn, psn, gid } of addresses) console.log(`  QPN ${qpn}, PSN ${psn}, GID ${String(gid)}`);
  console.log(`${seconds.toFixed(2)} s, ${((seconds * 1e6) / iters).toFixed(2)} us an exchange`);
  return 0;
}

process.exitCode = main(...process.argv.slice(2, 4).map(Number));
