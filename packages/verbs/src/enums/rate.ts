/** Static rates of a path. */

/**
 * `enum ibv_rate`: the rate that a path is limited to. The values are codes of IBTA vol. 1, 9.11.1, and not in order.
 *
 * @enum
 */
export const Rate = {
  /** As fast as the port. */
  MAX: 0,
  /** 2.5 Gb/s, 1x SDR. */
  RATE_2_5_GBPS: 2,
  /** 5 Gb/s, 1x DDR. */
  RATE_5_GBPS: 5,
  /** 10 Gb/s, 4x SDR. */
  RATE_10_GBPS: 3,
  /** 20 Gb/s, 4x DDR. */
  RATE_20_GBPS: 6,
  /** 30 Gb/s, 12x SDR. */
  RATE_30_GBPS: 4,
  /** 40 Gb/s, 4x QDR. */
  RATE_40_GBPS: 7,
  /** 60 Gb/s, 12x DDR. */
  RATE_60_GBPS: 8,
  /** 80 Gb/s, 8x QDR. */
  RATE_80_GBPS: 9,
  /** 120 Gb/s, 12x QDR. */
  RATE_120_GBPS: 10,
  /** 14 Gb/s, 1x FDR. */
  RATE_14_GBPS: 11,
  /** 56 Gb/s, 4x FDR. */
  RATE_56_GBPS: 12,
  /** 112 Gb/s, 8x FDR. */
  RATE_112_GBPS: 13,
  /** 168 Gb/s, 12x FDR. */
  RATE_168_GBPS: 14,
  /** 25 Gb/s, 1x EDR. */
  RATE_25_GBPS: 15,
  /** 100 Gb/s, 4x EDR. */
  RATE_100_GBPS: 16,
  /** 200 Gb/s, 8x EDR. */
  RATE_200_GBPS: 17,
  /** 300 Gb/s, 12x EDR. */
  RATE_300_GBPS: 18,
  /** 28 Gb/s, 2x FDR. */
  RATE_28_GBPS: 19,
  /** 50 Gb/s, 2x EDR. */
  RATE_50_GBPS: 20,
  /** 400 Gb/s, 8x HDR. */
  RATE_400_GBPS: 21,
  /** 600 Gb/s, 12x HDR. */
  RATE_600_GBPS: 22,
  /** 800 Gb/s, 8x NDR. */
  RATE_800_GBPS: 23,
  /** 1200 Gb/s, 12x NDR. */
  RATE_1200_GBPS: 24,
} as const;

/** One of {@link Rate}. */
export type Rate = (typeof Rate)[keyof typeof Rate];

/** Code, multiple of 2.5 Gb/s, Mb/s. Lanes from FDR on do not run at whole multiples, hence two columns. */
const RATES: readonly (readonly [code: Rate, mult: number, mbps: number])[] = [
  [Rate.RATE_2_5_GBPS, 1, 2500],
  [Rate.RATE_5_GBPS, 2, 5000],
  [Rate.RATE_10_GBPS, 4, 10000],
  [Rate.RATE_20_GBPS, 8, 20000],
  [Rate.RATE_30_GBPS, 12, 30000],
  [Rate.RATE_40_GBPS, 16, 40000],
  [Rate.RATE_60_GBPS, 24, 60000],
  [Rate.RATE_80_GBPS, 32, 80000],
  [Rate.RATE_120_GBPS, 48, 120000],
  [Rate.RATE_14_GBPS, 6, 14062],
  [Rate.RATE_56_GBPS, 22, 56250],
  [Rate.RATE_112_GBPS, 45, 112500],
  [Rate.RATE_168_GBPS, 67, 168750],
  [Rate.RATE_25_GBPS, 10, 25781],
  [Rate.RATE_100_GBPS, 40, 103125],
  [Rate.RATE_200_GBPS, 80, 206250],
  [Rate.RATE_300_GBPS, 120, 309375],
  [Rate.RATE_28_GBPS, 11, 28125],
  [Rate.RATE_50_GBPS, 20, 53125],
  [Rate.RATE_400_GBPS, 160, 425000],
  [Rate.RATE_600_GBPS, 240, 637500],
  [Rate.RATE_800_GBPS, 320, 850000],
  [Rate.RATE_1200_GBPS, 480, 1275000],
];

/** The multiple of 2.5 Gb/s of a rate; -1 when it has none. Source: `ibv_rate_to_mult`(3). */
export function rateToMult(rate: number): number {
  return RATES.find(([code]) => code === rate)?.[1] ?? -1;
}

/** The rate of a multiple of 2.5 Gb/s; `Rate.MAX` when there is none. Source: `mult_to_ibv_rate`(3). */
export function multToRate(mult: number): Rate {
  return RATES.find(([, known]) => known === mult)?.[0] ?? Rate.MAX;
}

/** A rate in Mb/s; -1 when it is not known. Source: `ibv_rate_to_mbps`(3). */
export function rateToMbps(rate: number): number {
  return RATES.find(([code]) => code === rate)?.[2] ?? -1;
}

/** The rate of exactly `mbps` Mb/s; `Rate.MAX` when there is none. Source: `mbps_to_ibv_rate`(3). */
export function mbpsToRate(mbps: number): Rate {
  return RATES.find(([, , known]) => known === mbps)?.[0] ?? Rate.MAX;
}

/** Lowest UDP source port of RoCE v2. */
const UDP_SPORT_MIN = 0xc000;

/**
 * The UDP source port that RoCE v2 makes of a flow label: its two halves folded into 14 bits. Source:
 * `ibv_flow_label_to_udp_sport`(3).
 */
export function flowLabelToUdpSport(flowLabel: number): number {
  return UDP_SPORT_MIN | ((flowLabel & 0x3fff) ^ ((flowLabel & 0xfc000) >>> 14));
}
