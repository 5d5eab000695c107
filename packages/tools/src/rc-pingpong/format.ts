/** The lines of `ibv_rc_pingpong`, as rdma-core's libibverbs/examples/rc_pingpong.c prints them. */
import { Gid } from '@openverbs/verbs';
import { formatInet6 } from '../devinfo/inet.ts';
import { hex } from '../devinfo/names.ts';
import type { PingPongResult } from './run.ts';
import type { PingPongAddress } from './side.ts';

/** Both ends' addresses, seen from the one that sends first. */
export function formatAddresses(local: PingPongAddress, remote: PingPongAddress): string {
  return `  local address:  ${formatAddress(local)}\n  remote address: ${formatAddress(remote)}\n`;
}

/** Throughput, time of an exchange, and a line for each page with wrong contents. */
export function formatResult(
  result: Pick<PingPongResult, 'seconds' | 'bytes' | 'invalidPages'>,
  iters: number,
): string {
  const usec = result.seconds * 1e6;
  const time = `${result.seconds.toFixed(2)} seconds`;
  return [
    `${result.bytes} bytes in ${time} = ${((result.bytes * 8) / usec).toFixed(2)} Mbit/sec\n`,
    `${iters} iters in ${time} = ${(usec / iters).toFixed(2)} usec/iter\n`,
    ...result.invalidPages.map((page) => `invalid data in page ${page}\n`),
  ].join('');
}

function formatAddress({ lid, qpn, psn, gid }: PingPongAddress): string {
  return `LID ${hex(lid, 4)}, QPN ${hex(qpn, 6)}, PSN ${hex(psn, 6)}, GID ${formatInet6(Gid.parse(gid).bytes)}`;
}
