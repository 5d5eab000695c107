/**
 * The extended form of posting, by its C names. `wr_id` and `wr_flags` of C's `struct ibv_qp_ex` are `qp.wrId` and `qp.wrFlags`.
 */
import type { AddressHandle, QueuePair, SgeLike } from '@openverbs/verbs';

import { aQp } from './first-argument.ts';

/** The queue pair itself: here every one has the extended form. */
export function ibv_qp_to_qp_ex(qp: QueuePair): QueuePair {
  return aQp('ibv_qp_to_qp_ex', qp);
}

/** Begins a list of work requests. */
export function ibv_wr_start(qp: QueuePair): void {
  aQp('ibv_wr_start', qp).wrStart();
}

/**
 * Posts the list.
 *
 * @throws VerbsError for the first mistake in it; nothing is posted then.
 */
export function ibv_wr_complete(qp: QueuePair): void {
  aQp('ibv_wr_complete', qp).wrComplete();
}

/** Gives the list up. */
export function ibv_wr_abort(qp: QueuePair): void {
  aQp('ibv_wr_abort', qp).wrAbort();
}

/** SEND. */
export function ibv_wr_send(qp: QueuePair): void {
  aQp('ibv_wr_send', qp).wrSend();
}

/** SEND with immediate data, in host order. */
export function ibv_wr_send_imm(qp: QueuePair, imm_data: number): void {
  aQp('ibv_wr_send_imm', qp).wrSendImm(imm_data);
}

/** SEND that invalidates a key of the peer. */
export function ibv_wr_send_inv(qp: QueuePair, invalidate_rkey: number): void {
  aQp('ibv_wr_send_inv', qp).wrSendInv(invalidate_rkey);
}

/** RDMA WRITE. */
export function ibv_wr_rdma_write(qp: QueuePair, rkey: number, remote_addr: number): void {
  aQp('ibv_wr_rdma_write', qp).wrRdmaWrite(rkey, remote_addr);
}

/** RDMA WRITE with immediate data, in host order. */
export function ibv_wr_rdma_write_imm(qp: QueuePair, rkey: number, remote_addr: number, imm_data: number): void {
  aQp('ibv_wr_rdma_write_imm', qp).wrRdmaWriteImm(rkey, remote_addr, imm_data);
}

/** RDMA READ. */
export function ibv_wr_rdma_read(qp: QueuePair, rkey: number, remote_addr: number): void {
  aQp('ibv_wr_rdma_read', qp).wrRdmaRead(rkey, remote_addr);
}

/** Compare and swap of 8 bytes. */
export function ibv_wr_atomic_cmp_swp(
  qp: QueuePair,
  rkey: number,
  remote_addr: number,
  compare: bigint,
  swap: bigint,
): void {
  aQp('ibv_wr_atomic_cmp_swp', qp).wrAtomicCmpSwp(rkey, remote_addr, compare, swap);
}

/** Fetch and add of 8 bytes. */
export function ibv_wr_atomic_fetch_add(qp: QueuePair, rkey: number, remote_addr: number, add: bigint): void {
  aQp('ibv_wr_atomic_fetch_add', qp).wrAtomicFetchAdd(rkey, remote_addr, add);
}

/** ATOMIC_WRITE of the first 8 bytes of `atomic_wr`. */
export function ibv_wr_atomic_write(qp: QueuePair, rkey: number, remote_addr: number, atomic_wr: Uint8Array): void {
  aQp('ibv_wr_atomic_write', qp).wrAtomicWrite(
    rkey,
    remote_addr,
    atomic_wr instanceof Uint8Array && atomic_wr.length > 8 ? atomic_wr.subarray(0, 8) : atomic_wr,
  );
}

/** FLUSH of `len` bytes, or of all of the region. */
export function ibv_wr_flush(
  qp: QueuePair,
  rkey: number,
  remote_addr: number,
  len: number,
  type: number,
  level: number,
): void {
  aQp('ibv_wr_flush', qp).wrFlush(rkey, remote_addr, len, type, level);
}

/** Invalidates a local key. */
export function ibv_wr_local_inv(qp: QueuePair, invalidate_rkey: number): void {
  aQp('ibv_wr_local_inv', qp).wrLocalInv(invalidate_rkey);
}

/** Sets the local memory, one piece. */
export function ibv_wr_set_sge(qp: QueuePair, lkey: number, addr: number, length: number): void {
  aQp('ibv_wr_set_sge', qp).wrSetSge(lkey, addr, length);
}

const BYTES_HINT = 'give a Uint8Array, and no more than its length';

/** What is wrong with a list and how many of its entries are meant; C could not know. */
function countFault(count: string, n: unknown, what: string, list: unknown): string | null {
  if (!Array.isArray(list)) return `${what} is ${String(list)}, not a list`;
  if (Number.isInteger(n) && (n as number) >= 0 && (n as number) <= list.length) return null;
  return `${count} is ${String(n)}; ${what} has ${list.length}`;
}

/** What is wrong with memory, of which the first `length` bytes are meant. */
function bytesFault(what: string, addr: unknown, length: unknown): string | null {
  if (!(addr instanceof Uint8Array)) return `${what} is ${String(addr)}, not a Uint8Array`;
  if (Number.isInteger(length) && (length as number) >= 0 && (length as number) <= addr.length) return null;
  return `the length of ${what} is given as ${String(length)}; it has ${addr.length} bytes`;
}

function buffersFault(count: number, list: readonly (DataBuf | undefined)[]): string | null {
  for (let i = 0; i < count; i++) {
    const fault = bytesFault(`buf_list[${i}].addr`, list[i]?.addr, list[i]?.length);
    if (fault !== null) return fault;
  }
  return null;
}

/** Sets the local memory, the first `num_sge` pieces of a list. */
export function ibv_wr_set_sge_list(qp: QueuePair, num_sge: number, sg_list: readonly SgeLike[]): void {
  const queuePair = aQp('ibv_wr_set_sge_list', qp);
  const fault = countFault('num_sge', num_sge, 'sg_list', sg_list);
  if (fault !== null) return queuePair.refuseArguments(fault, 'give num_sge, and as many SGEs');
  queuePair.wrSetSgeList(num_sge === sg_list.length ? sg_list : sg_list.slice(0, num_sge));
}

/** Copies the first `length` bytes to send. */
export function ibv_wr_set_inline_data(qp: QueuePair, addr: Uint8Array, length: number): void {
  const queuePair = aQp('ibv_wr_set_inline_data', qp);
  const fault = bytesFault('addr', addr, length);
  if (fault !== null) return queuePair.refuseArguments(fault, BYTES_HINT);
  queuePair.wrSetInlineData(length === addr.length ? addr : addr.subarray(0, length));
}

/** A piece of inline data: `struct ibv_data_buf`. */
export interface DataBuf {
  /** The memory. */
  readonly addr: Uint8Array;
  /** How many bytes of it, from the first on. */
  readonly length: number;
}

/** Copies what to send, from the first `num_buf` pieces of a list, one behind the other. */
export function ibv_wr_set_inline_data_list(qp: QueuePair, num_buf: number, buf_list: readonly DataBuf[]): void {
  const queuePair = aQp('ibv_wr_set_inline_data_list', qp);
  const fault = countFault('num_buf', num_buf, 'buf_list', buf_list) ?? buffersFault(num_buf, buf_list);
  if (fault !== null) return queuePair.refuseArguments(fault, BYTES_HINT);
  queuePair.wrSetInlineDataList(
    buf_list.slice(0, num_buf).map(({ addr, length }) => (length === addr.length ? addr : addr.subarray(0, length))),
  );
}

/** UD: sets where the datagram goes. */
export function ibv_wr_set_ud_addr(qp: QueuePair, ah: AddressHandle, remote_qpn: number, remote_qkey: number): void {
  aQp('ibv_wr_set_ud_addr', qp).wrSetUdAddr(ah, remote_qpn, remote_qkey);
}

/** XRC: sets the shared receive queue of the peer. */
export function ibv_wr_set_xrc_srqn(qp: QueuePair, remote_srqn: number): void {
  aQp('ibv_wr_set_xrc_srqn', qp).wrSetXrcSrqn(remote_srqn);
}
