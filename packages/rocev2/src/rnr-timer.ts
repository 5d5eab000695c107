/** How long a receiver that is not ready asks to be left alone: the code in an RNR NAK, and in `min_rnr_timer`. */

/** Microseconds by code (source: Linux include/rdma/ib_verbs.h, enum ib_rnr_timeout; IBTA 9.7.5.2.8). */
const RNR_TIMER_US: readonly number[] = [
  655360, 10, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 1920, 2560, 3840, 5120, 7680, 10240, 15360,
  20480, 30720, 40960, 61440, 81920, 122880, 163840, 245760, 327680, 491520,
];

/** Nanoseconds of an RNR timer code, of which 5 bits count. */
export function rnrTimerNs(code: number): number {
  return RNR_TIMER_US[code & 31] * 1000;
}
