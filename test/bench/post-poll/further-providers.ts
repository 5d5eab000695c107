/**
 * More providers for one process. What a program pays for them is not their own work but that V8 finds several classes where it
 * found one: a doorbell, or a data path, of each provider.
 *
 * Each stands on an emulated HCA of its own and passes everything on, by one of the two data paths that a provider can have. Every
 * one has classes of its own, as the code of another author would.
 */
import { provider as emulated } from '@openverbs/provider-emulated';
import type { RecvWr, SendWr, WorkCompletion } from '@openverbs/verbs';
import { defineProvider } from '@openverbs/verbs/driver';
import type {
  ContextOps,
  CqCalls,
  CqOps,
  CqRings,
  DeviceOps,
  Doorbell,
  ProviderDefinition,
  QpCalls,
  QpOps,
  QpRings,
} from '@openverbs/verbs/driver';
import { QpSlots, QpTable, RingCompletionQueue, RingRecvQueue, RingSendQueue } from '@openverbs/verbs/rings';

/** A small machine is enough for two queue pairs. */
const MEMORY_BYTES = 128 * 2 ** 20;
const QP_TYPE_RC = 2;

/** How a provider wraps the data paths of its lower device. */
interface Wrapping {
  wrapQp(ops: QpOps, sqSigAll: boolean): QpOps;
  wrapCq(ops: CqOps): CqOps;
}

/** `count` providers: of the `rings` kind and of the `calls` kind by turns. */
export function furtherProviders(count: number): ProviderDefinition[] {
  return Array.from({ length: count }, (_, index) =>
    index % 2 === 0 ? furtherProvider(`rings${index}`, ringsWrapping) : furtherProvider(`calls${index}`, callsWrapping),
  );
}

function furtherProvider(name: string, makeWrapping: () => () => Wrapping): ProviderDefinition {
  const wrapping = makeWrapping();
  return defineProvider({
    name,
    driverAbi: emulated.driverAbi,
    parseConfig: () => emulated.parseConfig({ devices: [{ name: `${name}-0` }], memoryBytes: MEMORY_BYTES }),
    open(environment, config) {
      const instance = emulated.open({ ...environment, machine: undefined }, config);
      return {
        devices: instance.devices.map((device) => wrapDevice(device, wrapping)),
        machine: undefined,
        close: () => {
          instance.close();
        },
      };
    },
  });
}

function wrapDevice(device: DeviceOps, wrapping: () => Wrapping): DeviceOps {
  const { name, guid, nodeType, transportType, capabilities } = device;
  return {
    name,
    guid,
    nodeType,
    transportType,
    capabilities,
    open: () => wrapContext(device.open(), wrapping()),
  };
}

/** The lower context, but for the two operations that hand out data paths. */
function wrapContext(lower: ContextOps, wrapping: Wrapping): ContextOps {
  const ops: ContextOps = {
    createCq: (attr) => wrapping.wrapCq(lower.createCq!(attr)),
    createQp: (request) => wrapping.wrapQp(lower.createQp!(request), request.sqSigAll),
  } as ContextOps;
  return new Proxy(ops, {
    get(target, key: keyof ContextOps) {
      if (key in target) return target[key];
      const value: unknown = lower[key];
      return typeof value === 'function' ? (value.bind(lower) as unknown) : value;
    },
  });
}

/** A provider with the ring layout: `verbs` works on the rings, the provider is called for its doorbell. */
function ringsWrapping(): () => Wrapping {
  class FurtherDoorbell implements Doorbell {
    private readonly lower: Doorbell;
    private rings = 0;

    constructor(lower: Doorbell) {
      this.lower = lower;
    }

    ringSq(qpNum: number): void {
      this.rings = (this.rings + 1) | 0;
      this.lower.ringSq(qpNum);
    }

    ringRq(qpNum: number): void {
      this.lower.ringRq(qpNum);
    }

    inlineSource(addr: number, length: number): number {
      return this.lower.inlineSource(addr, length);
    }

    idle(): void {
      this.lower.idle();
    }
  }
  return () => ({
    wrapQp: (ops) => {
      const path = ops.dataPath as QpRings;
      return { ...ops, dataPath: { ...path, doorbell: new FurtherDoorbell(path.doorbell) } };
    },
    wrapCq: (ops) => {
      const path = ops.dataPath as CqRings;
      return { ...ops, dataPath: { ...path, doorbell: new FurtherDoorbell(path.doorbell) } };
    },
  });
}

/** A provider that takes each post and each poll whole. */
function callsWrapping(): () => Wrapping {
  class FurtherQp implements QpCalls {
    readonly kind = 'calls';
    badWrIndex = 0;
    private readonly send: RingSendQueue;
    private readonly recv: RingRecvQueue;

    constructor(send: RingSendQueue, recv: RingRecvQueue) {
      this.send = send;
      this.recv = recv;
    }

    postSend(wr: SendWr): number {
      const errno = this.send.post(wr);
      if (errno !== 0) this.badWrIndex = this.send.badWrIndex;
      return errno;
    }

    postRecv(wr: RecvWr): number {
      const errno = this.recv.post(wr);
      if (errno !== 0) this.badWrIndex = this.recv.badWrIndex;
      return errno;
    }
  }
  class FurtherCq implements CqCalls {
    readonly kind = 'calls';
    private readonly lower: RingCompletionQueue;

    constructor(lower: RingCompletionQueue) {
      this.lower = lower;
    }

    poll(wcs: WorkCompletion[], limit: number): number {
      return this.lower.poll(wcs, limit);
    }

    reqNotify(solicitedOnly: boolean): void {
      this.lower.reqNotify(solicitedOnly);
    }
  }
  return () => {
    const qps = new QpTable();
    return {
      wrapQp: (ops, sqSigAll) => {
        const path = ops.dataPath as QpRings;
        const send = new RingSendQueue(path, QP_TYPE_RC, sqSigAll, null);
        const recv = new RingRecvQueue(path);
        send.setReady(true); // the benchmark posts in RTS only
        recv.setReady(true);
        qps.add(new QpSlots(path.qpNum, send.slots, recv.slots, null));
        return { ...ops, dataPath: new FurtherQp(send, recv) };
      },
      wrapCq: (ops) => ({ ...ops, dataPath: new FurtherCq(new RingCompletionQueue(ops.dataPath as CqRings, qps)) }),
    };
  };
}
