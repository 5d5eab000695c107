/** Queue pairs that receive from one SRQ, each with a peer that sends to it. */
import type { Context, ProtectionDomain, SharedReceiveQueue, SrqInitAttr } from '@openverbs/verbs';
import type { Bench, PairOptions } from './bench.ts';
import type { Side } from './side.ts';

/** How a {@link Sharing} is made. */
export interface SharingOptions extends Pick<PairOptions, 'connection' | 'connectionOfA' | 'connectionOfB' | 'cap'> {
  readonly attr?: Partial<SrqInitAttr['attr']>;
  /** How many queue pairs use it. */
  readonly count?: number;
  /** The receivers' context, instead of a new one. */
  readonly context?: Context;
}

/** `pairs[n].a` sends to `pairs[n].b`, which takes its receives from `srq`. */
export interface Sharing {
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly srq: SharedReceiveQueue;
  readonly pairs: readonly { readonly a: Side; readonly b: Side }[];
}

/** Makes an SRQ, by default of 8 work requests, and connected pairs, by default two. */
export function share(bench: Bench, options: SharingOptions = {}): Sharing {
  const { attr, count = 2, context = bench.open(bench.peerDevice), ...pair } = options;
  const pd = context.allocPd();
  const srq = pd.createSrq({ attr: { maxWr: 8, maxSge: 2, ...attr } });
  const pairs = Array.from({ length: count }, () => bench.pair({ ...pair, b: { context, pd, srq } }));
  return { context, pd, srq, pairs };
}
