/** The way to a peer. */
import type { Gid } from '../gid.ts';

/** Global routing (`struct ibv_global_route`): fills the GRH, or the IP header of RoCE. */
export interface GlobalRoute {
  /** The peer's GID. */
  readonly dgid: Gid;
  /** Flow label, 20 bits. */
  readonly flowLabel: number;
  /** Which entry of the port's GID table is the source. */
  readonly sgidIndex: number;
  /** Hop limit, 8 bits. */
  readonly hopLimit: number;
  /** Traffic class, 8 bits. */
  readonly trafficClass: number;
}

/** {@link GlobalRoute} as a literal; what is left out is 0, the hop limit 64. */
export interface GlobalRouteInit extends Partial<Omit<GlobalRoute, 'dgid'>> {
  /** The peer's GID, also in text. */
  readonly dgid: Gid | string;
}

/** An address vector (`struct ibv_ah_attr`). Source: `ibv_create_ah`(3). */
export interface AhAttr {
  /** Global routing; present when `isGlobal`. */
  readonly grh?: GlobalRoute;
  /** The peer's LID; 0 on Ethernet. */
  readonly dlid: number;
  /** Service level, 4 bits. */
  readonly sl: number;
  /** Path bits of the local LID, 7 bits. */
  readonly srcPathBits: number;
  /** A `Rate` that the path is limited to. */
  readonly staticRate: number;
  /** Whether `grh` is used; RoCE needs it. */
  readonly isGlobal: boolean;
  /** The local port, from 1. */
  readonly portNum: number;
}

/** {@link AhAttr} as a literal. What is left out is 0; `portNum` 1; `isGlobal` when there is a `grh`. */
export interface AhAttrInit extends Partial<Omit<AhAttr, 'grh'>> {
  /** Global routing. */
  readonly grh?: GlobalRouteInit;
}
