/** How the measuring thread tells its peer what to run. Each word has a cache line of its own. */

/** What runs in a block. */
export const Program = { STOP: 0, FLOOR: 1, OPENVERBS: 2 } as const;
export type Program = (typeof Program)[keyof typeof Program];

/** Counts the commands; a change is a command. */
const COMMAND = 0;
const PROGRAM = 32;
const ROUNDS = 64;
/** The last command that the peer has begun. */
const BEGUN = 96;
const WORDS = 128;

/** Turns before a thread that waits for a command sleeps; blocks follow each other faster. */
const SPINS_MAX = 1_000_000;
const SLEEP_MS_MAX = 100;

/** Both threads make one, over the same words. */
export class Control {
  readonly words: Int32Array;

  constructor(words: Int32Array = new Int32Array(new SharedArrayBuffer(4 * WORDS))) {
    this.words = words;
  }

  /** Has the peer run `rounds` rounds of `program`, and returns when it has begun. */
  command(program: Program, rounds: number): void {
    const { words } = this;
    const command = (words[COMMAND] + 1) | 0;
    words[PROGRAM] = program;
    words[ROUNDS] = rounds;
    Atomics.store(words, COMMAND, command);
    Atomics.notify(words, COMMAND);
    if (program !== Program.STOP) while (Atomics.load(words, BEGUN) !== command);
  }

  /** Obeys commands until STOP. */
  serve(run: (program: Program, rounds: number) => void): void {
    const { words } = this;
    let done = 0;
    for (;;) {
      this.#awaitCommand(done);
      done = (done + 1) | 0;
      const program = words[PROGRAM] as Program;
      if (program === Program.STOP) return;
      const rounds = words[ROUNDS];
      Atomics.store(words, BEGUN, done);
      run(program, rounds);
    }
  }

  #awaitCommand(done: number): void {
    for (let spins = 0; spins < SPINS_MAX; spins++) if (Atomics.load(this.words, COMMAND) !== done) return;
    while (Atomics.load(this.words, COMMAND) === done) Atomics.wait(this.words, COMMAND, done, SLEEP_MS_MAX);
  }
}
