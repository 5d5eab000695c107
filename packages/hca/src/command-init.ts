/** The arguments of the commands that create something. */

/** What a region of memory is. */
export interface RegionPlace {
  readonly pd: number;
  readonly access: number;
  /** Verbs address of the first byte, as two words. */
  readonly startLo: number;
  readonly startHi: number;
  readonly length: number;
  /** Machine address of the first byte when the pages are one run … */
  readonly base?: number;
  /** … or the machine address of each page, and where in the first one the region begins. */
  readonly pages?: ArrayLike<number>;
  readonly firstOffset?: number;
}

/** A region to enter into the TPT. */
export interface RegionInit extends RegionPlace {
  readonly uar: number;
}

/** All memory by machine addresses, for the pages of one owner. */
export interface OwnedRegionInit extends RegionInit {
  /** Who owns them in the page allocator, whenever an access comes. */
  readonly owner: number;
}

/** A memory window. */
export interface WindowInit {
  readonly uar: number;
  readonly pd: number;
  /** Bound by a work request to a QP, and invalidated; else bound by a verb. */
  readonly type2: boolean;
}

/** A CQ. Its ring lies in the region `bufferKey`, a doorbell record first. */
export interface CqInit {
  readonly uar: number;
  readonly bufferKey: number;
  readonly log2Count: number;
  /** `CqcFlag` bits. */
  readonly flags?: number;
}

/** A QP. Its rings lie in the region `bufferKey`: doorbell record, send ring, receive ring. */
export interface QpInit {
  readonly uar: number;
  /** Left out by XRC_RECV: there the SRQ that a message names has it. */
  readonly pd?: number;
  readonly type: number;
  readonly bufferKey: number;
  /** Left out for the queue that an XRC QP does not have. */
  readonly sendCqn?: number;
  readonly recvCqn?: number;
  /** The SRQ that receives come from; without one, the QP's own queue. */
  readonly srqn?: number;
  /** XRC_RECV: the domain. */
  readonly xrcdn?: number;
  readonly sqLog2Count: number;
  readonly sqLog2Bytes: number;
  readonly rqLog2Count: number;
  readonly rqLog2Bytes: number;
  readonly maxSendWr: number;
  readonly maxRecvWr: number;
  readonly maxSendSge: number;
  readonly maxRecvSge: number;
  readonly maxInline: number;
}

/** An SRQ. Its ring lies in the region `bufferKey`: doorbell record, ring, WQEs. */
export interface SrqInit {
  readonly uar: number;
  readonly pd: number;
  readonly bufferKey: number;
  readonly log2Count: number;
  readonly wqeLog2Bytes: number;
  readonly maxWr: number;
  readonly maxSge: number;
  /** XRC: the domain, and the CQ that receives complete to. */
  readonly xrc?: { readonly xrcdn: number; readonly cqn: number };
}

/** An XRC domain. Without an inode nobody else finds it. */
export interface XrcdInit {
  readonly uar: number;
  /** Device and number of the inode, two words each. */
  readonly inode?: readonly [number, number, number, number];
  /** O_CREAT: makes the domain when there is none; O_EXCL: refuses when there is one. */
  readonly create: boolean;
  readonly exclusive: boolean;
}

/** What a modify changes of an SRQ; what is left out stays. */
export interface SrqChange {
  readonly maxWr?: number;
  /** Where the ring moves to; it has at least as many entries as before. */
  readonly ring?: { readonly bufferKey: number; readonly log2Count: number };
  /** Arms the SRQ; 0 disarms it. */
  readonly limit?: number;
}
