/** What handlers throw: nobody is there to catch it. */

/** Messages of the exceptions that nothing catches while `run` goes on. mocha, which would fail the test, hears nothing of them. */
export async function uncaughtWhile(run: (thrown: readonly string[]) => Promise<void>): Promise<string[]> {
  const usual = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const thrown: string[] = [];
  const listen = (error: Error): unknown => thrown.push(error.message);
  process.on('uncaughtException', listen);
  try {
    await run(thrown);
  } finally {
    process.off('uncaughtException', listen);
    for (const each of usual) process.on('uncaughtException', each);
  }
  return thrown;
}
