/** Sizes of a packet's payload. */

/**
 * `enum ibv_mtu`: a maximum transfer unit. The values are codes, see {@link mtuToBytes}.
 *
 * @enum
 */
export const Mtu = {
  /** 256 bytes. */
  MTU_256: 1,
  /** 512 bytes. */
  MTU_512: 2,
  /** 1024 bytes; what fits an Ethernet frame of 1500. */
  MTU_1024: 3,
  /** 2048 bytes. */
  MTU_2048: 4,
  /** 4096 bytes. */
  MTU_4096: 5,
} as const;

/** One of {@link Mtu}. */
export type Mtu = (typeof Mtu)[keyof typeof Mtu];

/** The bytes that an {@link Mtu} stands for; 0 when it is none. */
export function mtuToBytes(mtu: number): number {
  return mtu >= Mtu.MTU_256 && mtu <= Mtu.MTU_4096 ? 128 << mtu : 0;
}

/** The largest {@link Mtu} of at most `bytes` bytes; undefined below 256. */
export function bytesToMtu(bytes: number): Mtu | undefined {
  for (let mtu: number = Mtu.MTU_4096; mtu >= Mtu.MTU_256; mtu--) if (128 << mtu <= bytes) return mtu as Mtu;
  return undefined;
}
