/** What a victim is started with, and what it says while it lives. */
import type { QpEndpoint } from 'openverbs';

/** What an atomic of the victim adds to the first word of that memory. */
export const BOTH_HALVES = 0x1_0000_0001n;

/** Memory of the one who will survive, that the victim may write to and read, and whose first word it may add to. */
export interface PartnerAddress {
  readonly endpoint: QpEndpoint;
  readonly rkey: number;
  readonly addr: number;
  readonly length: number;
}

/** What a victim is started with. */
export interface VictimTask {
  readonly machine: unknown;
  readonly seed: number;
  readonly partner: PartnerAddress;
}

/** What it says: that it works now, and which QP of it wants to be connected, if any; or what went wrong, which nothing may. */
export type VictimReport = { readonly running: QpEndpoint | null } | { readonly failure: string };
