/** A test runner of a few lines, for running the suite from a program: no test framework, no output, one test after the other. */
import type { TestBody, TestInterface } from './test-interface.ts';

interface Block {
  readonly title: string;
  readonly before: TestBody[];
  readonly after: TestBody[];
  readonly children: (Block | Test)[];
}

interface Test {
  readonly title: string;
  readonly body: TestBody;
}

/** Something that threw: a test, or a set-up or tear-down. */
export interface StandaloneFailure {
  /** Titles of the blocks around it and its own, outermost first. */
  readonly path: readonly string[];
  /** What was thrown. */
  readonly error: unknown;
}

/** Collects what is registered with {@link StandaloneRunner.interface}, then runs it. */
export class StandaloneRunner {
  readonly #root: Block = newBlock('');
  #current: Block = this.#root;
  readonly #failures: StandaloneFailure[] = [];

  /** The functions to register with. */
  readonly interface: TestInterface = {
    describe: (title, body) => {
      const parent = this.#current;
      const block = newBlock(title);
      parent.children.push(block);
      this.#current = block;
      try {
        body();
      } finally {
        this.#current = parent;
      }
    },
    it: (title, body) => {
      this.#current.children.push({ title, body });
    },
    before: (body) => {
      this.#current.before.push(body);
    },
    after: (body) => {
      this.#current.after.push(body);
    },
  };

  /**
   * Runs everything. A block whose set-up fails is not entered, its tear-down runs all the same.
   *
   * @param onTest - told of every test that has ended, with its error or null
   */
  async run(onTest: (path: readonly string[], error: unknown) => void = () => {}): Promise<StandaloneFailure[]> {
    await this.#runBlock(this.#root, [], onTest);
    return this.#failures;
  }

  async #runBlock(
    block: Block,
    path: readonly string[],
    onTest: (path: readonly string[], error: unknown) => void,
  ): Promise<void> {
    const ready = await this.#runHooks(block.before, [...path, 'before']);
    for (const child of ready ? block.children : []) {
      const childPath = [...path, child.title];
      if ('children' in child) {
        await this.#runBlock(child, childPath, onTest);
      } else {
        onTest(childPath, await this.#attempt(child.body, childPath));
      }
    }
    await this.#runHooks(block.after, [...path, 'after']);
  }

  async #runHooks(hooks: readonly TestBody[], path: readonly string[]): Promise<boolean> {
    for (const hook of hooks) {
      if ((await this.#attempt(hook, path)) !== null) return false;
    }
    return true;
  }

  async #attempt(body: TestBody, path: readonly string[]): Promise<unknown> {
    try {
      await body();
      return null;
    } catch (error) {
      this.#failures.push({ path, error });
      return error;
    }
  }
}

function newBlock(title: string): Block {
  return { title, before: [], after: [], children: [] };
}
