/** Ending by Ctrl-C and `kill`, without leaving anything behind. */
import process from 'node:process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `task` with a signal that is aborted when the process is told to end; the second time ends it at once. */
export async function interruptible<Result>(task: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const interrupt = new AbortController();
  const onSignal = (): void => {
    stopListening();
    interrupt.abort(new Error('interrupted'));
  };
  const stopListening = (): void => SIGNALS.forEach((name) => void process.off(name, onSignal));
  SIGNALS.forEach((name) => void process.on(name, onSignal));
  try {
    return await task(interrupt.signal);
  } finally {
    stopListening();
  }
}
