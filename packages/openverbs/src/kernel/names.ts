/** Rates, by their C names of kernel level. */
import { multToRate, rateToMult } from '@openverbs/verbs';
import type { Rate } from '@openverbs/verbs';

/** The multiple of 2.5 Gb/s that a rate is; -1 if it is none. */
export function ib_rate_to_mult(rate: number): number {
  return rateToMult(rate);
}

/** The rate that is a multiple of 2.5 Gb/s; `IB_RATE_PORT_CURRENT` if there is none. */
export function mult_to_ib_rate(mult: number): Rate {
  return multToRate(mult);
}
