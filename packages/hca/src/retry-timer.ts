/** Timers of a requester, as codes of the specification. */

/** RNR timer codes in microseconds (source: Linux include/rdma/ib_verbs.h, enum ib_rnr_timeout; IBTA table 45). */
const RNR_TIMER_US: readonly number[] = [
  655360, 10, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 1920, 2560, 3840, 5120, 7680, 10240, 15360,
  20480, 30720, 40960, 61440, 81920, 122880, 163840, 245760, 327680, 491520,
];

/** `rnr_retry` that never runs out (IBTA 9.7.5.2.8). */
export const RNR_RETRY_INFINITE = 7;

/** How long a receiver that is not ready asks to be left alone. */
export function rnrTimerNs(code: number): number {
  return RNR_TIMER_US[code & 31] * 1000;
}

/** 4.096 us * 2^timeout; 0 means to wait for ever (IBTA 9.7.6.1.3). */
export function ackTimeoutNs(timeout: number): number {
  return timeout === 0 ? Infinity : 4096 * 2 ** (timeout & 31);
}
