/** The lines of a ping-pong, as the programs in rdma-core's libibverbs/examples print them. */
import { Gid } from '@openverbs/verbs';
import { formatInet6 } from '../devinfo/inet.ts';
import { hex } from '../devinfo/names.ts';
import type { PingPongAddress } from './endpoint.ts';
import type { PingPongResult } from './run.ts';
import { type PingPongOptions, totalIters } from './options.ts';
import { type ServiceName, SERVICES } from './service.ts';

/**
 * The addresses of both ends, seen from the one that sends first: all local ones, then all remote ones. Over XRC it meets its clients one after
 * the other, and writes no `0x`.
 */
export function formatAddresses(
  service: ServiceName,
  locals: readonly PingPongAddress[],
  remotes: readonly PingPongAddress[],
): string {
  const { isExtended, localGidSeparator } = SERVICES[service];
  if (isExtended) return locals.map((local, index) => formatConnection(local, remotes[index])).join('');
  return [
    ...locals.map((local) => `  local address:  ${formatAddress(local, localGidSeparator)}\n`),
    ...remotes.map((remote) => `  remote address: ${formatAddress(remote, ',')}\n`),
  ].join('');
}

/** Throughput, time of an exchange, and a line for each page with wrong contents. Of XRC the C tool says no more than that it went well. */
export function formatResult(
  result: Pick<PingPongResult, 'seconds' | 'bytes' | 'invalidPages'>,
  options: PingPongOptions,
): string {
  const invalid = result.invalidPages.map((page) => `invalid data in page ${page}\n`);
  if (SERVICES[options.service].isExtended) return invalid.length > 0 ? invalid.join('') : 'success\n';
  const iters = totalIters(options);
  const usec = result.seconds * 1e6;
  const time = `${result.seconds.toFixed(2)} seconds`;
  return [
    `${result.bytes} bytes in ${time} = ${((result.bytes * 8) / usec).toFixed(2)} Mbit/sec\n`,
    `${iters} iters in ${time} = ${(usec / iters).toFixed(2)} usec/iter\n`,
    ...invalid,
  ].join('');
}

function formatConnection(local: PingPongAddress, remote: PingPongAddress): string {
  return `  remote: ${formatExtendedAddress(remote)}\n   local: ${formatExtendedAddress(local)}\n`;
}

function formatExtendedAddress({ lid, qpn, sendQpn = 0, psn, srqn = 0, gid }: PingPongAddress): string {
  const qpns = `QPN RECV ${bareHex(qpn)} SEND ${bareHex(sendQpn)}`;
  const numbers = `LID ${bareHex(lid, 4)}, ${qpns}, PSN ${bareHex(psn)}, SRQN ${bareHex(srqn)}`;
  return `${numbers}, GID ${formatInet6(Gid.parse(gid).bytes)}`;
}

function bareHex(value: number, digits = 6): string {
  return value.toString(16).padStart(digits, '0');
}

function formatAddress({ lid, qpn, psn, gid }: PingPongAddress, separator: string): string {
  const numbers = `LID ${hex(lid, 4)}, QPN ${hex(qpn, 6)}, PSN ${hex(psn, 6)}`;
  return `${numbers}${separator} GID ${formatInet6(Gid.parse(gid).bytes)}`;
}
