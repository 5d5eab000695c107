/** What the device refuses in a command, whoever sent it: sizes that its rings can't have. */
import { OWNER_MAX } from '@openverbs/machine';
import { RECV_WQE_BYTES_MIN, SEND_WQE_BYTES_MIN, SGE_BYTES } from '@openverbs/verbs/rings';
import type { QpInit } from './command-init.ts';
import { DeviceError } from './device-error.ts';
import { SEND_OPCODES } from './opcode.ts';
import {
  CQ_MODERATION_COUNT_MAX,
  CQ_MODERATION_PERIOD_US_MAX,
  CQE_MAX,
  INLINE_BYTES_MAX,
  QP_WR_MAX,
  SGES_MAX,
} from './limits.ts';

/** Words before the first SGE of a WQE, in bytes. */
export const SEND_HEADER_BYTES = 32;
export const RECV_HEADER_BYTES = 16;
/** The longest WQE: a header and all SGEs, or all inline data. */
export const WQE_LOG2_BYTES_MAX = 10;

export function checkCqSize(log2Count: number): void {
  if (isInteger(log2Count, 0, Math.log2(CQE_MAX))) return;
  throw new DeviceError('EINVAL', `a CQ has 1 to ${CQE_MAX} entries, a power of two; not 2^${log2Count}`);
}

export function checkModeration(count: number, periodUs: number): void {
  checkInteger('cqCount', count, 0, CQ_MODERATION_COUNT_MAX);
  checkInteger('cqPeriod', periodUs, 0, CQ_MODERATION_PERIOD_US_MAX);
}

export function checkQpInit(init: QpInit): void {
  const countMax = Math.log2(QP_WR_MAX);
  if (SEND_OPCODES[init.type] === undefined) throw new DeviceError('EINVAL', `there is no QP type ${init.type}`);
  checkInteger('sqLog2Count', init.sqLog2Count, 0, countMax);
  checkInteger('rqLog2Count', init.rqLog2Count, 0, countMax);
  checkInteger('sqLog2Bytes', init.sqLog2Bytes, Math.log2(SEND_WQE_BYTES_MIN), WQE_LOG2_BYTES_MAX);
  checkInteger('rqLog2Bytes', init.rqLog2Bytes, Math.log2(RECV_WQE_BYTES_MIN), WQE_LOG2_BYTES_MAX);
  const sendRoom = 2 ** init.sqLog2Bytes - SEND_HEADER_BYTES;
  const recvRoom = 2 ** init.rqLog2Bytes - RECV_HEADER_BYTES;
  checkInteger('maxSendSge', init.maxSendSge, 0, Math.min(SGES_MAX, sendRoom / SGE_BYTES));
  checkInteger('maxRecvSge', init.maxRecvSge, 0, Math.min(SGES_MAX, recvRoom / SGE_BYTES));
  checkInteger('maxInline', init.maxInline, 0, Math.min(INLINE_BYTES_MAX, sendRoom));
}

/** Owners of pages, as the page allocator has them. */
export function checkPageOwner(owner: number): void {
  checkInteger('owner', owner, 1, OWNER_MAX);
}

/** Refuses what is not an integer of `min` to `max`. */
export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (isInteger(value, min, max)) return;
  throw new DeviceError('EINVAL', `${name} is ${value}, but goes from ${min} to ${max}`);
}

function isInteger(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
