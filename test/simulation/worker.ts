/** A process that runs seeds for its parent: told one at a time, it answers what came of it. */
import { collectNowAndThen } from './collect.ts';
import { generate } from './generate.ts';
import { minimize } from './minimize.ts';
import type { Program } from './program.ts';
import { simulate } from './simulate.ts';
import type { Failure } from './simulate.ts';
import type { Totals } from './totals.ts';

/** What the parent asks for. */
export interface Request {
  readonly seed: number;
  /** Whether to make a program that fails smaller. */
  readonly minimizes: boolean;
}

/** What it is answered. */
export interface Answer {
  readonly seed: number;
  readonly digest: string;
  readonly totals: Totals;
  /** Of the program as it was generated. */
  readonly failure: Failure | null;
  /** A smaller program that fails likewise. */
  readonly smaller: { readonly program: Program; readonly failure: Failure } | null;
}

process.on('message', ({ seed, minimizes }: Request) => {
  const program = generate(seed);
  const { digest, totals, failure } = simulate(program);
  const smaller = failure === null || !minimizes ? null : minimize(program, failure);
  process.send!({ seed, digest, totals, failure, smaller } satisfies Answer);
  collectNowAndThen();
});
