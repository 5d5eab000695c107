/** A device that only registers memory, and tells which regions it has. */
import { Device, VerbsError } from '@openverbs/verbs';
import type { Context, DeviceAttr, PortAttr } from '@openverbs/verbs';
import type { ContextOps, DeviceOps, EventDispatcherOps, MrRequest, RawEvent } from '@openverbs/verbs/driver';

/** Verbs addresses begin above 2^32, so that one which lost its high word is found out. */
const ADDR_BASE = 2 ** 40;
const MEMORY_BYTES = 2 ** 20;

/** The device, and what a test looks at and sets. */
export interface FakeDevice {
  readonly ops: DeviceOps;
  /** Live regions, by the provider's handle. */
  readonly regions: Map<number, MrRequest>;
  /** What was asked of it: `reg 4096+64`, `dereg 1`, `free 1`, `dealloc 1`, `close`. */
  readonly log: string[];
  /** Regions that it has room for. */
  maxMr: number;
  /** Refuses to deregister. */
  deregError: VerbsError | null;
  /** Events that the next look at the source finds. */
  readonly events: RawEvent[];
  /** Where the memory of its buffers lies. */
  readonly memory: ArrayBufferLike;
}

/** Makes one. Ops of `without` are left out. */
export function fakeDevice(without: readonly (keyof ContextOps)[] = [], anyMemory = true): FakeDevice {
  const memory = new SharedArrayBuffer(MEMORY_BYTES);
  const fake: Omit<FakeDevice, 'ops'> = {
    regions: new Map(),
    log: [],
    maxMr: 1000,
    deregError: null,
    events: [],
    memory,
  };
  const place = { next: 4096 };
  const ops: DeviceOps = {
    name: 'fake0',
    guid: 1n,
    nodeType: 1,
    transportType: 0,
    capabilities: { version: 1, supports: { memoryWindows: true, registersAnyMemory: anyMemory, asyncEvents: true } },
    open: () => leaveOut(new FakeContext(fake as FakeDevice, place), without),
  };
  return Object.assign(fake, { ops });
}

/** Opens the device, through `attach` where it is given. */
export function open(fake: FakeDevice, attach: (ops: DeviceOps) => DeviceOps = (ops) => ops): Context {
  return new Device(attach(fake.ops), 'fake', dispatcher).open();
}

/** A class with private fields, as real providers are. */
class FakeContext implements ContextOps {
  readonly events = {
    next: (event: RawEvent): boolean => {
      const oldest = this.#fake.events.shift();
      if (oldest !== undefined) Object.assign(event, oldest);
      return oldest !== undefined;
    },
    setInterruptHandler() {},
    hold() {},
    release() {},
  };
  readonly #fake: FakeDevice;
  readonly #place: { next: number };
  #handles = 0;

  constructor(fake: FakeDevice, place: { next: number }) {
    this.#fake = fake;
    this.#place = place;
  }
  close(): void {
    this.#fake.log.push('close');
  }
  queryDevice(): DeviceAttr {
    return { physPortCnt: 1, maxMrSize: MEMORY_BYTES, maxMr: this.#fake.maxMr } as DeviceAttr;
  }
  queryPort(): PortAttr {
    return {} as PortAttr;
  }
  allocBuf(length: number): { handle: number; addr: number; bytes: Uint8Array } {
    const offset = this.#place.next;
    this.#place.next += Math.ceil(length / 4096) * 4096;
    const bytes = new Uint8Array(this.#fake.memory, offset, length);
    return { handle: ++this.#handles, addr: ADDR_BASE + offset, bytes };
  }
  freeBuf(buffer: number): void {
    this.#fake.log.push(`free ${buffer}`);
  }
  allocPd(): number {
    return ++this.#handles;
  }
  deallocPd(pd: number): void {
    for (const region of this.#fake.regions.values()) {
      if (region.pd === pd) throw new VerbsError({ code: 'EBUSY', message: `PD ${pd} has regions` });
    }
    this.#fake.log.push(`dealloc ${pd}`);
  }
  allocParentDomain(pd: number): number {
    return pd;
  }
  deallocParentDomain(): void {}
  regMr(request: MrRequest): { handle: number; lkey: number; rkey: number; addr: number } {
    const { regions, maxMr, log } = this.#fake;
    if (regions.size >= maxMr) throw new VerbsError({ code: 'ENOMEM', message: `all ${maxMr} regions are in use` });
    const handle = ++this.#handles;
    regions.set(handle, request);
    const { byteOffset, byteLength } = request.view;
    log.push(`reg ${byteOffset}+${byteLength}`);
    return { handle, lkey: handle << 8, rkey: (handle << 8) | 1, addr: ADDR_BASE + byteOffset };
  }
  reregMr(
    mr: number,
    _flags: number,
    request: MrRequest,
  ): { handle: number; lkey: number; rkey: number; addr: number } {
    this.#fake.log.push(`rereg ${mr}`);
    this.#fake.regions.set(mr, request);
    return { handle: mr, lkey: mr << 8, rkey: (mr << 8) | 1, addr: ADDR_BASE + request.view.byteOffset };
  }
  deregMr(mr: number): void {
    const { deregError, regions, log } = this.#fake;
    if (deregError !== null) throw deregError;
    if (!regions.delete(mr)) throw new VerbsError({ code: 'EINVAL', message: `there is no region ${mr}` });
    log.push(`dereg ${mr}`);
  }
}

function leaveOut(ops: ContextOps, without: readonly (keyof ContextOps)[]): ContextOps {
  for (const name of without) Object.defineProperty(ops, name, { value: undefined });
  return ops;
}

/** Takes events when it is asked to. */
const dispatcher: EventDispatcherOps = {
  attach: (source) => ({
    dropped: 0,
    add() {},
    remove() {},
    hold() {},
    release() {},
    detach() {},
    dispatch() {
      const event: RawEvent = { type: 0, id: 0 };
      while (source.next(event));
    },
  }),
};
