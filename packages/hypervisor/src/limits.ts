/**
 * What the tables of a hypervisor hold, with the defaults of Xen and its tools.
 *
 * @packageDocumentation
 */
import { HypervisorError } from './errors.ts';

/** Number of the device domain. */
export const DOM0 = 0;
/** Domain numbers from here on have other meanings in Xen (DOMID_FIRST_RESERVED). */
export const DOMID_FIRST_RESERVED = 0x7ff0;
/** Memory of a domain in bytes. */
export const DOMAIN_MEMORY_BYTES_MAX = 2 ** 42;
/** References below this one are for the console and xenstore (GNTTAB_NR_RESERVED_ENTRIES). */
export const GRANT_REFS_RESERVED = 8;
/** Bytes of a page, the unit of grants. */
export const XEN_PAGE_BYTES = 4096;
/** Longest name of a domain, bytes of UTF-8. */
export const DOMAIN_NAME_BYTES_MAX = 64;

/** Longest absolute path in xenstore (XENSTORE_ABS_PATH_MAX). */
export const XENSTORE_ABS_PATH_MAX = 3072;
/** Longest relative path in xenstore (XENSTORE_REL_PATH_MAX). */
export const XENSTORE_REL_PATH_MAX = 2048;
/** Most bytes of one message to xenstore, path and value together (XENSTORE_PAYLOAD_MAX). */
export const XENSTORE_PAYLOAD_BYTES_MAX = 4096;
/** Events of watches that wait to be read, for each connection; more of a watch become one, of the watched path. */
export const XENSTORE_WATCH_EVENTS_MAX = 4096;

/** What the contents of xenstore may take of its bytes: the rest is for changes, or each of them would write all anew. */
export const XENSTORE_CONTENTS_SHARE = 1 / 2;
/** What of the contents is for dom0 alone: the directories of domains and devices, and what back-ends tell. */
export const XENSTORE_RESERVED_SHARE = 1 / 4;

/** Sizes of a hypervisor's tables. Memory is taken only by what is used of them. */
export interface HypervisorLimits {
  /** Domains at a time, dom0 and those included that are dead but have pages in use. */
  readonly domainsMax: number;
  /** Grants of a domain. */
  readonly grantsMax: number;
  /** Pages of other domains that a domain has mapped (maptrack entries). */
  readonly mappingsMax: number;
  /** Event channel ports of a domain, port 0 included, which is none. */
  readonly portsMax: number;
  /** Runs of pages that a domain has pinned for its devices. */
  readonly pinnedRunsMax: number;
  /** Bytes of xenstore: twice what its contents may take, of which guests never get the quarter that is kept for dom0. */
  readonly xenstoreBytesMax: number;
  /** Nodes in xenstore that a guest owns (xenstored: quota nodes). */
  readonly xenstoreNodesMax: number;
  /** Watches of a guest's connection. */
  readonly xenstoreWatchesMax: number;
  /** Open transactions of a guest's connection. */
  readonly xenstoreTransactionsMax: number;
  /** Bytes of path, value and permissions of a node that a guest owns. */
  readonly xenstoreEntryBytesMax: number;
  /** Bytes of the nodes that a guest owns, with what is kept of each beside (xenstored: quota memory). */
  readonly xenstoreMemoryBytesMax: number;
}

/** Defaults: Xen 4.17 and its xenstored where they have such a limit. */
export const DEFAULT_LIMITS: HypervisorLimits = {
  domainsMax: 64,
  grantsMax: 32768,
  mappingsMax: 65536,
  portsMax: 1024,
  pinnedRunsMax: 131072,
  xenstoreBytesMax: 16 * 2 ** 20,
  xenstoreNodesMax: 1000,
  xenstoreWatchesMax: 128,
  xenstoreTransactionsMax: 10,
  xenstoreEntryBytesMax: 2048,
  // Less than xenstored's 2.5 MiB, so that all guests together leave what is reserved.
  xenstoreMemoryBytesMax: 96 * 1024,
};

/** The largest value that a table can have. */
export const LIMITS_MAX: HypervisorLimits = {
  domainsMax: 1024,
  grantsMax: 2 ** 20,
  mappingsMax: 2 ** 20,
  portsMax: 4096,
  pinnedRunsMax: 2 ** 20,
  xenstoreBytesMax: 256 * 2 ** 20,
  xenstoreNodesMax: 2 ** 20,
  xenstoreWatchesMax: 2 ** 16,
  xenstoreTransactionsMax: 2 ** 16,
  xenstoreEntryBytesMax: XENSTORE_PAYLOAD_BYTES_MAX,
  xenstoreMemoryBytesMax: 256 * 2 ** 20,
};

/** Smallest values below which nothing works. */
const LIMITS_MIN: Partial<HypervisorLimits> = { grantsMax: 16, portsMax: 8, xenstoreBytesMax: 65536 };

/**
 * Fills what is left out, and checks the rest.
 *
 * @throws HypervisorError `EINVAL` that names the limit
 */
export function checkLimits(given: Partial<HypervisorLimits>): HypervisorLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const name of Object.keys(limits) as (keyof HypervisorLimits)[]) {
    const value = limits[name];
    const [min, max] = [LIMITS_MIN[name] ?? 1, LIMITS_MAX[name]];
    if (max === undefined) {
      const known = Object.keys(DEFAULT_LIMITS).join(', ');
      throw new HypervisorError('EINVAL', `${name} is no limit of a hypervisor`, `the limits are ${known}`);
    }
    if (!(Number.isInteger(value) && value >= min && value <= max)) {
      throw new HypervisorError('EINVAL', `${name} is ${value}, but goes from ${min} to ${max}`);
    }
  }
  return limits;
}

/** Whether a value can be the number of a domain. */
export function isDomid(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < DOMID_FIRST_RESERVED;
}
