/** In which order tests are tried on a check that is gone. Most are noticed by some test that takes no time. */
import type { Coverage } from './messages.ts';

/** Tests are run in stages, since within one they run as they stand in the files: each takes so long at most, and the last what is left. */
const STAGES_MS_MAX = [100, 400, 1600, 6400];
/** Tests that noticed another check of the same file come first, if they are short: so many, so long. */
const WITNESSES_MAX = 12;
const WITNESS_MS_MAX = 150;
/** What a test costs besides. */
const OVERHEAD_MS = 3;

export class Plan {
  readonly #msOf = new Map<number, number>();
  /** Tests that reach a check, the shortest first. */
  readonly #reaching = new Map<number, number[]>();
  /** Tests that noticed a check of a file; the latest last. */
  readonly #witnesses = new Map<string, Set<number>>();

  constructor(coverage: readonly Coverage[]) {
    for (const { test, ms, reached } of coverage.toSorted((a, b) => a.ms - b.ms || a.test - b.test)) {
      this.#msOf.set(test, ms);
      for (const id of reached) this.#reaching.set(id, [...(this.#reaching.get(id) ?? []), test]);
    }
  }

  msOf(test: number): number {
    return this.#msOf.get(test) ?? 0;
  }

  /** Every test that reaches a check, in one of the stages. */
  stagesOf(id: number, file: string): number[][] {
    const reaching = this.#reaching.get(id) ?? [];
    const recent = [...(this.#witnesses.get(file) ?? [])].filter((test) => reaching.includes(test));
    const first = recent.slice(-WITNESSES_MAX);
    const stages = [first];
    let stage: number[] = [];
    let ms = 0;
    for (const test of reaching.filter((other) => !first.includes(other))) {
      ms += this.msOf(test) + OVERHEAD_MS;
      if (ms > (STAGES_MS_MAX[stages.length - 1] ?? Infinity)) {
        stages.push(stage);
        stage = [];
        ms = this.msOf(test) + OVERHEAD_MS;
      }
      stage.push(test);
    }
    return [...stages, stage].filter(({ length }) => length > 0);
  }

  /** Remembers who noticed a check of a file. */
  noticed(file: string, test: number): void {
    if (this.msOf(test) > WITNESS_MS_MAX) return;
    const witnesses = this.#witnesses.get(file) ?? new Set<number>();
    this.#witnesses.set(file, witnesses);
    witnesses.delete(test);
    witnesses.add(test);
  }
}
