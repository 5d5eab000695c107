/** What a failed post tells besides its error: the first work request that was not posted. */
import { VerbsError } from '@openverbs/verbs';

/** The out-parameter `bad_wr` of a post. */
export interface BadWr<Wr> {
  /** The work request that was refused; those before it are posted. Set only when the post fails. */
  wr?: Wr | null;
}

/** Fills `bad_wr` after a post of the chain that begins with `wr` failed by `error`, and returns the error. */
export function refused<Wr extends { readonly next?: Wr | null }>(
  error: unknown,
  wr: Wr,
  bad_wr: BadWr<Wr> | undefined,
): unknown {
  if (bad_wr !== undefined) {
    let bad: Wr | null = wr;
    const index = VerbsError.is(error) ? Number(error.details?.['badWrIndex'] ?? 0) : 0;
    for (let i = 0; i < index && bad !== null; i++) bad = bad.next ?? null;
    bad_wr.wr = bad;
  }
  return error;
}
