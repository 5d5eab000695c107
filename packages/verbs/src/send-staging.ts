/** Copies of sends. */
import { assignSendWr, checkSendWrKeys, SendWr, type SendWrInit } from './send-wr.ts';
import { copySgList } from './sge.ts';
import { WrStaging } from './wr-staging.ts';

/** The work requests that a QP copies sends into when they are not `SendWr` objects already. */
export class SendStaging extends WrStaging<SendWr, SendWrInit> {
  protected create(): SendWr {
    return new SendWr();
  }

  protected assign(target: SendWr, source: SendWr | SendWrInit): void {
    if (source instanceof SendWr) copySendWr(target, source);
    else {
      checkSendWrKeys('', source);
      assignSendWr('', target, source);
    }
  }
}

/** A copy, because the original's `next` belongs to the application. */
function copySendWr(target: SendWr, source: SendWr): void {
  const { sgList } = target;
  Object.assign(target, source);
  target.sgList = sgList;
  copySgList(sgList, source.sgList);
}
