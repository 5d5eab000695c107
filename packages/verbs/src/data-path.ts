/** What the objects need of a data path, whoever writes the WQEs and reads the CQEs. One class of each kind serves a program. */
import type { AddressHandle } from './address-handle.ts';
import type { RecvWr } from './recv-wr.ts';
import type { SendWr } from './send-wr.ts';
import type { SgeLike } from './sge.ts';
import type { WorkCompletion } from './work-completion.ts';

/** What the operations of the extended form take from the QP. */
export interface WrDefaults {
  /** `wrId` of the next operation. */
  readonly wrId: number;
  /** `SendFlags` bits of the next operation. */
  readonly wrFlags: number;
}

/** A send queue. The methods from `start` on are the extended form, see `QueuePairEx`. */
export interface SendPath {
  /** After a refused post: which work request it was, from 0. */
  readonly badWrIndex: number;
  /** Whether `start` was called, and neither `complete` nor `abort`. */
  readonly isBuilding: boolean;
  /** Says whose `wrId` and flags the operations of the extended form take. */
  bind(owner: WrDefaults): void;
  /** Posts a chain. Returns 0 or an error number; the work requests before `badWrIndex` are posted then. */
  post(wr: SendWr): number;
  /** Allows posts, or refuses them: in the states RESET, INIT and RTR, and after the end. */
  setReady(ready: boolean): void;
  /** Empties the queue, after the device has reset the QP. */
  reset(): void;
  /** Begins a list. Whatever was begun before and not completed is given up. */
  start(): void;
  /** An operation without a remote address. */
  send(opcode: number): void;
  /** As {@link SendPath.send}, with immediate data or a key to invalidate. */
  sendImm(opcode: number, imm: number): void;
  /** An RDMA operation. */
  rdma(opcode: number, rkey: number, remoteAddr: number): void;
  /** An RDMA operation with immediate data. */
  rdmaImm(opcode: number, rkey: number, remoteAddr: number, imm: number): void;
  /** An atomic operation; its operands as words. */
  atomic(
    opcode: number,
    rkey: number,
    remoteAddr: number,
    lo: number,
    hi: number,
    swapLo: number,
    swapHi: number,
  ): void;
  /** Sets the remote address, all 64 bits. */
  setRemoteAddr(lo: number, hi: number): void;
  /** UD: sets where the datagram goes. */
  setDatagram(ah: AddressHandle, remoteQpn: number, remoteQkey: number): void;
  /** XRC: sets the peer's SRQ. */
  setXrcSrqn(remoteSrqn: number): void;
  /** Sets the one SGE. */
  setSge(lkey: number, addr: number, length: number): void;
  /** Sets the SGEs. */
  setSgeList(sges: readonly SgeLike[]): void;
  /** Copies data to send. */
  setInlineData(bytes: Uint8Array): void;
  /** Posts what was built; or nothing, and returns the first mistake as an error number. */
  complete(): number;
  /** Gives up what was built. */
  abort(): void;
}

/** A receive queue. */
export interface RecvPath {
  /** After a refused post: which work request it was, from 0. */
  readonly badWrIndex: number;
  /** Posts a chain. Returns 0 or an error number; the work requests before `badWrIndex` are posted then. */
  post(wr: RecvWr): number;
  /** Allows posts, or refuses them: in the state RESET and after the end. */
  setReady(ready: boolean): void;
  /** Empties the queue, after the device has reset the QP. */
  reset(): void;
}

/** A completion queue. */
export interface CqPath {
  /** The number of completions, or a negative error number. */
  poll(wcs: WorkCompletion[], limit: number): number;
  /** Asks for an event at the next completion, or the next solicited one. */
  reqNotify(solicitedOnly: boolean): void;
  /** Removes the completions of a QP that was reset or destroyed. */
  clean(qpNum: number): void;
}
