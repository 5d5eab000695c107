/** What each operation does: the model's own table (IBTA volume 1, 10.8 and annex A19; ibv_post_send(3), ibv_poll_cq(3)). */
import { WcOpcode, WrOpcode } from 'openverbs';

/**
 * Where the data of an operation goes: into the receive that it takes, to the address that it names, from there to here, or what was
 * there comes back (atomics). None has no data.
 */
export type Movement = 'toReceive' | 'toAddress' | 'fromAddress' | 'old' | 'none';

/** An operation. */
export interface Operates {
  readonly name: string;
  readonly moves: Movement;
  /** Opcode of its completion. */
  readonly completesAs: number;
  readonly takesReceive: boolean;
  readonly hasImm: boolean;
  /** Whether it invalidates a key of the peer. */
  readonly invalidates: boolean;
  /** Whether it names memory of the peer. */
  readonly isRemote: boolean;
  /** Whether its data is 8 bytes, at an address that is a multiple of 8. */
  readonly isWord: boolean;
}

const PLAIN = { takesReceive: false, hasImm: false, invalidates: false, isRemote: false, isWord: false };
const WRITE = { ...PLAIN, moves: 'toAddress', isRemote: true } as const;
const SEND = { ...PLAIN, moves: 'toReceive', takesReceive: true, completesAs: WcOpcode.SEND } as const;
const ATOMIC = { ...PLAIN, moves: 'old', isRemote: true, isWord: true } as const;

const TABLE: Readonly<Record<number, Operates>> = {
  [WrOpcode.RDMA_WRITE]: { ...WRITE, name: 'RDMA_WRITE', completesAs: WcOpcode.RDMA_WRITE },
  [WrOpcode.RDMA_WRITE_WITH_IMM]: {
    ...WRITE,
    name: 'RDMA_WRITE_WITH_IMM',
    completesAs: WcOpcode.RDMA_WRITE,
    takesReceive: true,
    hasImm: true,
  },
  [WrOpcode.SEND]: { ...SEND, name: 'SEND' },
  [WrOpcode.SEND_WITH_IMM]: { ...SEND, name: 'SEND_WITH_IMM', hasImm: true },
  [WrOpcode.SEND_WITH_INV]: { ...SEND, name: 'SEND_WITH_INV', invalidates: true },
  [WrOpcode.RDMA_READ]: {
    ...PLAIN,
    name: 'RDMA_READ',
    moves: 'fromAddress',
    completesAs: WcOpcode.RDMA_READ,
    isRemote: true,
  },
  [WrOpcode.ATOMIC_CMP_AND_SWP]: { ...ATOMIC, name: 'ATOMIC_CMP_AND_SWP', completesAs: WcOpcode.COMP_SWAP },
  [WrOpcode.ATOMIC_FETCH_AND_ADD]: { ...ATOMIC, name: 'ATOMIC_FETCH_AND_ADD', completesAs: WcOpcode.FETCH_ADD },
  [WrOpcode.ATOMIC_WRITE]: { ...WRITE, name: 'ATOMIC_WRITE', completesAs: WcOpcode.ATOMIC_WRITE, isWord: true },
  [WrOpcode.FLUSH]: { ...PLAIN, name: 'FLUSH', moves: 'none', completesAs: WcOpcode.FLUSH, isRemote: true },
  [WrOpcode.BIND_MW]: { ...PLAIN, name: 'BIND_MW', moves: 'none', completesAs: WcOpcode.BIND_MW },
  [WrOpcode.LOCAL_INV]: { ...PLAIN, name: 'LOCAL_INV', moves: 'none', completesAs: WcOpcode.LOCAL_INV },
};

/** What the operation of an opcode does. */
export function operates(opcode: number): Operates {
  return TABLE[opcode];
}

/** Whether an opcode is done by the queue pair alone, without its peer. */
export function isLocal(opcode: number): boolean {
  return TABLE[opcode].moves === 'none' && !TABLE[opcode].isRemote;
}

/** Whether an opcode is an atomic, which returns what was there. */
export function isAtomic(opcode: number): boolean {
  return TABLE[opcode].moves === 'old';
}
