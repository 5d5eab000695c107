/** Posts receives through the provider. */
import type { RecvPath } from '../data-path.ts';
import { Errno } from '../errors.ts';
import type { RecvWr } from '../recv-wr.ts';

/** What takes the posts: a QP or an SRQ of the `calls` kind. */
export interface RecvCalls {
  /** See `QpCalls`. */
  badWrIndex: number;
  /** See `QpCalls`. */
  postRecv(wr: RecvWr): number;
}

/** A receive queue whose WQEs the provider writes. */
export class CallsRecvQueue implements RecvPath {
  private readonly calls: RecvCalls;
  private ready: boolean;

  constructor(calls: RecvCalls) {
    this.calls = calls;
    this.ready = false;
  }

  get badWrIndex(): number {
    return this.ready ? this.calls.badWrIndex : 0;
  }

  post(wr: RecvWr): number {
    return this.ready ? this.calls.postRecv(wr) : Errno.EINVAL;
  }

  setReady(ready: boolean): void {
    this.ready = ready;
  }

  reset(): void {} // the provider has done it with the modify
}
