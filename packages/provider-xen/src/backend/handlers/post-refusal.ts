/** What a refused post answers: as in C, an errno and which work request it was; those before it are posted. */
import { VerbsError } from '@openverbs/verbs';
import { badWrIndexOf } from '../work-requests.ts';

export function postRefusal(post: () => void): { errno: number; badWrIndex: number } {
  try {
    post();
    return { errno: 0, badWrIndex: 0 };
  } catch (error) {
    const badWrIndex = badWrIndexOf(error);
    if (badWrIndex === undefined || !VerbsError.is(error)) throw error;
    return { errno: error.errno, badWrIndex };
  }
}
