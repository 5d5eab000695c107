/** Copies of receives. */
import { assignRecvWr, checkRecvWrKeys, RecvWr, type RecvWrInit } from './recv-wr.ts';
import { copySgList } from './sge.ts';
import { WrStaging } from './wr-staging.ts';

/** The work requests that a queue copies receives into when they are not `RecvWr` objects already. */
export class RecvStaging extends WrStaging<RecvWr, RecvWrInit> {
  protected create(): RecvWr {
    return new RecvWr();
  }

  protected assign(target: RecvWr, source: RecvWr | RecvWrInit): void {
    if (source instanceof RecvWr) {
      target.wrId = source.wrId;
      copySgList(target.sgList, source.sgList);
    } else {
      checkRecvWrKeys('', source);
      assignRecvWr('', target, source);
    }
  }
}
