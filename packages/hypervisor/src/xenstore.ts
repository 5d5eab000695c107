/**
 * Xenstore: the tree of names in which domains find each other.
 *
 * @packageDocumentation
 */
import type { WaitOptions } from './event-channels.ts';

/** What a domain may do with a node: nothing, read, write, both. Xenstore's letters. */
export type XenstoreAccess = 'n' | 'r' | 'w' | 'b';

/**
 * One of a node's permissions. In a list the first names the owner, who may do all, and what those may who are not in the list.
 */
export interface XenstorePermission {
  readonly domid: number;
  readonly access: XenstoreAccess;
}

/** A change at or below a watched path. */
export interface WatchEvent {
  /**
   * What changed; relative if the watch is. May be told without a change. The watched path itself may stand for any below, when too many
   * events were not read.
   */
  readonly path: string;
  /** As given to `watch`. */
  readonly token: string;
}

/** Number of an open transaction. */
export type TransactionId = number;

/**
 * A connection of a domain, after libxenstore. Paths are absolute, or relative to `/local/domain/<domid>`. dom0 may do all; others what
 * a node's permissions allow. Errors that all calls have in common: `EINVAL` for a path that is none, `ENOENT` for a transaction that
 * is not open, `EACCES`, `ESRCH` when the domain is gone.
 */
export interface Xenstore {
  /** @throws HypervisorError `ENOENT` */
  read(path: string, transaction?: TransactionId): string;
  /** As {@link Xenstore.read}, with undefined for a node that is not there or may not be read. */
  tryRead(path: string, transaction?: TransactionId): string | undefined;
  /**
   * Writes a node, and makes it and its parents if they are not there; they inherit the permissions of the nearest parent, but belong
   * to the domain that makes them.
   *
   * @throws HypervisorError `ENOSPC` when the domain owns too many nodes or the entry is too large; `ENOMEM` when its nodes are too large together;
   *   `E2BIG` when no message can hold it
   */
  write(path: string, value: string, transaction?: TransactionId): void;
  /** Makes an empty node, if it is not there. Throws as {@link Xenstore.write}. */
  mkdir(path: string, transaction?: TransactionId): void;
  /** Removes a node and all below. One that is not there is no error if its parent is. */
  rm(path: string, transaction?: TransactionId): void;
  /** Names of the children, sorted. @throws HypervisorError `ENOENT` */
  directory(path: string, transaction?: TransactionId): string[];
  /** As {@link Xenstore.directory}, with undefined for a node that is not there or may not be read. */
  tryDirectory(path: string, transaction?: TransactionId): string[] | undefined;
  /** @throws HypervisorError `ENOENT` */
  getPermissions(path: string, transaction?: TransactionId): XenstorePermission[];
  /** Only the owner may; only dom0 may change the owner (`EPERM`). @throws HypervisorError `ENOENT` */
  setPermissions(path: string, permissions: readonly XenstorePermission[], transaction?: TransactionId): void;
  /**
   * Watches a path and all below. It fires once at registration, then at each change that this domain may read.
   * `@introduceDomain` and `@releaseDomain` fire for dom0 when a domain comes or goes.
   *
   * @throws HypervisorError `EEXIST` for the same path and token; `E2BIG` when there are too many
   */
  watch(path: string, token: string): void;
  /** Ends a watch; its events that were not read are dropped. @throws HypervisorError `ENOENT` */
  unwatch(path: string, token: string): void;
  /** An event, if there is one (`xs_check_watch`). */
  checkWatch(): WatchEvent | undefined;
  /**
   * Waits for an event (`xs_read_watch`); other domains of this thread run meanwhile.
   *
   * @param deadlineNs - in time of the host clock
   * @throws HypervisorError `ETIMEDOUT`
   */
  readWatch(deadlineNs: number): WatchEvent;
  /** Waits without blocking the thread. */
  readWatchAsync(options?: WaitOptions): Promise<WatchEvent>;
  /**
   * Begins a transaction: what it reads is checked and what it writes is seen by others at its end, all at once.
   *
   * @throws HypervisorError `ENOSPC` when too many are open
   */
  transactionStart(): TransactionId;
  /**
   * Ends a transaction, which is closed then in any case.
   *
   * @param abort - drop its changes
   * @throws HypervisorError `EAGAIN` when others changed what it had read or written: begin again
   */
  transactionEnd(transaction: TransactionId, abort?: boolean): void;
  /** Runs a function in transactions until one ends without `EAGAIN`, eight times at most. One that throws is aborted. */
  transaction<T>(body: (transaction: TransactionId) => T): T;
}
