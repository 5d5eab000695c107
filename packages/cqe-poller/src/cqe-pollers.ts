/** The part `cqePoller`, as `openVerbs()` has it unless the program brings another. */
import type { CqePollerOps, CqePollerOptions, CqeSource } from '@openverbs/verbs/driver';
import type { QpTable } from '@openverbs/verbs/rings';

import { CqePoller } from './cqe-poller.ts';

/** Makes a {@link CqePoller} for each completion queue that is slow to reach. */
export class CqePollers implements CqePollerOps {
  attach(source: CqeSource, cqe: number, qps: QpTable, options: CqePollerOptions = {}): CqePoller {
    return new CqePoller(source, cqe, qps, options);
  }
}
