/**
 * Whether a message comes to a QP at all: what the responder asks before it looks at the message itself (IBTA 9.6, 9.7.4.1: its source,
 * partition, service and PSN), and how it refuses. An answer is one of {@link Aeth}; {@link RequestValidation.vendorErr} says why it is
 * not an ACK.
 */
import { comparePsn } from '@openverbs/rocev2';
import { VendorErr } from '@openverbs/verbs/rings';
import { countBadPkey } from './drop-counters.ts';
import type { EventQueues } from './event-queue.ts';
import { Qpc, QpcState, Srqc } from './layout.ts';
import type { PathMigration } from './path-migration.ts';
import { isSameService, pkeysMatch } from './pkey.ts';
import type { ReceiveQueue } from './receive-queue.ts';
import { Aeth } from './syndrome.ts';

const { STATE, PD, RQ_PSN, SQ_PSN, ROUTE_OUT, ROUTE_IN, DEST_QPN, PATH_MTU, PEER, QPN, SERVICE_PKEY } = Qpc;
const { RTR, RTS, ERR } = QpcState;
const { ACK, NAK_INVALID_REQUEST, NONE, DUPLICATE } = Aeth;

/** What {@link RequestValidation} works with. */
export interface ValidationParts {
  readonly machine: { readonly i32: Int32Array };
  readonly events: EventQueues;
  readonly queue: ReceiveQueue;
  readonly migration: PathMigration;
}

export class RequestValidation {
  /** @internal */
  protected readonly i32: Int32Array;
  /** @internal */
  protected readonly queue: ReceiveQueue;
  private readonly events: EventQueues;
  private readonly migration: PathMigration;

  /** Whether the last message was refused by the completion of a receive. */
  receiveFailed = false;
  /** Why the last answer was not an ACK, and where the check looked. */
  vendorErr = 0;
  faultKey = 0;
  faultAddrLo = 0;
  faultAddrHi = 0;

  constructor({ machine, events, queue, migration }: ValidationParts) {
    this.i32 = machine.i32;
    this.events = events;
    this.queue = queue;
    this.migration = migration;
  }

  /**
   * Whether the responder of `q` takes its next message of `packets` packets: ACK, NONE when nobody is there, DUPLICATE, or a
   * NAK. The source is checked as rxe's check_addr does: by address and QPN.
   */
  accept(q: number, packets: number): number {
    const i32 = this.i32;
    const p = i32[q + PEER];
    this.receiveFailed = false;
    // Everything as it mostly is, by one look each; else the same in its order, and why not.
    const ours = i32[q + SERVICE_PKEY];
    return p !== 0 &&
      i32[p + STATE] === RTS &&
      i32[p + QPN] === i32[q + DEST_QPN] &&
      i32[p + ROUTE_IN] === i32[q + ROUTE_OUT] &&
      i32[p + SERVICE_PKEY] === ours &&
      ours < 0 &&
      i32[p + RQ_PSN] === i32[q + SQ_PSN] &&
      (packets === 1 || i32[p + PATH_MTU] === i32[q + PATH_MTU])
      ? ACK
      : this.acceptUnusual(q, p, packets);
  }

  private acceptUnusual(q: number, p: number, packets: number): number {
    const i32 = this.i32;
    if (p === 0 || !this.reaches(q, p)) return this.refuse(NONE, VendorErr.NO_RESPONSE);
    if (!this.isInPartition(q, p)) return NONE;
    if (i32[q + SQ_PSN] !== i32[p + RQ_PSN]) {
      if (comparePsn(i32[q + SQ_PSN], i32[p + RQ_PSN]) > 0) return this.refuse(NONE, VendorErr.PSN_MISMATCH);
      return this.refuse(DUPLICATE, VendorErr.PSN_MISMATCH);
    }
    if (packets > 1 && i32[p + PATH_MTU] !== i32[q + PATH_MTU]) {
      return this.refuse(NAK_INVALID_REQUEST, VendorErr.MTU_MISMATCH);
    }
    if (i32[p + STATE] === RTR) this.events.establish(p);
    return ACK;
  }

  /** Whether a message of the QP at `q` comes to the one at `p`, which may change its path for it. */
  reaches(q: number, p: number): boolean {
    return this.isPeer(q, p) || this.migration.follow(q, p);
  }

  /** Whether the QP at `p` receives, and from the one at `q`. */
  isPeer(q: number, p: number): boolean {
    const i32 = this.i32;
    const state = i32[p + STATE];
    return (
      i32[p + QPN] === i32[q + DEST_QPN] && i32[p + ROUTE_IN] === i32[q + ROUTE_OUT] && state >= RTR && state < ERR
    );
  }

  /**
   * XRC: takes the SRQ that a message names. It must be of the QP's domain; the message's keys are then those of the SRQ's
   * protection domain (IBTA annex A14, XRC domains).
   */
  nameSrq(p: number, srqn: number): number {
    const i32 = this.i32;
    if (i32[p + Qpc.XRCD] === 0) return this.refuse(NONE, VendorErr.NO_RESPONSE); // an XRC_SEND, which receives nothing
    const srq = this.queue.xrcSrq(p, srqn);
    if (srq === 0) return this.refuseAt(NAK_INVALID_REQUEST, VendorErr.BAD_SRQN, 0, srqn, 0);
    i32[p + Qpc.SRQ] = srq;
    i32[p + PD] = i32[srq + Srqc.PD];
    return ACK;
  }

  /** Whether the QPs at `q` and `p` use one service, and their P_Keys match; else {@link Responder.vendorErr} says why not. */
  isInPartition(q: number, p: number): boolean {
    const ours = this.i32[q + SERVICE_PKEY];
    const theirs = this.i32[p + SERVICE_PKEY];
    return (ours === theirs && ours < 0) || this.checkPartition(p, ours, theirs);
  }

  private checkPartition(p: number, ours: number, theirs: number): boolean {
    this.refuse(NONE, VendorErr.NO_RESPONSE);
    if (!isSameService(ours, theirs)) return false;
    if (pkeysMatch(ours, theirs)) return true;
    countBadPkey(this.i32, p);
    this.refuse(NONE, VendorErr.PKEY_MISMATCH);
    return false;
  }

  protected refuse(answer: number, vendorErr: number): number {
    return this.refuseAt(answer, vendorErr, 0, 0, 0);
  }

  protected refuseAt(answer: number, vendorErr: number, key: number, lo: number, hi: number): number {
    this.vendorErr = vendorErr;
    this.faultKey = key;
    this.faultAddrLo = lo;
    this.faultAddrHi = hi;
    return answer;
  }
}
