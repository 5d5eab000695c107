/**
 * What a split driver needs of a hypervisor: domains, pages, grant tables, event channels, xenstore, the shared ring; and an emulated
 * hypervisor. Applications and provider authors don't import this package.
 *
 * @packageDocumentation
 */
export { EmulatedHypervisor } from './emulated/emulated-hypervisor.ts';
export type { DomainUsage, HypervisorHandle } from './emulated/emulated-hypervisor.ts';
export { HypervisorError } from './errors.ts';
export type { HypervisorErrorCode } from './errors.ts';
export type { EventChannels, WaitOptions } from './event-channels.ts';
export type { GrantTable, MapOptions, Mapping, SharedPages } from './grant-table.ts';
export type { Domain, DomainInfo, DomainInit, Hypervisor, Toolstack } from './hypervisor.ts';
export {
  DEFAULT_LIMITS,
  DOM0,
  DOMID_FIRST_RESERVED,
  GRANT_REFS_RESERVED,
  LIMITS_MAX,
  XEN_PAGE_BYTES,
  XENSTORE_ABS_PATH_MAX,
  XENSTORE_PAYLOAD_BYTES_MAX,
  XENSTORE_REL_PATH_MAX,
  XENSTORE_WATCH_EVENTS_MAX,
} from './limits.ts';
export type { HypervisorLimits } from './limits.ts';
export type { AllocPagesOptions, DomainMemory, Page, PinnedPages } from './memory.ts';
export { BackRing, FrontRing, ringSize, RingTake, SharedRing } from './shared-ring.ts';
export type { RingPage } from './shared-ring.ts';
export { parseXenbusState, XenbusState } from './xenbus-state.ts';
export type { TransactionId, WatchEvent, Xenstore, XenstoreAccess, XenstorePermission } from './xenstore.ts';
