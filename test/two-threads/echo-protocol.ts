/** What the echo worker and the thread that started it say to each other. */
import type { EndAddress } from './end.ts';

/** How a round gets across. */
export type Transfer = 'write' | 'send';

/** What the worker is started with. */
export interface EchoTask {
  readonly machine: unknown;
  readonly device: string;
  readonly transfer: Transfer;
  /** Of the rounds. */
  readonly seed: number;
}

/** What it is told: whom to connect to, how many rounds to answer next, and to end. */
export type EchoOrder = { readonly connect: EndAddress } | { readonly play: number } | { readonly close: true };

/** What it says: where it is; that it has answered as many rounds as it was told to; what was wrong. */
export type EchoReport = { readonly address: EndAddress } | { readonly played: number } | { readonly failure: string };
