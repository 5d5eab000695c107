/** Work requests as a queue keeps them: copies, because the application may change its own as soon as the post returns. */
import { SendFlags, WrOpcode, type QpCap, type RecvWr, type SendWr, type SgeLike } from '@openverbs/verbs';

export interface RecvWqe {
  readonly wrId: number;
  readonly sgList: readonly SgeLike[];
}

export interface SendWqe extends RecvWqe {
  readonly opcode: number;
  readonly sendFlags: number;
  readonly immData: number;
  readonly rkey: number;
  readonly remoteAddr: number;
}

const { SEND, SEND_WITH_IMM, RDMA_WRITE, RDMA_WRITE_WITH_IMM } = WrOpcode;

/** What an operation does at the peer. An opcode that is not here is refused by the post. */
export const OPERATIONS: ReadonlyMap<number, { writes: boolean; takesReceive: boolean; hasImm: boolean }> = new Map([
  [SEND, { writes: false, takesReceive: true, hasImm: false }],
  [SEND_WITH_IMM, { writes: false, takesReceive: true, hasImm: true }],
  [RDMA_WRITE, { writes: true, takesReceive: false, hasImm: false }],
  [RDMA_WRITE_WITH_IMM, { writes: true, takesReceive: true, hasImm: true }],
]);

/** Null for a work request that this QP can't do. */
export function copySend(wr: SendWr, { maxSendSge }: QpCap): SendWqe | null {
  const { wrId, opcode, sendFlags, immData, rkey, sgList } = wr;
  const possible = OPERATIONS.has(opcode) && (sendFlags & SendFlags.INLINE) === 0 && wr.inlineData === null;
  if (!possible || !Array.isArray(sgList) || sgList.length > maxSendSge) return null;
  // Above 2^53 a bigint: no region is there, so a double is as good.
  const remoteAddr = Number(wr.remoteAddr);
  return { wrId, opcode, sendFlags, immData, rkey, remoteAddr, sgList: copySges(sgList) };
}

/** Null for a work request that this QP can't do. */
export function copyRecv({ wrId, sgList }: RecvWr, { maxRecvSge }: QpCap): RecvWqe | null {
  return !Array.isArray(sgList) || sgList.length > maxRecvSge ? null : { wrId, sgList: copySges(sgList) };
}

function copySges(sgList: readonly SgeLike[]): SgeLike[] {
  return sgList.map(({ addr, length, lkey }) => ({ addr, length, lkey }));
}
