/** The lines of a ping-pong, as the programs in rdma-core's libibverbs/examples print them. */
import { Gid } from '@openverbs/verbs';
import { formatInet6 } from '../devinfo/inet.ts';
import { hex } from '../devinfo/names.ts';
import type { PingPongAddress } from './endpoint.ts';
import type { PingPongResult } from './run.ts';
import { type ServiceName, SERVICES } from './service.ts';

/** The addresses of both ends, seen from the one that sends first: all local ones, then all remote ones. */
export function formatAddresses(
  service: ServiceName,
  locals: readonly PingPongAddress[],
  remotes: readonly PingPongAddress[],
): string {
  const { localGidSeparator } = SERVICES[service];
  return [
    ...locals.map((local) => `  local address:  ${formatAddress(local, localGidSeparator)}\n`),
    ...remotes.map((remote) => `  remote address: ${formatAddress(remote, ',')}\n`),
  ].join('');
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

function formatAddress({ lid, qpn, psn, gid }: PingPongAddress, separator: string): string {
  const numbers = `LID ${hex(lid, 4)}, QPN ${hex(qpn, 6)}, PSN ${hex(psn, 6)}`;
  return `${numbers}${separator} GID ${formatInet6(Gid.parse(gid).bytes)}`;
}
