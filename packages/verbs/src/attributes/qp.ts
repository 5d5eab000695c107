/** Attributes of queue pairs and shared receive queues. */
import type { Mtu } from '../enums/mtu.ts';
import type { MigState, QpState, QpType } from '../enums/qp.ts';
import type { CompletionQueue } from '../completion-queue.ts';
import type { SrqType } from '../enums/srq.ts';
import type { SharedReceiveQueue } from '../shared-receive-queue.ts';
import type { XrcDomain } from '../xrc-domain.ts';
import type { AhAttr, AhAttrInit } from './address.ts';
export type { AhAttr, AhAttrInit, GlobalRoute, GlobalRouteInit } from './address.ts';

/** Capacities of a QP (`struct ibv_qp_cap`). */
export interface QpCap {
  /** Send work requests outstanding. */
  readonly maxSendWr: number;
  /** Receive work requests outstanding. */
  readonly maxRecvWr: number;
  /** SGEs of a send work request. */
  readonly maxSendSge: number;
  /** SGEs of a receive work request. */
  readonly maxRecvSge: number;
  /** Bytes of inline data. */
  readonly maxInlineData: number;
}

/** {@link QpCap} as a literal; SGEs default to 1, the rest to 0. */
export type QpCapInit = Partial<QpCap>;

/** How to make a queue pair (`struct ibv_qp_init_attr`). Source: `ibv_create_qp`(3). */
export interface QpInitAttr {
  /** Where send completions go. */
  readonly sendCq: CompletionQueue;
  /** Where receive completions go; XRC_SEND has none, whatever is given. */
  readonly recvCq?: CompletionQueue;
  /** Where receives come from, instead of the QP's own queue. */
  readonly srq?: SharedReceiveQueue | null;
  /** Capacities; the QP has at least these. */
  readonly cap: QpCapInit;
  /** Transport service. */
  readonly qpType: QpType;
  /** Whether every send work request makes a completion. */
  readonly sqSigAll?: boolean;
  /** The application's own; comes back as `qp.qpContext`. */
  readonly qpContext?: unknown;
}

/** Which queue pair to open (`struct ibv_qp_open_attr`). Source: `ibv_open_qp`(3). */
export interface QpOpenAttr {
  /** Its number, 24 bits. */
  readonly qpNum: number;
  /** XRC_RECV, the only type that is opened. */
  readonly qpType?: QpType;
  /** The application's own; comes back as `qp.qpContext`. */
  readonly qpContext?: unknown;
}

/** Attributes of a queue pair (`struct ibv_qp_attr`), as a provider gets and gives them. Source: `ibv_modify_qp`(3). */
export interface QpAttr {
  /** The state to go to; of a query, the state. */
  readonly qpState?: QpState;
  /** The state that the QP is in, where the caller knows better. */
  readonly curQpState?: QpState;
  /** RC, UC: the MTU of the path. */
  readonly pathMtu?: Mtu;
  /** Path migration. */
  readonly pathMigState?: MigState;
  /** UD: the Q_Key that incoming datagrams need. */
  readonly qkey?: number;
  /** RC, UC: the first sequence number to expect, 24 bits; the peer's `sqPsn`. */
  readonly rqPsn?: number;
  /** The first sequence number to send, 24 bits. */
  readonly sqPsn?: number;
  /** RC, UC: the peer's QP number. */
  readonly destQpNum?: number;
  /** RC, UC: what the peer may do, `AccessFlags` bits. */
  readonly qpAccessFlags?: number;
  /** Capacities, on devices that can change them. */
  readonly cap?: QpCap;
  /** RC, UC: the way to the peer. */
  readonly ahAttr?: AhAttr;
  /** The alternate way. */
  readonly altAhAttr?: AhAttr;
  /** Which entry of the P_Key table. */
  readonly pkeyIndex?: number;
  /** As before, of the alternate way. */
  readonly altPkeyIndex?: number;
  /** RTS to SQD: whether to raise SQ_DRAINED. */
  readonly enSqdAsyncNotify?: boolean;
  /** Of a query: whether the send queue is still draining. */
  readonly sqDraining?: boolean;
  /** RC: RDMA reads and atomics that this end asks for at once. */
  readonly maxRdAtomic?: number;
  /** RC: RDMA reads and atomics that this end serves at once. */
  readonly maxDestRdAtomic?: number;
  /** RC: how long a peer has to wait for a receive, a code of 5 bits. */
  readonly minRnrTimer?: number;
  /** The port, from 1. */
  readonly portNum?: number;
  /** RC: how long to wait for an answer, 4.096 us * 2^n; 0 for ever. 5 bits. */
  readonly timeout?: number;
  /** RC: how often to send again without an answer, 0 to 7. */
  readonly retryCnt?: number;
  /** RC: how often to send again when the peer has no receive, 0 to 6; 7 for ever. */
  readonly rnrRetry?: number;
  /** The port of the alternate way. */
  readonly altPortNum?: number;
  /** As `timeout`, of the alternate way. */
  readonly altTimeout?: number;
  /** Raw packets: the limit in kb/s. */
  readonly rateLimit?: number;
}

/** What a queue pair was made of. */
export interface QpQueryInit extends Required<Omit<QpInitAttr, 'cap'>> {
  /** Actual capacities. */
  readonly cap: QpCap;
}

/** What `qp.query` tells. Source: `ibv_query_qp`(3). */
export interface QpQuery {
  /** All attributes; those that were never set are 0. */
  readonly attr: Required<QpAttr>;
  /** What the QP was made of. */
  readonly init: QpQueryInit;
}

/** {@link QpAttr} as a literal for `qp.modify`: address vectors may leave out what is 0. */
export interface QpAttrInit extends Omit<QpAttr, 'ahAttr' | 'altAhAttr'> {
  /** RC, UC: the way to the peer. */
  readonly ahAttr?: AhAttrInit;
  /** The alternate way. */
  readonly altAhAttr?: AhAttrInit;
}

/** Attributes of a shared receive queue (`struct ibv_srq_attr`). Source: `ibv_create_srq`(3). */
export interface SrqAttr {
  /** Work requests outstanding. */
  readonly maxWr: number;
  /** SGEs of a work request. */
  readonly maxSge: number;
  /** An event is raised when fewer receives than this are left; 0 for none. */
  readonly srqLimit: number;
}

/** How to make a shared receive queue (`struct ibv_srq_init_attr`). */
export interface SrqInitAttr {
  /** Capacities; one SGE and no limit unless said. */
  readonly attr: Pick<SrqAttr, 'maxWr'> & Partial<SrqAttr>;
  /** BASIC unless said. XRC needs `xrcd` and `cq`. */
  readonly srqType?: SrqType;
  /** XRC: the domain. */
  readonly xrcd?: XrcDomain | null;
  /** XRC: where receives complete to. */
  readonly cq?: CompletionQueue | null;
  /** The application's own; comes back as `srq.srqContext`. */
  readonly srqContext?: unknown;
}

/** What a peer needs to know of a queue pair. It survives JSON. */
export interface QpEndpoint {
  /** QP number. */
  readonly qpNum: number;
  /** First sequence number that this end sends. */
  readonly psn: number;
  /** GID in text. */
  readonly gid: string;
  /** LID; 0 on Ethernet. */
  readonly lid: number;
  /** The port's active `Mtu`. */
  readonly mtu: Mtu;
  /** The port, from 1. */
  readonly port: number;
  /** Which entry of the port's GID table `gid` is. */
  readonly gidIndex: number;
}
