/** What becomes of an exception that a handler throws. */

/**
 * Reports `exception` as an uncaught one, as Node's EventTarget does: routing goes on, and the process learns of it by
 * `'uncaughtException'`.
 */
export function reportException(exception: unknown): void {
  queueMicrotask(() => {
    throw exception;
  });
}
