/**
 * Extended completion queues, by their C names. `wr_id` and `status` of C's `struct ibv_cq_ex` are `cq.wrId` and `cq.status`. As in C
 * `ibv_start_poll` and `ibv_next_poll` return 0, or ENOENT when there is no completion.
 */
import { Errno } from '@openverbs/verbs';
import type { CompletionQueue, CompletionQueueEx, Context, CqInitAttrEx, RtValues } from '@openverbs/verbs';

import { aContext, aCqEx } from './first-argument.ts';
import { filled } from './out-parameter.ts';
import type { Out } from './out-parameter.ts';

/** Creates an extended completion queue. */
export function ibv_create_cq_ex(context: Context, cq_attr: CqInitAttrEx): CompletionQueueEx {
  return aContext('ibv_create_cq_ex', context).createCqEx(cq_attr);
}

/** The queue itself: an extended one is a completion queue. */
export function ibv_cq_ex_to_cq(cq: CompletionQueueEx): CompletionQueue {
  return aCqEx('ibv_cq_ex_to_cq', cq);
}

/** Goes to the first completion: 0, or ENOENT when there is none; then `ibv_end_poll` must not be called. */
export function ibv_start_poll(cq: CompletionQueueEx, _attr: object | null = null): number {
  return aCqEx('ibv_start_poll', cq).startPoll() ? 0 : Errno.ENOENT;
}

/** Goes to the next completion: 0, or ENOENT when there is none; `ibv_end_poll` has to be called all the same. */
export function ibv_next_poll(cq: CompletionQueueEx): number {
  return aCqEx('ibv_next_poll', cq).nextPoll() ? 0 : Errno.ENOENT;
}

/** Ends the batch. */
export function ibv_end_poll(cq: CompletionQueueEx): void {
  aCqEx('ibv_end_poll', cq).endPoll();
}

/** What was done, an `IBV_WC_*` opcode. */
export function ibv_wc_read_opcode(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_opcode', cq).readOpcode();
}

/** Why it failed, in the device's own codes. */
export function ibv_wc_read_vendor_err(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_vendor_err', cq).readVendorErr();
}

/** Bytes transferred. */
export function ibv_wc_read_byte_len(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_byte_len', cq).readByteLen();
}

/** Immediate data, in host order; C gives it in network order. */
export function ibv_wc_read_imm_data(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_imm_data', cq).readImmData();
}

/** The key that was invalidated. */
export function ibv_wc_read_invalidated_rkey(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_invalidated_rkey', cq).readInvalidatedRkey();
}

/** Number of the local queue pair. */
export function ibv_wc_read_qp_num(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_qp_num', cq).readQpNum();
}

/** UD: number of the sender's queue pair. */
export function ibv_wc_read_src_qp(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_src_qp', cq).readSrcQp();
}

/** `IBV_WC_*` flags. */
export function ibv_wc_read_wc_flags(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_wc_flags', cq).readWcFlags();
}

/** UD: LID of the sender. */
export function ibv_wc_read_slid(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_slid', cq).readSlid();
}

/** UD: service level. */
export function ibv_wc_read_sl(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_sl', cq).readSl();
}

/** UD: path bits of the local LID. */
export function ibv_wc_read_dlid_path_bits(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_dlid_path_bits', cq).readDlidPathBits();
}

/** When it was completed, in ticks of the device's clock. */
export function ibv_wc_read_completion_ts(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_completion_ts', cq).readCompletionTs();
}

/** When it was completed, in nanoseconds since 1970. */
export function ibv_wc_read_completion_wallclock_ns(cq: CompletionQueueEx): number {
  return aCqEx('ibv_wc_read_completion_wallclock_ns', cq).readCompletionWallclockNs();
}

/** Values of the device that change all the time. C's `comp_mask` has one bit, so all of them are read. */
export function ibv_query_rt_values_ex(context: Context, values: Out<RtValues> = {}): RtValues {
  return filled(values, aContext('ibv_query_rt_values_ex', context).queryRtValues());
}
