/** What a refused post answers: as in C, an errno and which work request it was; those before it are posted. */
import { VerbsError } from '@openverbs/verbs';

export function postRefusal(post: () => void): { errno: number; badWrIndex: number } {
  try {
    post();
    return { errno: 0, badWrIndex: 0 };
  } catch (error) {
    if (!VerbsError.is(error)) throw error;
    const { badWrIndex } = error.details as { badWrIndex?: unknown };
    if (typeof badWrIndex !== 'number') throw error;
    return { errno: error.errno, badWrIndex };
  }
}
