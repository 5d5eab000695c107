/** Work requests, one function an operation; signaled unless told otherwise. */
import { PlacementType, SendFlags, WrOpcode, type SendWrInit } from '@openverbs/verbs';
import type { Side } from './side.ts';

type SgList = NonNullable<SendWrInit['sgList']>;

/** What a request may say beside its operands. */
export type RequestExtras = Partial<SendWrInit>;

/** SEND. */
export function send(wrId: number, sgList: SgList, extras: RequestExtras = {}): SendWrInit {
  return { wrId, sgList, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, ...extras };
}

/** RDMA WRITE to `offset` of the other side's region. */
export function write(wrId: number, sgList: SgList, remote: Side, offset = 0, extras: RequestExtras = {}): SendWrInit {
  return { ...remoteRequest(wrId, sgList, remote, offset), opcode: WrOpcode.RDMA_WRITE, ...extras };
}

/** RDMA WRITE with immediate data. */
export function writeImm(wrId: number, sgList: SgList, remote: Side, offset: number, immData: number): SendWrInit {
  return { ...remoteRequest(wrId, sgList, remote, offset), opcode: WrOpcode.RDMA_WRITE_WITH_IMM, immData };
}

/** RDMA READ from `offset` of the other side's region. */
export function read(wrId: number, sgList: SgList, remote: Side, offset = 0, extras: RequestExtras = {}): SendWrInit {
  return { ...remoteRequest(wrId, sgList, remote, offset), opcode: WrOpcode.RDMA_READ, ...extras };
}

/** Compare-and-swap of the 8 bytes at `offset` of the other side's region. */
export function compareAndSwap(
  wrId: number,
  sgList: SgList,
  remote: Side,
  offset: number,
  compareAdd: bigint,
  swap: bigint,
  extras: RequestExtras = {},
): SendWrInit {
  const opcode = WrOpcode.ATOMIC_CMP_AND_SWP;
  return { ...remoteRequest(wrId, sgList, remote, offset), opcode, compareAdd, swap, ...extras };
}

/** Fetch-and-add on the 8 bytes at `offset` of the other side's region. */
export function fetchAndAdd(
  wrId: number,
  sgList: SgList,
  remote: Side,
  offset: number,
  compareAdd: bigint,
  extras: RequestExtras = {},
): SendWrInit {
  const opcode = WrOpcode.ATOMIC_FETCH_AND_ADD;
  return { ...remoteRequest(wrId, sgList, remote, offset), opcode, compareAdd, ...extras };
}

/** ATOMIC_WRITE of 8 bytes to `offset` of the other side's region, inline. */
export function atomicWrite(
  wrId: number,
  inlineData: Uint8Array,
  remote: Side,
  offset = 0,
  extras: RequestExtras = {},
): SendWrInit {
  return { ...remoteRequest(wrId, [], remote, offset), opcode: WrOpcode.ATOMIC_WRITE, inlineData, ...extras };
}

/** FLUSH of a range of the other side's region, for global visibility. */
export function flush(
  wrId: number,
  remote: Side,
  offset: number,
  flushLength: number,
  extras: RequestExtras = {},
): SendWrInit {
  const opcode = WrOpcode.FLUSH;
  return {
    ...remoteRequest(wrId, [], remote, offset),
    opcode,
    flushType: PlacementType.GLOBAL,
    flushLength,
    ...extras,
  };
}

function remoteRequest(wrId: number, sgList: SgList, remote: Side, offset: number): SendWrInit {
  const remoteAddr = remote.mr.addr + offset;
  return { wrId, sgList, sendFlags: SendFlags.SIGNALED, rkey: remote.mr.rkey, remoteAddr };
}
