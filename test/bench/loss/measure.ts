/** The benchmark of a network that loses frames. */
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import type { Samples } from '../samples.ts';
import { transfer } from './transfer.ts';

const MESSAGES = 1024;
const MESSAGES_QUICK = 64;
const SEEDS = 11;

/** Goodput in GB/s, its share of what there is without loss, and the share of packets that were sent again, for several seeds. */
export function measure({ fields }: BenchCase, options: Pick<BenchOptions, 'quick'>): Samples {
  const messages = options.quick ? MESSAGES_QUICK : MESSAGES;
  const seeds = Array.from({ length: options.quick ? 1 : SEEDS }, (_, n) => n + 1);
  const whole = transfer(0, 1, messages).goodput;
  const runs = seeds.map((seed) => transfer(fields['loss'] / 100, seed, messages));
  return {
    goodput: runs.map(({ goodput }) => goodput),
    share: runs.map(({ goodput }) => goodput / whole),
    'sent-again': runs.map(({ again }) => again),
  };
}
