/** Two devices, ready for a test. */
import { AccessFlags, connectPair, QpType } from '@openverbs/verbs';
import type {
  CompletionChannel,
  CompletionQueue,
  ConnectOverrides,
  Context,
  Device,
  DmaBuffer,
  MemoryRegion,
  ProtectionDomain,
  QpCapInit,
  QueuePair,
} from '@openverbs/verbs';

import { openVerbs } from '../composition.ts';
import type { OpenVerbsConfig } from '../configuration/config.ts';
import type { OpenVerbs } from '../open-verbs.ts';

const BUFFER_BYTES = 65536;
const CQE = 128;
const CAP: Required<QpCapInit> = { maxSendWr: 32, maxRecvWr: 32, maxSendSge: 4, maxRecvSge: 4, maxInlineData: 64 };
const ACCESS = AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE | AccessFlags.REMOTE_READ | AccessFlags.REMOTE_ATOMIC;

/** How {@link openTestPair} makes a pair. */
export interface TestPairOptions {
  /**
   * Ports of each emulated device.
   *
   * @defaultValue 1
   */
  readonly ports?: number;
  /** Who executes the emulated devices: the caller's thread, or a worker. Left to the configuration unless said. */
  readonly placement?: 'inline' | 'thread';
  /**
   * Transport service of the queue pairs.
   *
   * @defaultValue `QpType.RC`
   */
  readonly qpType?: QpType;
  /** Capacities of the queue pairs that are not the usual ones. */
  readonly cap?: QpCapInit;
  /**
   * Entries of each completion queue.
   *
   * @defaultValue 128
   */
  readonly cqe?: number;
  /**
   * Bytes of each buffer.
   *
   * @defaultValue 65536
   */
  readonly bufferBytes?: number;
  /** `AccessFlags` of each memory region; all that a peer can have unless said. */
  readonly access?: number;
  /**
   * The rest of the configuration. With another provider than the emulated one the pair is its first two devices, or its only
   * one twice.
   */
  readonly config?: OpenVerbsConfig;
}

/** One end of a pair: an open device with one of everything. */
export interface TestEnd {
  /** The device. */
  readonly device: Device;
  /** The device, opened. */
  readonly context: Context;
  /** A protection domain. */
  readonly pd: ProtectionDomain;
  /** The channel of `cq` alone. */
  readonly channel: CompletionChannel;
  /** Where `qp` completes sends and receives. */
  readonly cq: CompletionQueue;
  /** A queue pair in RESET. */
  readonly qp: QueuePair;
  /** Memory. */
  readonly buffer: DmaBuffer;
  /** All of `buffer`, registered. */
  readonly mr: MemoryRegion;
}

/** What {@link openTestPair} returns. Disposing it ends everything. */
export interface TestPair {
  /** What both devices belong to. */
  readonly openVerbs: OpenVerbs;
  /** One end. */
  readonly a: TestEnd;
  /** The other end. */
  readonly b: TestEnd;
  /** Connects the two queue pairs to each other: they go to RTS. */
  connect(overrides?: ConnectOverrides): void;
  /** Ends everything. */
  [Symbol.dispose](): void;
}

/**
 * Opens two devices with one of everything on each. Without options they are emulated ones of a machine of their own, so tests do
 * not see each other; the environment and `openverbs.config.json` can name another provider or placement for a whole run.
 *
 * @example
 * ```ts
 * import { openTestPair } from 'openverbs/testing';
 * import { SendFlags, WorkCompletion, WrOpcode } from 'openverbs';
 *
 * using pair = openTestPair();
 * pair.connect();
 * const { a, b } = pair;
 * a.buffer.bytes.fill(7, 0, 8);
 * a.qp.postSend({
 *   opcode: WrOpcode.RDMA_WRITE,
 *   sendFlags: SendFlags.SIGNALED,
 *   sgList: [a.mr.sge(0, 8)],
 *   remoteAddr: b.mr.addr,
 *   rkey: b.mr.rkey,
 * });
 * const [wc] = WorkCompletion.array(1);
 * while (a.cq.poll([wc]) === 0);
 * console.log(wc.explain(), b.buffer.bytes[7]);
 * ```
 */
export function openTestPair(options: TestPairOptions = {}): TestPair {
  const { ports = 1, placement, config = {} } = options;
  const opened = openVerbs({
    ...config,
    ...(!('machine' in config) && {
      emulated: {
        devices: [{ ports }, { ports }],
        ...(placement !== undefined && { placement }),
        ...config.emulated,
      },
    }),
  });
  try {
    const a = makeEnd(opened.devices[0], options);
    const b = makeEnd(opened.devices[1] ?? opened.devices[0], options);
    return {
      openVerbs: opened,
      a,
      b,
      connect: (overrides) => connectPair(a.qp, b.qp, overrides),
      [Symbol.dispose]: () => opened[Symbol.dispose](),
    };
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

function makeEnd(device: Device, options: TestPairOptions): TestEnd {
  const { qpType = QpType.RC, cqe = CQE, bufferBytes = BUFFER_BYTES, access = ACCESS } = options;
  const context = device.open();
  const pd = context.allocPd();
  const channel = context.createCompChannel();
  const cq = context.createCq({ cqe, channel });
  const qp = pd.createQp({ sendCq: cq, recvCq: cq, qpType, cap: { ...CAP, ...options.cap } });
  const buffer = context.allocBuf(bufferBytes);
  const mr = pd.regMr(buffer, access);
  return { device, context, pd, channel, cq, qp, buffer, mr };
}
