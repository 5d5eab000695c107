/** The operations of RC, by what they do with memory at either end. */
import { AccessFlags, WrOpcode, type SendWrInit } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import { compareAndSwap, fetchAndAdd, read, send, write } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';

type SgList = NonNullable<SendWrInit['sgList']>;

/** One operation. */
export interface Operation {
  readonly name: string;
  readonly needs: readonly CapabilityName[];
  /** It writes to the memory of the side that asks. */
  readonly writesHere: boolean;
  /** It takes a receive of the other side. */
  readonly takesReceive: boolean;
  /** What a region of the other side has to allow; 0 when it is not addressed. */
  readonly remoteAccess: number;
  /** A request on 8 bytes. */
  request(wrId: number, sgList: SgList, remote: Side, extras?: Partial<SendWrInit>): SendWrInit;
}

export const operations: readonly Operation[] = [
  {
    name: 'SEND',
    needs: [],
    writesHere: false,
    takesReceive: true,
    remoteAccess: 0,
    request: (wrId, sgList, _remote, extras) => send(wrId, sgList, extras),
  },
  {
    name: 'RDMA_WRITE',
    needs: ['rdmaWrite'],
    writesHere: false,
    takesReceive: false,
    remoteAccess: AccessFlags.REMOTE_WRITE,
    request: (wrId, sgList, remote, extras) => write(wrId, sgList, remote, 0, extras),
  },
  {
    name: 'RDMA_WRITE_WITH_IMM',
    needs: ['rdmaWrite'],
    writesHere: false,
    takesReceive: true,
    remoteAccess: AccessFlags.REMOTE_WRITE,
    request: (wrId, sgList, remote, extras) =>
      write(wrId, sgList, remote, 0, { opcode: WrOpcode.RDMA_WRITE_WITH_IMM, immData: 1, ...extras }),
  },
  {
    name: 'RDMA_READ',
    needs: ['rdmaRead'],
    writesHere: true,
    takesReceive: false,
    remoteAccess: AccessFlags.REMOTE_READ,
    request: (wrId, sgList, remote, extras) => read(wrId, sgList, remote, 0, extras),
  },
  {
    name: 'ATOMIC_CMP_AND_SWP',
    needs: ['atomics'],
    writesHere: true,
    takesReceive: false,
    remoteAccess: AccessFlags.REMOTE_ATOMIC,
    request: (wrId, sgList, remote, extras) => compareAndSwap(wrId, sgList, remote, 0, 0n, 1n, extras),
  },
  {
    name: 'ATOMIC_FETCH_AND_ADD',
    needs: ['atomics'],
    writesHere: true,
    takesReceive: false,
    remoteAccess: AccessFlags.REMOTE_ATOMIC,
    request: (wrId, sgList, remote, extras) => fetchAndAdd(wrId, sgList, remote, 0, 1n, extras),
  },
];
