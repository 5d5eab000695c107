/** What a ping-pong can be told. Defaults are those of the C tools. */
import { type Mtu, bytesToMtu } from '@openverbs/verbs';
import type { FaultOptions } from '../cli/faults.ts';
import { type ServiceName, SERVICES } from './service.ts';

/** Path MTUs in bytes. */
export const MTU_CHOICES = [256, 512, 1024, 2048, 4096] as const;

/** QPs, or clients, at each end, at most; `MAX_QP` of srq_pingpong.c, which is one too many there. */
export const NUM_QP_MAX = 255;

/** Structured-clonable, because the second thread gets it too. */
export interface PingPongOptions extends FaultOptions {
  readonly service: ServiceName;
  readonly provider: string | undefined;
  readonly device: string | undefined;
  /** Device of the other end; the same when undefined. */
  readonly peerDevice: string | undefined;
  /** Port of the device. */
  readonly port: number;
  /** Bytes of a message. */
  readonly size: number;
  /** Path MTU in bytes; none for datagrams. */
  readonly mtu: number | undefined;
  /** Queue pairs at each end; over XRC, clients, each with a connection of its own. */
  readonly numQp: number;
  /** Receives to keep posted. */
  readonly rxDepth: number;
  /** Exchanges to make: on all queue pairs together; over XRC, with each client. */
  readonly iters: number;
  /** Service level. */
  readonly sl: number;
  /** Index into the port's GID table; without one, 0 on Ethernet, where packets can't do without, and no GID elsewhere. */
  readonly gidIndex: number | undefined;
  /** Sleep on completion events instead of polling. */
  readonly events: boolean;
  /** Register memory for on-demand paging. */
  readonly odp: boolean;
  /** Compare what arrived with what was sent. */
  readonly check: boolean;
  readonly threads: 1 | 2;
  /** Milliseconds without a completion after which to fail; as the service needs when undefined. */
  readonly giveUpMs: number | undefined;
}

/** What a run over `service` does if it is told nothing. */
export function defaultOptions(service: ServiceName): PingPongOptions {
  const { sizeDefault, numQpDefault, itersDefault, isExtended, isDatagram } = SERVICES[service];
  return {
    service,
    provider: undefined,
    device: undefined,
    peerDevice: undefined,
    port: 1,
    size: sizeDefault,
    mtu: isDatagram ? undefined : 1024,
    numQp: numQpDefault,
    rxDepth: isExtended ? numQpDefault : 500,
    iters: itersDefault,
    sl: 0,
    gidIndex: undefined,
    events: false,
    odp: false,
    check: false,
    threads: 1,
    giveUpMs: undefined,
  };
}

/** The exchanges of all queue pairs together. */
export function totalIters({ service, iters, numQp }: PingPongOptions): number {
  return SERVICES[service].isExtended ? iters * numQp : iters;
}

/** The path MTU as verbs takes it; for connected services. */
export function pathMtuOf(options: PingPongOptions): Mtu {
  return bytesToMtu(options.mtu!)!;
}
