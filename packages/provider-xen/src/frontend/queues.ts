/** The two ways of the split driver to make queues: `basic` and `bypass`. */
import type { SrqAttr } from '@openverbs/verbs';
import type {
  CqExRequest,
  CqOps,
  CqResizeOps,
  QpOps,
  QpRequest,
  SrqModifyOps,
  SrqOps,
  XrcSrqRequest,
} from '@openverbs/verbs/driver';

/** What a CQ is asked for; `extended` when it is read field by field. */
export interface CqRequest extends CqExRequest {
  readonly extended: boolean;
}

/** Makes queues and ends them. Handles are the lower device's. */
export interface Queues {
  createCq(request: CqRequest): CqOps;
  resizeCq(cq: number, cqe: number): CqResizeOps;
  destroyCq(cq: number): void;
  createQp(request: QpRequest): QpOps;
  /** Another opening of an XRC_RECV QP. */
  openQp(xrcd: number, qpNum: number): QpOps;
  /** A QP is going to be reset. */
  beforeReset(): void;
  /** A QP was reset: what was on its way is forgotten. */
  resetQp(qp: number): void;
  destroyQp(qp: number): void;
  createSrq(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps;
  modifySrq(srq: number, attr: Partial<SrqAttr>): SrqModifyOps;
  destroySrq(srq: number): void;
}
