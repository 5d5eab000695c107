/**
 * Compares things in one process by turns, because the speed of identical code differs by up to 1.8 times from one process
 * start to the next, and drifts within one.
 *
 * A round is a palindrome: A, B, B, A, or A, B, C, C, B, A. A drift that is linear in time falls out of the ratio then.
 */
import type { BenchOptions } from './benchmark.ts';

/** Does `operations` operations and returns the nanoseconds that they took. */
export type Run = (operations: number) => number;

/** Nanoseconds an operation, one sample a round, for each thing that was compared. */
export type Rounds = number[][];

/** A block aims at this much more than the shortest allowed, so that it is rarely too short and done again. */
const MARGIN = 1.3;
const GROWTH_MAX = 16;
/** Time for each thing to be compiled and optimised, in blocks. */
const WARM_UP_BLOCKS = 4;

/** One of the things to compare. It knows how many operations fill a block. */
export class Subject {
  readonly #run: Run;
  readonly #blockNs: number;
  #operations = 16;

  constructor(run: Run, options: BenchOptions) {
    this.#run = run;
    this.#blockNs = options.blockMs * 1e6;
  }

  /** Runs one block of at least the shortest length, and returns the nanoseconds of an operation. */
  block(): number {
    for (;;) {
      const ns = this.#run(this.#operations);
      if (ns >= this.#blockNs) return ns / this.#operations;
      const growth = Math.min((MARGIN * this.#blockNs) / ns, GROWTH_MAX);
      this.#operations = Math.ceil(this.#operations * Math.max(growth, MARGIN));
    }
  }
}

/** Nanoseconds from now on: `const took = stopwatch(); …; took()`. */
export function stopwatch(): () => number {
  const start = process.hrtime.bigint();
  return () => Number(process.hrtime.bigint() - start);
}

/** Brings the subjects to speed, by turns too, so that none is optimised for a process without the others. */
export function warmUp(subjects: readonly Subject[]): void {
  for (let n = 0; n < WARM_UP_BLOCKS; n++) for (const subject of subjects) subject.block();
}

/** Runs the subjects by turns once, and appends a sample to each list of `rounds`. */
export function playRound(subjects: readonly Subject[], rounds: Rounds): void {
  const there = subjects.map((subject) => subject.block());
  const back = subjects.toReversed().map((subject) => subject.block());
  back.reverse();
  for (let n = 0; n < subjects.length; n++) (rounds[n] ??= []).push((there[n] + back[n]) / 2);
}

/**
 * Runs all rounds. `control` names the subject that is also compared with itself: a round of it follows each round of all, and
 * the ratio of what is the same shows how far ratios may be trusted.
 */
export function alternate(
  subjects: readonly Subject[],
  control: Subject,
  options: BenchOptions,
): { readonly rounds: Rounds; readonly control: number[] } {
  warmUp(subjects);
  const rounds: Rounds = [];
  const same: Rounds = [];
  for (let n = 0; n < options.pairs; n++) {
    playRound(subjects, rounds);
    playRound([control, control], same);
  }
  return { rounds, control: same[0].map((sample, index) => sample / same[1][index]) };
}
