/** The four functions of a test runner that the suite registers itself with. Mocha's globals fit, and so does `node:test`. */

/** What a body of a test, a set-up or a tear-down is. */
export type TestBody = () => void | Promise<void>;

/** A test runner, as far as the suite uses one. */
export interface TestInterface {
  /** A block of tests, and of blocks. */
  readonly describe: (title: string, body: () => void) => void;
  /** One test. */
  readonly it: (title: string, body: TestBody) => void;
  /** Runs before the tests of the block. */
  readonly before: (body: TestBody) => void;
  /** Runs after the tests of the block, also after failures. */
  readonly after: (body: TestBody) => void;
}

/**
 * The runner whose functions are globals, as mocha's are. The body's own `this` is not used, so a body never becomes a
 * function with a `done` parameter.
 */
export function globalTestInterface(): TestInterface {
  const globals = globalThis as unknown as Partial<TestInterface>;
  const { describe, it, before, after } = globals;
  if (describe === undefined || it === undefined || before === undefined || after === undefined) {
    throw new TypeError(
      'runConformance: there are no global describe, it, before and after; run it under mocha, or pass `interface`',
    );
  }
  return { describe, it, before, after };
}
