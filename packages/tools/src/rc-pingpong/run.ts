/** Runs both ends of a ping-pong in this process. */
import { randomInt } from 'node:crypto';
import type { Device } from '@openverbs/verbs';
import { openFor } from '../cli/open.ts';
import type { PingPongOptions } from './options.ts';
import { PeerThread } from './peer-thread.ts';
import { EventProgress, PollProgress } from './progress.ts';
import { type PingPongAddress, PingPongSide } from './side.ts';

/** What a run measured. */
export interface PingPongResult {
  /** From before the first message to after the last. */
  readonly seconds: number;
  /** Both directions together. */
  readonly bytes: number;
  /** Pages with wrong contents, at either end; always empty without `check`. */
  readonly invalidPages: readonly number[];
}

/** Called when both ends are ready, before the clock starts. */
export type ConnectedHandler = (device: string, local: PingPongAddress, remote: PingPongAddress) => void;

/** Exchanges the messages, on one thread or two. Throws the VerbsError of what failed. */
export async function runPingPong(options: PingPongOptions, onConnected: ConnectedHandler): Promise<PingPongResult> {
  using verbs = openFor(options);
  const device = verbs.device(options.device);
  return options.threads === 1
    ? await runOnOneThread(device, options, onConnected)
    : await runOnTwoThreads(device, verbs.machine, options, onConnected);
}

/** The number of a QP's first packet: any 24 bits. */
export function randomPsn(): number {
  return randomInt(1 << 24);
}

/** Moves `sides` until all of them are done. */
export async function exchange(
  sides: readonly PingPongSide[],
  events: boolean,
  peerFailed?: () => boolean,
): Promise<void> {
  if (!events) return exchangeByPolling(sides, peerFailed);
  using progress = new EventProgress(sides, peerFailed);
  const runs = sides.map((side) => side.stepByEvents(progress.progress, progress.signal));
  // One that fails must not leave the other waiting.
  for (const run of runs) run.catch((error: unknown) => progress.abort(error));
  await Promise.all(runs);
}

function exchangeByPolling(sides: readonly PingPongSide[], peerFailed?: () => boolean): void {
  const watch = new PollProgress(sides, peerFailed);
  while (!sides.every((side) => side.isDone)) {
    let handled = 0;
    for (const side of sides) handled += side.step();
    if (handled > 0) watch.progress();
    else watch.idle();
  }
}

async function runOnOneThread(
  device: Device,
  options: PingPongOptions,
  onConnected: ConnectedHandler,
): Promise<PingPongResult> {
  // As in two processes, each end has a context of its own.
  using clientContext = device.open();
  using serverContext = device.open();
  const client = new PingPongSide(clientContext, options, randomPsn());
  const server = new PingPongSide(serverContext, options, randomPsn());
  client.connect(server.address);
  server.connect(client.address);
  onConnected(device.name, client.address, server.address);
  const start = performance.now();
  client.serve();
  await exchange([client, server], options.events);
  const seconds = secondsSince(start);
  return resultOf(options, seconds, [...client.invalidPages(), ...server.invalidPages()]);
}

async function runOnTwoThreads(
  device: Device,
  machine: unknown,
  options: PingPongOptions,
  onConnected: ConnectedHandler,
): Promise<PingPongResult> {
  using context = device.open();
  const client = new PingPongSide(context, options, randomPsn());
  await using peer = PeerThread.start(machine, { ...options, device: device.name });
  const remote = await peer.address();
  client.connect(remote);
  await peer.connect(client.address);
  onConnected(device.name, client.address, remote);
  const start = performance.now();
  client.serve();
  try {
    await exchange([client], options.events, () => peer.hasFailed);
  } catch (error) {
    // What happened at the other end explains more than that it is silent.
    throw (await peer.endWithError()) ?? error;
  }
  const seconds = secondsSince(start);
  return resultOf(options, seconds, [...client.invalidPages(), ...(await peer.invalidPages())]);
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

function resultOf(options: PingPongOptions, seconds: number, invalidPages: readonly number[]): PingPongResult {
  return {
    seconds,
    bytes: options.size * options.iters * 2,
    invalidPages: [...new Set(invalidPages)].sort((a, b) => a - b),
  };
}
