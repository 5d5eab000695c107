/** What the driver and a process of tests say to each other. */

/** A test, as its process tells of it at the start; its number is its place in the list. */
export interface TestInfo {
  readonly title: string;
  /** Number of its suite: tests that share what a hook makes. */
  readonly suite: number;
}

/** Runs a suite as it is, or some tests without a check, up to the first failure. */
export type Request =
  | { readonly kind: 'cover'; readonly suite: number }
  | { readonly kind: 'run'; readonly removed: number | null; readonly tests: readonly number[] };

/** What was seen of a test in a run in which no check is removed. */
export interface Coverage {
  readonly test: number;
  /** What it takes, alone, with the hooks of its suite. */
  readonly ms: number;
  /** Numbers of the checks that it reaches, or a hook around it. */
  readonly reached: readonly number[];
}

/** A test or a hook that failed. */
export interface Failure {
  readonly title: string;
  readonly message: string;
}

export type Answer =
  | { readonly kind: 'ready'; readonly tests: readonly TestInfo[] }
  | { readonly kind: 'started'; readonly test: number }
  | { readonly kind: 'covered'; readonly coverage: readonly Coverage[]; readonly failure: Failure | null }
  | { readonly kind: 'ran'; readonly failure: Failure | null; readonly rssBytes: number };
