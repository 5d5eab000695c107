/** What the two threads of a ping-pong tell each other. */
import type { PingPongAddress } from './endpoint.ts';
import type { PingPongOptions } from './options.ts';

/** What the second thread starts with. */
export interface PeerStart {
  readonly machine: unknown;
  /** The place of the device in the list; without one, `options` name it. */
  readonly deviceIndex: number | undefined;
  readonly options: PingPongOptions;
  /** One word of shared memory, set by the side that fails: the other one may be spinning and read no message. */
  readonly failed: Int32Array<SharedArrayBuffer>;
}

/** From the first thread to the second. */
export type ToPeer =
  { readonly kind: 'connect'; readonly remotes: readonly PingPongAddress[] } | { readonly kind: 'end' };

/** From the second thread to the first. */
export type FromPeer =
  | { readonly kind: 'addresses'; readonly addresses: readonly PingPongAddress[] }
  | { readonly kind: 'connected' }
  | { readonly kind: 'done'; readonly invalidPages: readonly number[] }
  | { readonly kind: 'error'; readonly error: PeerError };

/** A VerbsError, which loses its class on the way between threads. */
export interface PeerError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}
