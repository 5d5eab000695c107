/** Tasks that wait for each other, of which any can fail. */

/** A task; it ends soon after `signal` is aborted. */
export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Runs the tasks. The first one that fails, or an abort of `signal`, stops all of them. Returns when the last has ended, so that
 * nothing still uses what they share, and throws what stopped them.
 */
export async function runTogether(signal: AbortSignal, tasks: readonly Task[]): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  const runs = tasks.map((task) => task(stop.signal).catch((error: unknown) => stop.abort(error)));
  await Promise.all(runs);
  signal.removeEventListener('abort', onAbort);
  stop.signal.throwIfAborted();
}
