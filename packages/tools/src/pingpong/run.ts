/** Runs both ends of a ping-pong in this process. */
import type { Device } from '@openverbs/verbs';
import type { OpenVerbs } from 'openverbs';
import { openFor } from '../cli/open.ts';
import { PingPongEnd } from './end.ts';
import type { PingPongAddress } from './endpoint.ts';
import { type PingPongOptions, totalIters } from './options.ts';
import { patienceOf } from './patience.ts';
import { PeerThread } from './peer-thread.ts';
import { EventProgress, PEER_FAILED, PollProgress } from './progress.ts';
import type { PingPongSide } from './side.ts';

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
export type ConnectedHandler = (
  device: string,
  locals: readonly PingPongAddress[],
  remotes: readonly PingPongAddress[],
) => void;

/** A guest of the second thread waits for the device domain while the first thread is in its event loop, or spins. */
const FOR_TWO_THREADS = { xen: { placement: 'thread' } } as const;

/** The device tells of nothing but packets. */
const WITH_PACKETS = { emulated: { packets: true } } as const;

/**
 * Exchanges the messages, on one thread or two. Throws the VerbsError of what failed; `onEnd` is called in any case, while the device
 * can still be asked.
 */
export async function runPingPong(
  options: PingPongOptions & { readonly packets?: boolean },
  onConnected: ConnectedHandler,
  onEnd: (device: Device) => void = () => undefined,
): Promise<PingPongResult> {
  using verbs = openFor(options, {
    ...(options.threads === 2 && FOR_TWO_THREADS),
    ...(options.packets && WITH_PACKETS),
  });
  const device = verbs.device(options.device);
  const peer = options.peerDevice === undefined ? device : verbs.device(options.peerDevice);
  try {
    return options.threads === 1
      ? await runOnOneThread(device, peer, options, onConnected)
      : await runOnTwoThreads(verbs, device, peer, options, onConnected);
  } finally {
    onEnd(device);
  }
}

/** Moves `sides` until all of them are done. */
export async function exchange(
  sides: readonly PingPongSide[],
  options: PingPongOptions,
  peerFailed?: () => boolean,
): Promise<void> {
  if (!options.events) return exchangeByPolling(sides, new PollProgress(sides, patienceOf(options), peerFailed));
  using progress = new EventProgress(sides, patienceOf(options), peerFailed);
  const runs = sides.map((side) => side.stepByEvents(progress.progress, progress.signal));
  // One that fails must not leave the other waiting.
  for (const run of runs) run.catch((error: unknown) => progress.abort(error));
  await Promise.all(runs);
}

function exchangeByPolling(sides: readonly PingPongSide[], watch: PollProgress): void {
  while (!sides.every((side) => side.isDone)) {
    let handled = 0;
    for (const side of sides) handled += side.step();
    if (handled > 0) watch.progress();
    else watch.idle();
  }
}

async function runOnOneThread(
  device: Device,
  peerDevice: Device,
  options: PingPongOptions,
  onConnected: ConnectedHandler,
): Promise<PingPongResult> {
  // As in two processes, each end has a context of its own.
  using serverContext = device.open();
  using clientsContext = peerDevice.open();
  const server = new PingPongEnd(serverContext, options, 'server');
  const clients = new PingPongEnd(clientsContext, options, 'clients');
  server.connect(clients.addresses);
  clients.connect(server.addresses);
  onConnected(device.name, server.addresses, clients.addresses);
  const start = performance.now();
  server.serve();
  await exchange([...server.sides, ...clients.sides], options);
  const seconds = secondsSince(start);
  return resultOf(options, seconds, [...server.invalidPages(), ...clients.invalidPages()]);
}

async function runOnTwoThreads(
  verbs: OpenVerbs,
  device: Device,
  peerDevice: Device,
  options: PingPongOptions,
  onConnected: ConnectedHandler,
): Promise<PingPongResult> {
  using context = device.open();
  const server = new PingPongEnd(context, options, 'server');
  await using peer = PeerThread.start(verbs.machine, options, verbs.devices.indexOf(peerDevice));
  const remotes = await peer.addresses();
  server.connect(remotes);
  await peer.connect(server.addresses);
  onConnected(device.name, server.addresses, remotes);
  const start = performance.now();
  server.serve();
  try {
    await exchange(server.sides, options, () => peer.hasFailed);
  } catch (error) {
    // What happened at the other end explains more than that it is silent, unless it only tells of this end.
    const peerError = await peer.endWithError();
    throw peerError && peerError.code !== PEER_FAILED ? peerError : error;
  }
  const seconds = secondsSince(start);
  return resultOf(options, seconds, [...server.invalidPages(), ...(await peer.invalidPages())]);
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

function resultOf(options: PingPongOptions, seconds: number, invalidPages: readonly number[]): PingPongResult {
  return {
    seconds,
    bytes: options.size * totalIters(options) * 2,
    invalidPages: [...new Set(invalidPages)].sort((a, b) => a - b),
  };
}
