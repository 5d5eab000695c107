/** Checks without which nothing changes that anybody could notice, each with the reason. A check of which that is not true needs a test. */

/** A check by its place in a file. */
export interface Equivalent {
  /** As {@link Check.fn}. */
  readonly fn: string;
  /** As {@link Check.text}. */
  readonly text: string;
  /** Part of {@link Check.whole}, where the same text stands in the function more than once. */
  readonly within?: string;
  /** Why nothing can notice. */
  readonly why: string;
}

/** By the paths of files from the root of the repository. */
export type Equivalents = Readonly<Record<string, readonly Equivalent[]>>;
