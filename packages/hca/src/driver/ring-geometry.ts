/** How large the rings of a QP or CQ are for what was asked, as powers of two. */
import {
  CQ_DOORBELL_RECORD_BYTES,
  CQE_BYTES,
  QP_DOORBELL_RECORD_BYTES,
  RECV_WQE_BYTES_MIN,
  SEND_WQE_BYTES_MIN,
  SGE_BYTES,
  SRQ_DOORBELL_RECORD_BYTES,
  srqRingBytes,
} from '@openverbs/verbs/rings';
import type { QpCap } from '@openverbs/verbs';
import { RECV_HEADER_BYTES, SEND_HEADER_BYTES } from '../command-checks.ts';
import { DeviceError } from '../device-error.ts';
import { CQE_MAX, INLINE_BYTES_MAX, QP_WR_MAX, SGES_MAX, SRQ_WR_MAX } from '../limits.ts';

/** The rings of a QP, as powers of two. */
export interface QpRingSizes {
  readonly sqLog2Count: number;
  readonly sqLog2Bytes: number;
  readonly rqLog2Count: number;
  readonly rqLog2Bytes: number;
}

/** The memory of a QP. */
export interface QpMemory extends QpRingSizes {
  readonly cap: QpCap;
  /** Doorbell record and both rings. */
  readonly bytes: number;
}

/** Rounds what was asked up to what the rings hold anyway. With an SRQ the capacities of the receive queue mean nothing. */
export function qpGeometry(cap: QpCap, withSrq = false): QpMemory {
  const asked = withSrq ? { ...cap, maxRecvWr: 0, maxRecvSge: 0 } : cap;
  limit('maxSendWr', asked.maxSendWr, QP_WR_MAX);
  limit('maxRecvWr', asked.maxRecvWr, QP_WR_MAX);
  limit('maxSendSge', asked.maxSendSge, SGES_MAX);
  limit('maxRecvSge', asked.maxRecvSge, SGES_MAX);
  limit('maxInlineData', asked.maxInlineData, INLINE_BYTES_MAX);
  const sendBytes = SEND_HEADER_BYTES + Math.max(asked.maxSendSge * SGE_BYTES, asked.maxInlineData);
  const sqLog2Bytes = log2Ceil(Math.max(sendBytes, SEND_WQE_BYTES_MIN));
  const rqLog2Bytes = log2Ceil(Math.max(RECV_HEADER_BYTES + asked.maxRecvSge * SGE_BYTES, RECV_WQE_BYTES_MIN));
  const sqLog2Count = log2Ceil(Math.max(asked.maxSendWr, 1));
  const rqLog2Count = log2Ceil(Math.max(asked.maxRecvWr, 1));
  return {
    sqLog2Count,
    sqLog2Bytes,
    rqLog2Count,
    rqLog2Bytes,
    bytes: QP_DOORBELL_RECORD_BYTES + 2 ** (sqLog2Count + sqLog2Bytes) + 2 ** (rqLog2Count + rqLog2Bytes),
    cap: {
      maxSendWr: asked.maxSendWr,
      maxRecvWr: asked.maxRecvWr,
      maxSendSge: asked.maxSendSge,
      maxRecvSge: asked.maxRecvSge,
      maxInlineData: Math.min(2 ** sqLog2Bytes - SEND_HEADER_BYTES, INLINE_BYTES_MAX),
    },
  };
}

/** The ring of a CQ: log2 of its entries, and the bytes of record and ring. */
export function cqGeometry(cqe: number): { readonly log2Count: number; readonly bytes: number } {
  if (cqe < 1) throw new DeviceError('EINVAL', `cqe is ${cqe}; a CQ has at least one entry`);
  limit('cqe', cqe, CQE_MAX);
  const log2Count = log2Ceil(cqe);
  return { log2Count, bytes: CQ_DOORBELL_RECORD_BYTES + CQE_BYTES * 2 ** log2Count };
}

/** The ring and the WQEs of an SRQ. */
export interface SrqRingSizes {
  readonly log2Count: number;
  readonly wqeLog2Bytes: number;
  /** Where the WQEs begin. */
  readonly wqeOffset: number;
}

/** The memory of an SRQ. */
export interface SrqMemory extends SrqRingSizes {
  /** Doorbell record, ring and WQEs. */
  readonly bytes: number;
}

export function srqGeometry(maxWr: number, maxSge: number): SrqMemory {
  if (maxWr < 1) throw new DeviceError('EINVAL', `maxWr is ${maxWr}; an SRQ has room for at least one`);
  limit('maxWr', maxWr, SRQ_WR_MAX);
  limit('maxSge', maxSge, SGES_MAX);
  const log2Count = log2Ceil(maxWr);
  const wqeLog2Bytes = log2Ceil(Math.max(RECV_HEADER_BYTES + maxSge * SGE_BYTES, RECV_WQE_BYTES_MIN));
  const wqeOffset = SRQ_DOORBELL_RECORD_BYTES + srqRingBytes(log2Count);
  return { log2Count, wqeLog2Bytes, wqeOffset, bytes: wqeOffset + 2 ** (log2Count + wqeLog2Bytes) };
}

function log2Ceil(value: number): number {
  return Math.ceil(Math.log2(value));
}

function limit(name: string, value: number, max: number): void {
  if (value > max) throw new DeviceError('EINVAL', `${name} is ${value}, but the device allows at most ${max}`);
}
