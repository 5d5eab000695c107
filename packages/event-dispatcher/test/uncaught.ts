/** Catches what would end the process. */

/** Takes over from mocha's own handler until `stop`; `next` is the next uncaught exception. */
export function uncaughtExceptions(): { next(): Promise<unknown>; stop(): void } {
  const usual = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught: unknown[] = [];
  let wake: (() => void) | undefined;
  const listener = (exception: unknown): void => {
    caught.push(exception);
    wake?.();
  };
  process.on('uncaughtException', listener);
  return {
    async next() {
      while (caught.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return caught.shift();
    },
    stop() {
      process.off('uncaughtException', listener);
      for (const each of usual) process.on('uncaughtException', each);
    },
  };
}
