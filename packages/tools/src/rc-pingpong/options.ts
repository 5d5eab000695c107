/** What `ibv_rc_pingpong` can be told. Defaults are those of the C tool. */
import type { FaultOptions } from '../cli/faults.ts';
import { type Mtu, bytesToMtu } from '@openverbs/verbs';

/** Path MTUs in bytes. */
export const MTU_CHOICES = [256, 512, 1024, 2048, 4096] as const;

/** Structured-clonable, because the second thread gets it too. */
export interface PingPongOptions extends FaultOptions {
  readonly provider: string | undefined;
  readonly device: string | undefined;
  /** Port of the device. */
  readonly port: number;
  /** Bytes of a message. */
  readonly size: number;
  /** Path MTU in bytes. */
  readonly mtu: number;
  /** Receives to keep posted. */
  readonly rxDepth: number;
  /** Exchanges to make. */
  readonly iters: number;
  /** Service level. */
  readonly sl: number;
  /** Index into the port's GID table; without one, 0 on Ethernet, where packets can't do without, and no GID elsewhere. */
  readonly gidIndex: number | undefined;
  /** Sleep on completion events instead of polling. */
  readonly events: boolean;
  /** Compare what arrived with what was sent. */
  readonly check: boolean;
  readonly threads: 1 | 2;
}

export const DEFAULT_OPTIONS: PingPongOptions = {
  provider: undefined,
  device: undefined,
  port: 1,
  size: 4096,
  mtu: 1024,
  rxDepth: 500,
  iters: 1000,
  sl: 0,
  gidIndex: undefined,
  events: false,
  check: false,
  threads: 1,
};

/** The path MTU as verbs takes it. */
export function pathMtuOf(options: PingPongOptions): Mtu {
  return bytesToMtu(options.mtu)!;
}
