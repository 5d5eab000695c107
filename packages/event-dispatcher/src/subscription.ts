/** What a registered handler is ended by. */

/** A registered handler. It keeps the event loop alive. */
export interface Subscription {
  /** Ends it: the handler is not called any more. Events that it has not seen stay in their queue. A second call does nothing. */
  unsubscribe(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** A subscription that aborts `controller`. */
export function subscriptionOf(controller: AbortController): Subscription {
  const unsubscribe = (): void => controller.abort();
  return { unsubscribe, [Symbol.dispose]: unsubscribe };
}
