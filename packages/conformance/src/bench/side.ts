/** One end of a connection: a QP with everything that it needs, in a context of its own unless told otherwise. */
import {
  AccessFlags,
  QpType,
  type CompletionChannel,
  type CompletionQueue,
  type Context,
  type Device,
  type MemoryRegion,
  type ProtectionDomain,
  type QpInitAttr,
  type QueuePair,
  type Sge,
  type SharedReceiveQueue,
} from '@openverbs/verbs';

/** Every access to memory that a region can allow. */
export const ACCESS_ALL =
  AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE | AccessFlags.REMOTE_READ | AccessFlags.REMOTE_ATOMIC;

/** How a {@link Side} is made. */
export interface SideOptions {
  readonly device?: Device;
  /** A context to share instead of opening one. */
  readonly context?: Context;
  /** A protection domain to share; of `context`. */
  readonly pd?: ProtectionDomain;
  /** A CQ to share, for both queues. */
  readonly cq?: CompletionQueue;
  readonly bufferBytes?: number;
  /** Access of the memory region; everything when left out. */
  readonly access?: number;
  readonly cap?: QpInitAttr['cap'];
  readonly sqSigAll?: boolean;
  readonly sendCqe?: number;
  readonly recvCqe?: number;
  /** Gives each CQ a completion channel of its own. */
  readonly withChannels?: boolean;
  readonly qpType?: QpType;
  /** Where the QP's receives come from; of `context`. */
  readonly srq?: SharedReceiveQueue;
}

const BUFFER_BYTES = 16 * 1024;
const CQE = 256;

/** See above. All fields are open to the tests. */
export class Side {
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly sendCq: CompletionQueue;
  readonly recvCq: CompletionQueue;
  readonly qp: QueuePair;
  readonly mr: MemoryRegion;

  constructor(context: Context, options: SideOptions) {
    this.context = context;
    this.pd = options.pd ?? context.allocPd();
    const newChannel = (): CompletionChannel | null => (options.withChannels ? context.createCompChannel() : null);
    this.sendCq = options.cq ?? context.createCq({ cqe: options.sendCqe ?? CQE, channel: newChannel() });
    this.recvCq = options.cq ?? context.createCq({ cqe: options.recvCqe ?? CQE, channel: newChannel() });
    this.mr = this.registerNew(options.bufferBytes ?? BUFFER_BYTES, options.access ?? ACCESS_ALL);
    this.qp = this.createQp(options);
  }

  /** Bytes of {@link Side.mr}. */
  get bytes(): Uint8Array {
    return this.mr.bytes;
  }

  /** An SGE within {@link Side.mr}. */
  sge(offset = 0, length = this.mr.length - offset): Sge {
    return this.mr.sge(offset, length);
  }

  /** Another memory region of this side, in `pd`. */
  registerNew(length: number, access = ACCESS_ALL, pd = this.pd): MemoryRegion {
    return pd.regMr(newMemory(this.context, length), access);
  }

  /** Another QP of this side, with the same CQs. */
  createQp(options: Pick<SideOptions, 'cap' | 'sqSigAll' | 'qpType' | 'srq'> = {}, pd = this.pd): QueuePair {
    return pd.createQp({
      sendCq: this.sendCq,
      recvCq: this.recvCq,
      srq: options.srq ?? null,
      qpType: options.qpType ?? QpType.RC,
      sqSigAll: options.sqSigAll ?? false,
      cap: { maxSendWr: 32, maxRecvWr: 32, maxSendSge: 2, maxRecvSge: 2, maxInlineData: 0, ...options.cap },
    });
  }
}

/** Memory that the provider can register: its own where it has some, else the caller's. */
export function newMemory(context: Context, length: number): ReturnType<Context['allocBuf']> | Uint8Array {
  return context.device.supports('dmaBuffers') ? context.allocBuf(length) : new Uint8Array(length);
}
