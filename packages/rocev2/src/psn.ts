/** Packet sequence numbers: 24 bits, compared in half the space (IBTA 9.7.2; Linux rxe_verbs.h psn_compare). */

export const PSN_MASK = 0xffffff;

/** Above 0 when `a` is newer than `b`, below when it is older. */
export function comparePsn(a: number, b: number): number {
  return (a - b) << 8;
}

/** PSNs that a message of `length` bytes takes at path MTU code `mtu` (1 to 5 for 256 to 4096 bytes); at least one. */
export function packetCount(length: number, mtu: number): number {
  const shift = 7 + mtu;
  return length <= 1 << shift ? 1 : ((length - 1) >>> shift) + 1;
}

/** The PSN `count` packets after `psn`, or before it when `count` is below 0. */
export function addPsn(psn: number, count: number): number {
  return (psn + count) & PSN_MASK;
}

/** Packets from `from` up to `to`, counted upwards around the space: 0 to {@link PSN_MASK}. */
export function psnDistance(from: number, to: number): number {
  return (to - from) & PSN_MASK;
}
