/**
 * What a split driver needs of a hypervisor.
 *
 * @packageDocumentation
 */
import type { EventChannels } from './event-channels.ts';
import type { GrantTable } from './grant-table.ts';
import type { DomainMemory } from './memory.ts';
import type { Xenstore } from './xenstore.ts';

/**
 * A handle of a domain, in the thread that opened it: what a kernel or a process of that domain has. All is this handle's own: ports it
 * bound, pages it mapped and pinned, watches, transactions.
 */
export interface Domain {
  readonly domid: number;
  /** Whether the domain lives. Once it does not, all calls are refused with `ESRCH`. */
  readonly alive: boolean;
  readonly memory: DomainMemory;
  readonly grantTable: GrantTable;
  readonly eventChannels: EventChannels;
  readonly xenstore: Xenstore;
  /**
   * Waits until a condition holds: runs the other domains of this thread, then sleeps. Any event, any change in xenstore, and at the
   * latest a millisecond makes it look again.
   *
   * @param deadlineNs - in time of the host clock
   * @param describe - says what was waited for
   * @param parkMsMax - another longest sleep than the millisecond, for the loop of a service
   * @throws HypervisorError `ETIMEDOUT`; `ESRCH` when this domain was destroyed
   */
  waitUntil(condition: () => boolean, deadlineNs: number, describe?: () => string, parkMsMax?: number): void;
  /** Closes the handle, as the exit of a process does: unmaps, unpins, closes ports. The domain lives on. A second call does nothing. */
  close(): void;
}

/** The hypervisor as a thread sees it. */
export interface Hypervisor {
  /**
   * Opens a domain. The first thread to do so is the one that executes it.
   *
   * @throws HypervisorError `ESRCH` when there is no such domain
   */
  domain(domid: number): Domain;
}

/** How a domain is made. */
export interface DomainInit {
  /** Stands in xenstore; `guest1` of domain 1, and so on, unless said. */
  readonly name?: string | undefined;
  /** Memory that it may have, rounded up to pages. Pages are taken from the machine when they are allocated. */
  readonly memoryBytes: number;
}

/** A domain as `xl list` shows it. */
export interface DomainInfo {
  readonly domid: number;
  readonly name: string;
  /** `dying`: destroyed, but others have pages of it mapped or pinned. */
  readonly state: 'running' | 'dying';
  readonly totPages: number;
  readonly maxPages: number;
}

/** What `xl` does. */
export interface Toolstack {
  /**
   * Makes a domain, its directory in xenstore, and fires `@introduceDomain`. Until a thread opens it, it ends with the thread that made it.
   *
   * @returns its number; numbers are not used again soon
   * @throws HypervisorError `EINVAL`; `ENOSPC` when there are too many; `ENOMEM`
   */
  createDomain(init: DomainInit): number;
  /**
   * Ends a domain wherever it is: what it had mapped, pinned and bound is given back, its directory is removed, `@releaseDomain` fires.
   * No event is sent to the other ends of its channels. Its pages stay until others have unmapped and unpinned them.
   *
   * @throws HypervisorError `ESRCH` when there is no such domain; `EPERM` for dom0
   */
  destroyDomain(domid: number): void;
  /** All domains, by number. */
  domains(): DomainInfo[];
}
