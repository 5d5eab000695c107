/**
 * Event channels: one bit from domain to domain.
 *
 * @packageDocumentation
 */

/** How to wait without blocking the thread. */
export interface WaitOptions {
  /** Ends the wait: the promise is rejected with its reason. No event is lost by that. */
  readonly signal?: AbortSignal;
  /** Lets Node exit while it lasts. */
  readonly unref?: boolean;
}

/**
 * The ports that this handle of a domain has bound, after libxenevtchn. An event may come without a reason, so whoever gets one looks
 * at what it stands for. Many notifications may be one event.
 */
export interface EventChannels {
  /**
   * A port that a domain may bind to.
   *
   * @throws HypervisorError `ENOSPC` when the domain has no free port
   */
  allocUnbound(remoteDomid: number): number;
  /**
   * Connects to a port that another domain allocated for this one. An event is pending on the new port at once, in case one came
   * before.
   *
   * @throws HypervisorError `ESRCH` when there is no such domain; `EINVAL` when its port is not for this domain, or bound already;
   *   `ENOSPC`
   */
  bindInterdomain(remoteDomid: number, remotePort: number): number;
  /**
   * Sends an event to the other end. A port that has no other end drops it.
   *
   * @throws HypervisorError `EINVAL` when the port is not of this handle
   */
  notify(port: number): void;
  /** Holds the events of a port back. */
  mask(port: number): void;
  /** Lets them come again; one that was held back comes now. To be called after each event that was taken. */
  unmask(port: number): void;
  /** Whether an event waits at a port, be it masked or not. */
  isPending(port: number): boolean;
  /** Closes a port. The other end stays, unbound; it is not told. */
  close(port: number): void;
  /**
   * Takes an event, if there is one. Its port is masked until {@link EventChannels.unmask}.
   *
   * @returns the port, or 0
   */
  take(): number;
  /**
   * Waits for an event and takes it; other domains of this thread run meanwhile.
   *
   * @param deadlineNs - in time of the host clock
   * @returns the port
   * @throws HypervisorError `ETIMEDOUT`; `ESRCH` when the domain was destroyed
   */
  wait(deadlineNs: number): number;
  /** Waits without blocking the thread. */
  waitAsync(options?: WaitOptions): Promise<number>;
}
