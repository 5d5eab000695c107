/** How programs that are measured wait: they poll. */
import { WcStatus } from 'openverbs';
import type { CompletionQueue, WorkCompletion } from 'openverbs';

const { SUCCESS } = WcStatus;

/** Polls until `count` completions have come, one at a time: `wcs` has one place. Throws at the first that is no success. */
export function takeCompletions(cq: CompletionQueue, wcs: WorkCompletion[], count: number): void {
  for (let n = 0; n < count; n++) {
    while (cq.poll(wcs) === 0);
    if (wcs[0].status !== SUCCESS) throw new Error(wcs[0].explain());
  }
}
