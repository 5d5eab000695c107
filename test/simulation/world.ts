/** What a program runs on: HCAs under a virtual clock, with memory, keys and completion queues. */
import { Counters, Engine } from '@openverbs/hca';
import type { Hca } from '@openverbs/hca';
import { Machine, VirtualClock, Xoshiro128 } from '@openverbs/machine';
import type { MachineHandle, PageStats } from '@openverbs/machine';
import { AccessFlags, openVerbs } from 'openverbs';
import type {
  AsyncEvent,
  CompletionChannel,
  CompletionQueue,
  Context,
  DmaBuffer,
  MemoryRegion,
  OpenVerbs,
  ProtectionDomain,
  QueuePair,
  XrcDomain,
} from 'openverbs';
import type { Placement } from './placement.ts';
import { PKEYS } from './program.ts';
import type { CqPlan, Program } from './program.ts';
import { Deviation } from './record.ts';
import { SharedReceives } from './shared-receives.ts';
import { Traffic, watch } from './traffic.ts';

/** Pages cost only when they are touched. */
const MEMORY_BYTES = 2 ** 30;
const START_NS = 1e9;
/** Counters of each device. */
export const COUNTERS = 4;
const COUNTERS_BYTES = 4096;
/** Of each device; the second one is for alternate paths. */
export const PORTS = 2;
const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, FLUSH_GLOBAL, MW_BIND } = AccessFlags;
const ALL = LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC | FLUSH_GLOBAL | MW_BIND;

/** One HCA, opened. */
export interface Device {
  readonly name: string;
  readonly context: Context;
  readonly pd: ProtectionDomain;
  /** Where atomics go. */
  readonly counters: MemoryRegion;
  readonly countersBuffer: DmaBuffer;
  /** A key that was one. */
  readonly staleKey: number;
}

/** Memory of an end. */
export interface Region {
  readonly buffer: DmaBuffer;
  mr: MemoryRegion;
  /** A key that it had before. */
  staleKey: number | null;
  /** The same memory for nobody but its owner. */
  readonly locked: MemoryRegion;
}

/** A completion queue, and where its events come. */
export interface Queue {
  readonly plan: CqPlan;
  readonly cq: CompletionQueue;
  readonly channel: CompletionChannel;
}

export class World {
  readonly clock = new VirtualClock(START_NS);
  readonly traffic = new Traffic();
  readonly verbs: OpenVerbs;
  readonly devices: readonly Device[];
  readonly regions: readonly Region[];
  readonly queues: readonly Queue[];
  readonly shared: readonly SharedReceives[];
  /** By device: of those that have XRC SRQs. */
  readonly xrcds: ReadonlyMap<number, XrcDomain>;
  /** Counts posts and completions. */
  moment = 0;
  /** Called for each asynchronous event. */
  onEvent: (event: AsyncEvent) => void = () => undefined;
  /** A second look at the devices. */
  readonly #engine: Engine;
  readonly #machine: Machine;
  readonly #idle: CompletionQueue;
  readonly #draining = new Set<QueuePair>();
  readonly #armed = new Set<QueuePair>();
  readonly #unheard = new Set<QueuePair>();
  /** Of the machine before any object was made. */
  readonly #firstStats: PageStats;
  readonly #firstCounters: readonly (readonly bigint[])[];

  constructor(program: Program, placement: Placement) {
    watch(this.traffic);
    this.verbs = openVerbs({
      use: { clock: this.clock, prng: new Xoshiro128(program.seed) },
      emulated: {
        devices: Array.from({ length: program.devices }, () => ({ pkeys: PKEYS, ports: PORTS })),
        placement: 'inline',
        memoryBytes: MEMORY_BYTES,
        ...(program.packets && { faults: { seed: program.seed } }),
      },
    });
    this.#machine = Machine.attach(this.verbs.machine as MachineHandle);
    this.#engine = new Engine(this.#machine, 'inline', this.clock);
    this.#firstStats = this.#machine.pages.stats();
    const prng = new Xoshiro128(program.seed ^ 0x5bd1e995);
    this.devices = this.verbs.devices.map((device) => makeDevice(device.name, device.open(), prng));
    this.regions = program.connections.flatMap(({ ends }, connection) =>
      ends.map(({ device }, side) =>
        this.#makeRegion(this.devices[device], placement.bytes[connection * 2 + side], prng),
      ),
    );
    const own = this.regions.length;
    const { srqs = [], sockets = [] } = program;
    this.regions = [
      ...this.regions,
      ...[...srqs, ...sockets].map(({ device }, n) =>
        this.#makeRegion(this.devices[device], placement.bytes[own + n], prng),
      ),
    ];
    this.queues = program.cqs.map((plan, index) => this.#makeQueue(program, plan, index));
    const extended = srqs.filter(({ cq }) => cq !== undefined).map(({ device }) => device);
    this.xrcds = new Map([...new Set(extended)].map((device) => [device, this.devices[device].context.openXrcd()]));
    this.shared = srqs.map((plan, srq) => {
      const { device, cq } = plan;
      const xrc = cq === undefined ? undefined : { xrcd: this.xrcds.get(device)!, cq: this.queues[cq].cq };
      return new SharedReceives(
        this.devices[device].pd,
        plan,
        srq,
        this.regions[own + srq],
        placement.shared[srq],
        xrc,
      );
    });
    const indices = Array.from({ length: COUNTERS }, (_, index) => index);
    this.#firstCounters = this.devices.map((_, device) => indices.map((index) => this.counter(device, index)));
    this.#idle = this.devices[0].context.createCq({ cqe: 1 });
  }

  /** When the devices have to do something next; Infinity for never. */
  get nextDeadlineNs(): number {
    return this.#engine.timers.earliestNs;
  }

  /** Lets the devices do what is due: what an empty poll does. */
  idle(): void {
    this.#idle.poll([]);
  }

  /** Takes all asynchronous events of a device. */
  ackEvents({ context }: Device): void {
    for (let event = context.tryGetAsyncEvent(); event !== null; event = context.tryGetAsyncEvent()) {
      context.ackAsyncEvent(event);
      this.onEvent(event);
    }
  }

  /** Expects the event that a send queue is drained; answers whether it came. */
  expectDrained(qp: QueuePair): () => boolean {
    this.#draining.add(qp);
    return () => !this.#draining.has(qp);
  }

  /** Takes note of that event; whether it was expected. */
  drained(qp: QueuePair): boolean {
    return this.#draining.delete(qp);
  }

  /**
   * Expects that a queue pair goes over to its alternate path, once or never. It may be asked to in vain, once, if the two ends are of
   * different partitions and don't hear each other.
   */
  expectMigration(qp: QueuePair, isHeard: boolean): void {
    this.#armed.add(qp);
    if (!isHeard) this.#unheard.add(qp);
  }

  /** Takes note that it has; whether that was expected. */
  migrated(qp: QueuePair): boolean {
    this.traffic.count('RC PATH_MIG');
    return this.#armed.delete(qp);
  }

  /** Takes note that it can't follow its peer; whether that was expected. */
  refused(qp: QueuePair): boolean {
    this.traffic.count('RC PATH_MIG_ERR');
    return this.#unheard.delete(qp);
  }

  /** The devices themselves. */
  get hcas(): readonly Hca[] {
    return this.#engine.hcas;
  }

  /** What each device has counted. */
  get counters(): readonly Readonly<Record<string, number>>[] {
    const counters = new Counters(this.#machine);
    return this.hcas.map(({ header }) => counters.read(header));
  }

  /** Frames under way. */
  get framesUnderWay(): number {
    return this.#engine.faults?.frames.count ?? 0;
  }

  /** Memory as it is. */
  get contents(): readonly Uint8Array[] {
    return this.regions.map(({ buffer }) => buffer.bytes);
  }

  /** A counter of a device. */
  counter(device: number, index: number): bigint {
    const { bytes } = this.devices[device].counters;
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(index * 8, true);
  }

  /** The same, before the program began. */
  firstCounter(device: number, index: number): bigint {
    return this.#firstCounters[device][index];
  }

  /** Address of a counter. */
  counterAddr(device: number, index: number): number {
    return this.devices[device].counters.addr + index * 8;
  }

  /** Whether messages travel as packets. */
  get hasFaults(): boolean {
    return this.#engine.faults !== null;
  }

  /** Ends everything, strictly, and expects that nothing is left. The queue pairs must have been destroyed. */
  close(): void {
    for (const { srq } of this.shared) srq.destroy();
    for (const xrcd of this.xrcds.values()) xrcd.close();
    for (const { cq, channel } of this.queues) {
      cq.destroy();
      channel.destroy();
    }
    this.#idle.destroy();
    for (const { mr, locked, buffer } of this.regions) {
      locked.dereg();
      mr.dereg();
      buffer.free();
    }
    for (const device of this.devices) {
      device.counters.dereg();
      device.countersBuffer.free();
      device.pd.dealloc();
      this.ackEvents(device);
      device.context.close();
    }
    const left = this.hcas.flatMap(({ name, objects }) =>
      Object.entries(objects).map(([kind, count]) => ({ name, kind, count })),
    );
    const leak = left.find(({ count }) => count !== 0);
    if (leak !== undefined) throw new Deviation('leak', `${leak.count} ${leak.kind} of ${leak.name} are left`);
    if (this.framesUnderWay !== 0) throw new Deviation('leak', `${this.framesUnderWay} frames are under way`);
    this.#checkPages();
    this.verbs.close();
    this.#machine.detach();
  }

  /** All memory of the machine is back: pages of rings, of contexts, of the regions of users. */
  #checkPages(): void {
    const { buffers, usedBytes } = this.#machine.pages.stats();
    const { buffers: buffersBefore, usedBytes: bytesBefore } = this.#firstStats;
    if (buffers === buffersBefore && usedBytes === bytesBefore) return;
    const text = `${buffers} buffers of ${usedBytes} bytes instead of ${buffersBefore} of ${bytesBefore} are in use`;
    throw new Deviation('leak', text);
  }

  /** Ends everything, whatever state it is in. */
  dispose(): void {
    this.verbs[Symbol.dispose]();
    this.#machine.detach();
  }

  #makeRegion({ context, pd }: Device, bytes: number, prng: Xoshiro128): Region {
    const buffer = context.allocBuf(bytes);
    fill(buffer.bytes, prng);
    return { buffer, mr: pd.regMr(buffer, ALL), staleKey: null, locked: pd.regMr(buffer, LOCAL_WRITE) };
  }

  /** Room for all that the queue pairs which use it can complete. */
  #makeQueue({ connections, srqs = [], sockets = [] }: Program, plan: CqPlan, index: number): Queue {
    const { context } = this.devices[plan.device];
    const channel = context.createCompChannel();
    let cqe = 1;
    for (const end of connections.flatMap(({ ends }) => ends)) {
      if (end.sendCq === index) cqe += 2 * end.maxSendWr;
      if (end.recvCq === index) cqe += 2 * Math.max(end.maxRecvWr, end.srq === undefined ? 0 : srqs[end.srq].maxWr);
    }
    for (const { cq, maxWr } of srqs) if (cq === index) cqe += 2 * maxWr;
    for (const socket of sockets) {
      if (socket.sendCq === index) cqe += 2 * socket.maxSendWr;
      if (socket.recvCq === index) cqe += 2 * socket.maxRecvWr;
    }
    return { plan, channel, cq: context.createCq({ cqe, channel }) };
  }
}

/** Registers the memory of a region again, or changes its registration: its keys are others afterwards. */
export function registerAgain({ pd }: Device, region: Region, how: 'anew' | 'again'): void {
  const { mr, buffer } = region;
  const { rkey } = mr;
  if (how === 'again') mr.rereg({ memory: buffer, access: ALL });
  else {
    mr.dereg();
    region.mr = pd.regMr(buffer, ALL);
  }
  region.staleKey = region.mr.rkey === rkey ? null : rkey;
}

function makeDevice(name: string, context: Context, prng: Xoshiro128): Device {
  const pd = context.allocPd();
  const countersBuffer = context.allocBuf(COUNTERS_BYTES);
  fill(countersBuffer.bytes.subarray(0, COUNTERS * 8), prng);
  const gone = pd.regMr(countersBuffer, ALL);
  const staleKey = gone.rkey;
  gone.dereg();
  return { name, context, pd, counters: pd.regMr(countersBuffer, ALL), countersBuffer, staleKey };
}

function fill(bytes: Uint8Array, prng: Xoshiro128): void {
  for (let n = 0; n < bytes.length; n += 4) {
    const word = prng.nextUint32();
    for (let k = 0; k < 4 && n + k < bytes.length; k++) bytes[n + k] = word >>> (8 * k);
  }
}
