/** A provider in memory: everything that `verbs` calls, over {@link FakeDevice}. */
import type { CqModerate, DeviceAttr, DeviceAttrEx, PortAttr } from '../../src/attributes/device.ts';
import type { QpAttr, QpCap, SrqAttr } from '../../src/attributes/qp.ts';
import { type Context } from '../../src/context.ts';
import { Device } from '../../src/device.ts';
import type { CapabilityName } from '../../src/driver/capabilities.ts';
import type {
  ContextOps,
  CqExOps,
  CqExRequest,
  CqOps,
  DeviceOps,
  DmaBufferOps,
  MrOps,
  MrRequest,
  MwOps,
  QpOps,
  QpRequest,
  SrqModifyOps,
  SrqOps,
} from '../../src/driver/device-ops.ts';
import type { EventSource, RawEvent } from '../../src/driver/events.ts';
import { GidType } from '../../src/enums/gid-type.ts';
import { QpAttrMask, QpState, QpType } from '../../src/enums/qp.ts';
import { WrOpcode } from '../../src/enums/wr.ts';
import { VerbsError } from '../../src/errors.ts';
import { Gid, type GidEntry } from '../../src/gid.ts';
import { FakeDevice, type FakeQp } from './fake-device.ts';
import { FakeDispatcher, type FakeRouting } from './fake-dispatcher.ts';
import { ADDR_BASE } from './fake-memory.ts';
import { allocateQpRings, FakeCq, setQpState } from './fake-rings.ts';

/** Limits of the fake device. */
export const DEVICE_ATTR = {
  fwVer: '0.0.1',
  nodeGuid: 0x0202_c9ff_fe00_0001n,
  sysImageGuid: 0x0202_c9ff_fe00_0001n,
  maxMrSize: 2 ** 32,
  physPortCnt: 2,
  maxQpWr: 256,
  maxSge: 4,
  maxCqe: 1024,
  maxQpRdAtom: 8,
  maxQpInitRdAtom: 4,
  maxSrqWr: 64,
  maxSrqSge: 2,
} as DeviceAttr;

/** Both ports. */
export const PORT_ATTR = {
  state: 4,
  maxMtu: 5,
  activeMtu: 3,
  gidTblLen: 2,
  pkeyTblLen: 2,
  lid: 0,
  linkLayer: 2,
} as PortAttr;

const CAPABILITIES: readonly CapabilityName[] = [
  ...(['rc', 'uc', 'ud', 'srq', 'multicast', 'resizeCq'] as const),
  ...(['completionEvents', 'asyncEvents', 'sqDrain'] as const),
  'pathMigration',
];
const OPCODES_RC = 0x3ff | (1 << WrOpcode.FLUSH) | (1 << WrOpcode.ATOMIC_WRITE);
const OPCODES_UC = (1 << WrOpcode.RDMA_WRITE) | (1 << WrOpcode.RDMA_WRITE_WITH_IMM) | 0b1100;
const OPCODES_UD = (1 << WrOpcode.SEND) | (1 << WrOpcode.SEND_WITH_IMM);

/** The operations of a context, and the calls that came. */
export class FakeContextOps implements ContextOps {
  readonly device = new FakeDevice();
  readonly cqs = new Map<number, FakeCq>();
  readonly qps = new Map<number, FakeQp>();
  /** Names of the operations that were called, with the handle. */
  readonly calls: string[] = [];
  /** What the next call of an operation throws. */
  readonly failures = new Map<string, VerbsError>();
  lastMrRequest: MrRequest | undefined;
  lastReregFlags = 0;
  lastCqEx: CqExRequest | undefined;
  lastModify: { attr: QpAttr; mask: number } | undefined;
  holds = 0;
  #handles = 0;
  readonly #raw: RawEvent[] = [];
  #interrupt: (() => void) | null = null;

  readonly events: EventSource = {
    next: (event) => {
      const first = this.#raw.shift();
      if (first === undefined) return false;
      Object.assign(event, first);
      return true;
    },
    setInterruptHandler: (handler) => {
      this.#interrupt = handler;
    },
    hold: () => this.holds++,
    release: () => this.holds--,
  };

  /** Raises an event, with or without the interrupt. */
  raise(type: number, id: number, interrupt = true): void {
    this.#raw.push({ type, id });
    if (interrupt) this.#interrupt?.();
  }

  close(): void {
    this.#called('close');
  }
  queryDevice(): DeviceAttr {
    return DEVICE_ATTR;
  }
  queryDeviceEx(): Omit<DeviceAttrEx, 'origAttr'> {
    return { cqModCaps: { maxCqCount: 100, maxCqPeriod: 1000 }, hcaCoreClock: 1e6 } as DeviceAttrEx;
  }
  queryPort(): PortAttr {
    return PORT_ATTR;
  }
  queryGid(portNum: number, gidIndex: number): GidEntry {
    const gid = gidIndex === 0 ? Gid.parse(`fe80::${portNum}`) : Gid.parse(`10.0.0.${portNum}`);
    return { gid, gidIndex, portNum, gidType: gidIndex === 0 ? GidType.ROCE_V1 : GidType.ROCE_V2, ndevIfindex: 0 };
  }
  queryPkey(): number {
    return 0xffff;
  }

  allocBuf(length: number, alignment: number): DmaBufferOps {
    const offset = this.device.memory.alloc(length, alignment);
    const bytes = this.device.memory.u8.subarray(offset, offset + length);
    return { handle: this.#called('allocBuf'), addr: ADDR_BASE + offset, bytes };
  }
  freeBuf(handle: number): void {
    this.#called('freeBuf', handle);
  }
  allocPd(): number {
    return this.#called('allocPd');
  }
  allocTd(): number {
    return this.#called('allocTd');
  }
  deallocTd(handle: number): void {
    this.#called('deallocTd', handle);
  }
  allocParentDomain(pd: number): number {
    this.#called('allocParentDomain', pd);
    return pd;
  }
  deallocParentDomain(handle: number): void {
    this.#called('deallocParentDomain', handle);
  }
  deallocPd(handle: number): void {
    this.#called('deallocPd', handle);
  }
  regMr(request: MrRequest): MrOps {
    this.lastMrRequest = request;
    const handle = this.#called('regMr');
    const addr = ADDR_BASE + request.view.byteOffset;
    return { handle, addr, lkey: (handle << 8) | 1, rkey: ((handle << 8) | 2) >>> 0 };
  }
  reregMr(handle: number, flags: number, request: MrRequest): MrOps {
    this.lastMrRequest = request;
    this.#called('reregMr', handle);
    this.lastReregFlags = flags;
    const key = ((handle << 8) | 0x77) >>> 0;
    return { handle, addr: ADDR_BASE + request.view.byteOffset, lkey: key, rkey: key };
  }
  allocMw(): MwOps {
    const handle = this.#called('allocMw');
    return { handle: (handle << 8) | 5, rkey: (handle << 8) | 5 };
  }
  deallocMw(handle: number): void {
    this.#called('deallocMw', handle);
  }
  allocNullMr(): MrOps {
    const handle = this.#called('allocNullMr');
    return { handle, addr: 0, lkey: (handle << 8) | 1, rkey: 0 };
  }
  deregMr(handle: number): void {
    this.#called('deregMr', handle);
  }

  createCq({ cqe }: { cqe: number }): CqOps {
    const handle = this.#called('createCq');
    const cq = new FakeCq(this.device.memory, handle, cqe, this.device, (id) => this.raise(-1, id));
    this.cqs.set(handle, cq);
    return { handle, cqe: cq.entries, dataPath: cq.rings };
  }
  createCqEx(request: CqExRequest): CqExOps {
    this.lastCqEx = request;
    return { ...this.createCq(request), wallclockOffsetNs: () => 1e18 };
  }
  queryRawClock(): number {
    return 12345;
  }
  modifyCq(handle: number, moderate: CqModerate): void {
    this.#called(`modifyCq ${moderate.cqCount} ${moderate.cqPeriod}`, handle);
  }
  destroyCq(handle: number): void {
    this.#called('destroyCq', handle);
  }
  resizeCq(handle: number, cqe: number): { cqe: number; dataPath: CqOps['dataPath'] & { kind: 'rings' } } {
    this.#called('resizeCq', handle);
    const cq = this.cqs.get(handle)!;
    const dataPath = cq.resize(cqe);
    return { cqe: cq.entries, dataPath };
  }

  createQp(request: QpRequest): QpOps {
    const handle = this.#called('createQp');
    const { maxSendWr, maxRecvWr, maxSendSge, maxRecvSge, maxInlineData } = request.cap;
    const type = request.qpType as QpType;
    const sendOpcodes = type === QpType.UD ? OPCODES_UD : type === QpType.UC ? OPCODES_UC : OPCODES_RC;
    const qpNum = 0x1000 + handle;
    const limits = { qpNum, maxSendWr, maxRecvWr, maxSendSge, maxRecvSge, maxInlineData, sendOpcodes };
    const rings = allocateQpRings(this.device.memory, this.device, limits);
    const [sendCq, recvCq] = [this.cqs.get(request.sendCq)!, this.cqs.get(request.recvCq)!];
    const qp = { handle, rings, sendCq, recvCq, destQpNum: 0, sqDone: 0, rqDone: 0 };
    this.qps.set(handle, qp);
    this.device.qps.set(qpNum, qp);
    return { handle, qpNum, cap: request.cap, dataPath: rings };
  }
  modifyQp(handle: number, attr: QpAttr, mask: number): void {
    this.#called('modifyQp', handle);
    this.lastModify = { attr, mask };
    const qp = this.qps.get(handle)!;
    if ((mask & QpAttrMask.DEST_QPN) !== 0) qp.destQpNum = attr.destQpNum!;
    if ((mask & QpAttrMask.STATE) === 0) return;
    setQpState(qp.rings, attr.qpState!);
    if (attr.qpState === QpState.RESET) qp.sqDone = qp.rqDone = 0;
    if (attr.qpState === QpState.ERR) this.device.run(qp.rings.qpNum);
  }
  queryQp(handle: number): { attr: Required<QpAttr>; cap: QpCap } {
    this.#called('queryQp', handle);
    const { rings } = this.qps.get(handle)!;
    const attr = { qpState: rings.i32[(rings.doorbellRecordAddr >>> 2) + 32] } as Required<QpAttr>;
    return { attr, cap: rings };
  }
  destroyQp(handle: number): void {
    this.#called('destroyQp', handle);
  }

  createAh(): { handle: number } {
    return { handle: this.#called('createAh') };
  }
  destroyAh(handle: number): void {
    this.#called('destroyAh', handle);
  }
  attachMcast(handle: number): void {
    this.#called('attachMcast', handle);
  }
  detachMcast(handle: number): void {
    this.#called('detachMcast', handle);
  }

  createSrq(_pd: number, attr: SrqAttr): SrqOps {
    const dataPath = { kind: 'calls' as const, badWrIndex: 0, postRecv: () => 0 };
    return { handle: this.#called('createSrq'), maxWr: attr.maxWr, maxSge: attr.maxSge, dataPath };
  }
  modifySrq(handle: number, attr: Partial<SrqAttr>): SrqModifyOps {
    this.#called('modifySrq', handle);
    return { maxWr: attr.maxWr ?? 8 };
  }
  querySrq(handle: number): SrqAttr {
    this.#called('querySrq', handle);
    return { maxWr: 16, maxSge: 1, srqLimit: 0 };
  }
  destroySrq(handle: number): void {
    this.#called('destroySrq', handle);
  }

  #called(name: string, handle?: number): number {
    const failure = this.failures.get(name);
    this.failures.delete(name);
    if (failure !== undefined) throw failure;
    this.calls.push(handle === undefined ? name : `${name} ${handle}`);
    return ++this.#handles;
  }
}

/** An open fake device. */
export interface Fake {
  readonly ops: FakeContextOps;
  readonly device: Device;
  readonly context: Context;
  readonly routing: FakeRouting;
}

/** Opens a fake device, with some operations left out and some capabilities added. */
export function openFake(
  options: {
    readonly without?: readonly (keyof ContextOps)[];
    readonly supports?: readonly CapabilityName[];
    readonly lacks?: readonly CapabilityName[];
  } = {},
): Fake {
  const ops = new FakeContextOps();
  for (const name of options.without ?? []) Object.defineProperty(ops, name, { value: undefined });
  const { supports = [], lacks = [] } = options;
  const names = [...CAPABILITIES, ...supports].filter((name) => !lacks.includes(name));
  const deviceOps: DeviceOps = {
    name: 'fake0',
    guid: DEVICE_ATTR.nodeGuid,
    nodeType: 1,
    transportType: 0,
    capabilities: { version: 1, supports: Object.fromEntries(names.map((name) => [name, true])) },
    open: () => ops,
  };
  const dispatcher = new FakeDispatcher();
  const device = new Device(deviceOps, 'fake', dispatcher);
  const context = device.open();
  return { ops, device, context, routing: dispatcher.routings[0] };
}

/** The error of a call that has to fail. */
export function errorOf(call: () => unknown): VerbsError {
  try {
    call();
  } catch (error) {
    if (VerbsError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
