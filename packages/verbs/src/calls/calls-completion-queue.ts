/** Polls through the provider. */
import type { CqPath } from '../data-path.ts';
import type { CqCalls } from '../driver/data-path.ts';
import { isCompletion } from '../rings/is-completion.ts';
import type { WorkCompletion } from '../work-completion.ts';

/** A completion queue whose CQEs the provider reads. */
export class CallsCompletionQueue implements CqPath {
  private readonly calls: CqCalls;

  constructor(calls: CqCalls) {
    this.calls = calls;
  }

  poll(wcs: WorkCompletion[], limit: number): number {
    let n = 0;
    while (n < limit && isCompletion(wcs[n])) n++;
    if (n === 0 && limit > 0) return 0; // what is no completion takes none
    return this.calls.poll(wcs, n === 0 ? limit : n);
  }

  reqNotify(solicitedOnly: boolean): void {
    this.calls.reqNotify(solicitedOnly);
  }

  reqNotifyReportMissed(solicitedOnly: boolean): boolean | undefined {
    return this.calls.reqNotifyReportMissed?.(solicitedOnly);
  }

  clean(): void {} // the provider has done it with the modify or destroy
}
