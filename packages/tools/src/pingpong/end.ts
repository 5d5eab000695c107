/** One of the two ends of a ping-pong: one side, or over XRC a side for each client. */
import type { Context } from '@openverbs/verbs';
import type { PingPongAddress } from './endpoint.ts';
import type { PingPongOptions } from './options.ts';
import { serviceOf } from './service.ts';
import { PingPongSide } from './side.ts';

/** Which of the two: `server` sends the first messages. */
export type PingPongRole = 'server' | 'clients';

/** Everything that it makes belongs to `context` and goes with it. */
export class PingPongEnd {
  readonly sides: readonly PingPongSide[];

  /** Makes the QPs, brings them to INIT and posts the receives. */
  constructor(context: Context, options: PingPongOptions, role: PingPongRole) {
    this.sides = serviceOf(options).isExtended
      ? extendedSides(context, options, role)
      : [new PingPongSide(context, options)];
  }

  /** What the other end must know of each connection. */
  get addresses(): readonly PingPongAddress[] {
    return this.sides.flatMap((side) => side.addresses);
  }

  /** Brings the QPs to RTS, each towards its peer in `remotes`. */
  connect(remotes: readonly PingPongAddress[]): void {
    let next = 0;
    for (const side of this.sides) {
      const { length } = side.addresses;
      side.connect(remotes.slice(next, next + length));
      next += length;
    }
  }

  /** Sends the first message of each connection; the server does, after both ends are connected. */
  serve(): void {
    for (const side of this.sides) side.serve();
  }

  /** With `check`: numbers of the pages that do not hold the pattern. */
  invalidPages(): number[] {
    return this.sides.flatMap((side) => side.invalidPages());
  }
}

/**
 * The server has a connection to each client, and one shared receive queue. A client has one connection and a receive queue of its own; the
 * clients are of one XRC domain, as processes of one host are, so what the server sends to one of them may come through the connection of
 * another.
 */
function extendedSides(context: Context, options: PingPongOptions, role: PingPongRole): readonly PingPongSide[] {
  const xrcd = context.openXrcd();
  if (role === 'server') return [new PingPongSide(context, options, xrcd)];
  const client = { ...options, numQp: 1, rxDepth: 1 };
  return Array.from({ length: options.numQp }, () => new PingPongSide(context, client, xrcd));
}
