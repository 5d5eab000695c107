/** Timers of a requester, as codes of the specification. */

export { rnrTimerNs } from '@openverbs/rocev2';

/** `rnr_retry` that never runs out (IBTA 9.7.5.2.8). */
export const RNR_RETRY_INFINITE = 7;

/** 4.096 us * 2^timeout; 0 means to wait for ever (IBTA 9.7.6.1.3). */
export function ackTimeoutNs(timeout: number): number {
  return timeout === 0 ? Infinity : 4096 * 2 ** (timeout & 31);
}
