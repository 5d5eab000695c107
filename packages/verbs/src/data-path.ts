/** What the objects need of a data path, whoever writes the WQEs and reads the CQEs. One class of each kind serves a program. */
import type { AddressHandle } from './address-handle.ts';
import type { RecvWr } from './recv-wr.ts';
import type { SendWr } from './send-wr.ts';
import type { SgeLike } from './sge.ts';
import type { WorkCompletion } from './work-completion.ts';

/** What the operations of the extended form take from the QP. */
export interface WrDefaults {
  readonly wrId: number;
  readonly wrFlags: number;
}

/** A send queue. The methods from `start` on are the extended form, see `QueuePair.wrStart`. */
export interface SendPath {
  /** After a refused post: which work request it was, from 0. */
  readonly badWrIndex: number;
  /** Whether `start` was called, and neither `complete` nor `abort`. */
  readonly isBuilding: boolean;
  /** Says whose `wrId` and flags the operations of the extended form take. */
  bind(owner: WrDefaults): void;
  post(wr: SendWr): number;
  setReady(ready: boolean): void;
  reset(): void;
  start(): void;
  send(opcode: number): void;
  sendImm(opcode: number, imm: number): void;
  rdma(opcode: number, rkey: number, remoteAddr: number): void;
  rdmaImm(opcode: number, rkey: number, remoteAddr: number, imm: number): void;
  atomic(
    opcode: number,
    rkey: number,
    remoteAddr: number,
    lo: number,
    hi: number,
    swapLo: number,
    swapHi: number,
  ): void;
  setRemoteAddr(lo: number, hi: number): void;
  setDatagram(ah: AddressHandle, remoteQpn: number, remoteQkey: number): void;
  setXrcSrqn(remoteSrqn: number): void;
  setSge(lkey: number, addr: number, length: number): void;
  setSgeList(sges: readonly SgeLike[]): void;
  setInlineData(bytes: Uint8Array): void;
  complete(): number;
  abort(): void;
}

/** A receive queue. */
export interface RecvPath {
  /** After a refused post: which work request it was, from 0. */
  readonly badWrIndex: number;
  post(wr: RecvWr): number;
  setReady(ready: boolean): void;
  reset(): void;
}

/** A completion queue. */
export interface CqPath {
  /** The number of completions, or a negative error number. */
  poll(wcs: WorkCompletion[], limit: number): number;
  reqNotify(solicitedOnly: boolean): void;
  /** Removes the completions of a QP that was reset or destroyed. */
  clean(qpNum: number): void;
}
