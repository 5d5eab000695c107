/**
 * An open context on an HCA: the kernel half of the driver behind verbs' control operations.
 *
 * Handles are the device's own numbers: QPN, CQN, memory key, PD number.
 */
import type { Clock } from '@openverbs/machine';
import type {
  AhAttr,
  CqModerate,
  DeviceAttr,
  DeviceAttrEx,
  Gid,
  GidEntry,
  PortAttr,
  QpAttr,
  QpCap,
  SrqAttr,
} from '@openverbs/verbs';
import type {
  AhOps,
  ContextOps,
  CqExOps,
  CqExRequest,
  CqOps,
  CqRings,
  DirectAccessOps,
  DmaBufferOps,
  DmaMapping,
  EventSource,
  MrOps,
  MrRequest,
  MwOps,
  PhysMrRequest,
  QpOps,
  QpRequest,
  SrqModifyOps,
  SrqOps,
  XrcSrqRequest,
} from '@openverbs/verbs/driver';
import { CommandInterface } from '../command-interface.ts';
import { assertAlive } from '../device-faults.ts';
import type { Engine } from '../engine.ts';
import type { Hca } from '../hca.ts';
import { UarControl } from '../layout.ts';
import { reap } from '../reap.ts';
import { BufferTable } from './buffer-table.ts';
import { Datagrams } from './datagrams.ts';
import { deviceAttr, deviceAttrEx } from './device-attributes.ts';
import { HcaDirectAccess } from './direct-access.ts';
import { asVerbsError } from './errors.ts';
import { HcaCqs } from './hca-cqs.ts';
import { HcaEventSource } from './hca-event-source.ts';
import { HcaPorts } from './hca-ports.ts';
import { HcaQps } from './hca-qps.ts';
import { HcaRegions } from './hca-regions.ts';
import { HcaSrqs } from './hca-srqs.ts';
import { HcaXrcds } from './hca-xrcds.ts';
import { RingMemory } from './ring-memory.ts';
import { HcaUserHalf, userHalfHandle } from './user-half.ts';

export class HcaContext implements ContextOps {
  readonly events: EventSource;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #hca: Hca;
  readonly #commands: CommandInterface;
  readonly #uar: number;
  readonly #ports: HcaPorts;
  readonly #buffers: BufferTable;
  readonly #source: HcaEventSource;
  readonly #qps: HcaQps;
  readonly #srqs: HcaSrqs;
  readonly #cqs: HcaCqs;
  readonly #xrcds: HcaXrcds;
  readonly #direct: HcaDirectAccess;
  readonly #onClosed: (context: HcaContext) => void;
  readonly #regions: HcaRegions;
  readonly #pds = new Set<number>();
  readonly #datagrams: Datagrams;
  #lastTd = 0;

  constructor(engine: Engine, hca: Hca, clock: Clock, onClosed: (context: HcaContext) => void) {
    this.#engine = engine;
    this.#clock = clock;
    this.#hca = hca;
    this.#onClosed = onClosed;
    this.#commands = new CommandInterface(engine, hca);
    this.#ports = new HcaPorts(engine, hca);
    this.#uar = this.#withReaping(() => this.#commands.openUar());
    this.#datagrams = new Datagrams(engine, hca, this.#uar);
    this.#buffers = new BufferTable(engine.machine);
    const eq = engine.machine.i32[engine.uars.control(this.#uar) + UarControl.EQ];
    this.#source = new HcaEventSource(engine, clock, eq, hca.cqTable);
    this.events = this.#source;
    const { machine } = engine;
    const withReaping = <T>(allocate: () => T): T => this.#withReaping(allocate);
    const memory = { machine, commands: this.#commands, uar: this.#uar, buffers: this.#buffers, withReaping };
    this.#regions = new HcaRegions(memory);
    const register = (addr: number, bytes: number): number => this.#regions.registerRings(addr, bytes);
    const rings = new RingMemory(machine, this.#commands, register, withReaping);
    const user = new HcaUserHalf(engine, hca, this.#uar, engine.uars.pageOf(this.#uar), this.#buffers);
    const parts = { commands: this.#commands, uar: this.#uar, rings, user };
    this.#qps = new HcaQps(parts);
    this.#srqs = new HcaSrqs(parts);
    this.#cqs = new HcaCqs(parts);
    this.#xrcds = new HcaXrcds(this.#commands, this.#uar);
    const queues = { commands: this.#commands, rings, cqs: this.#cqs, qps: this.#qps, srqs: this.#srqs };
    this.#direct = new HcaDirectAccess(userHalfHandle(engine, hca, this.#uar), queues);
  }

  /** Destroys what is left, as the kernel does when a process closes the device, and gives the UAR back. */
  close(): void {
    asVerbsError(() => {
      this.#qps.destroyAll();
      this.#srqs.destroyAll();
      this.#xrcds.closeAll();
      this.#cqs.destroyAll();
      this.#direct.close();
      this.#regions.destroyAll();
      this.#datagrams.close();
      for (const pd of [...this.#pds]) this.deallocPd(pd);
      this.#source.close();
      this.#buffers.freeAll();
      this.#commands.closeUar(this.#uar);
    });
    this.#onClosed(this);
  }

  queryDevice(): DeviceAttr {
    this.#assertAlive();
    return deviceAttr(this.#hca);
  }

  queryDeviceEx(): Omit<DeviceAttrEx, 'origAttr'> {
    this.#assertAlive();
    return deviceAttrEx(this.#hca);
  }

  queryPort(port: number): PortAttr {
    return this.#ports.query(port);
  }

  queryGid(port: number, index: number): GidEntry {
    return this.#ports.queryGid(port, index);
  }

  queryPkey(port: number, index: number): number {
    return this.#ports.queryPkey(port, index);
  }

  queryHwCounters(port: number): Readonly<Record<string, number>> {
    return this.#ports.queryHwCounters(port);
  }

  allocBuf(length: number, alignment: number): DmaBufferOps {
    return this.#withReaping(() => this.#buffers.alloc(length, alignment));
  }

  freeBuf(buffer: number): void {
    asVerbsError(() => {
      this.#buffers.free(buffer);
    });
  }

  allocPd(): number {
    const pd = this.#withReaping(() => this.#commands.allocPd(this.#uar));
    this.#pds.add(pd);
    return pd;
  }

  /** A PD and its parent domains are one and the same to the device. */
  allocParentDomain(pd: number): number {
    return pd;
  }

  deallocParentDomain(): void {}

  /** Objects belong to one thread anyway. */
  allocTd(): number {
    return ++this.#lastTd;
  }

  deallocTd(): void {}

  deallocPd(pd: number): void {
    asVerbsError(() => {
      this.#commands.deallocPd(pd);
    });
    this.#pds.delete(pd);
  }

  allocNullMr(pd: number): MrOps {
    return this.#regions.nullRegion(pd);
  }

  regMr(request: MrRequest): MrOps {
    return this.#regions.reg(request);
  }

  reregMr(mr: number, _flags: number, request: MrRequest): MrOps {
    return this.#regions.rereg(mr, request);
  }

  mapDma(request: Pick<MrRequest, 'buffer' | 'offset' | 'view' | 'length'>): DmaMapping {
    return this.#regions.mapDma(request);
  }

  regPhysMr(request: PhysMrRequest): MrOps {
    return this.#regions.regPhys(request);
  }

  reregPhysMr(mr: number, _flags: number, request: PhysMrRequest): MrOps {
    return this.#regions.reregPhys(mr, request);
  }

  getDmaMr(pd: number, access: number): MrOps {
    return this.#regions.dma(pd, access);
  }

  getDmaMrOf(pd: number, access: number, owner: number): MrOps {
    return this.#regions.dmaOf(pd, access, owner);
  }

  deregMr(mr: number): void {
    this.#regions.dereg(mr);
  }

  allocMw(pd: number, type: number): MwOps {
    return this.#regions.allocWindow(pd, type);
  }

  deallocMw(mw: number): void {
    this.#regions.deallocWindow(mw);
  }

  createAh(pd: number, attr: AhAttr): AhOps {
    return this.#withReaping(() => this.#datagrams.createAh(pd, attr));
  }

  destroyAh(handle: number): void {
    this.#datagrams.destroyAh(handle);
  }

  attachMcast(qpn: number, gid: Gid): void {
    this.#datagrams.attach(this.#commands, qpn, gid);
  }

  detachMcast(qpn: number, gid: Gid): void {
    this.#datagrams.detach(this.#commands, qpn, gid);
  }

  createCq(attr: { readonly cqe: number; readonly compVector: number }): CqOps {
    return this.#cqs.create(attr);
  }

  createCqEx(request: CqExRequest): CqExOps {
    return { ...this.#cqs.create(request), wallclockOffsetNs: () => this.#clock.wallclockOffsetNs?.() ?? 0 };
  }

  queryRawClock(): number {
    this.#assertAlive();
    return this.#clock.nowNs();
  }

  resizeCq(cqn: number, cqe: number): { readonly cqe: number; readonly dataPath: CqRings } {
    return this.#cqs.resize(cqn, cqe);
  }

  modifyCq(cqn: number, { cqCount, cqPeriod }: CqModerate): void {
    this.#assertAlive();
    this.#cqs.modify(cqn, cqCount, cqPeriod);
  }

  destroyCq(cqn: number): void {
    this.#cqs.destroy(cqn);
  }

  directAccess(): DirectAccessOps {
    return this.#direct;
  }

  createQp(request: QpRequest): QpOps {
    return this.#qps.create(request);
  }

  openQp(xrcdn: number, qpNum: number): QpOps {
    return this.#withReaping(() => this.#qps.open(xrcdn, qpNum));
  }

  modifyQp(qpn: number, attr: QpAttr, mask: number): void {
    this.#assertAlive();
    this.#qps.modify(qpn, attr, mask);
  }

  queryQp(qpn: number): { readonly attr: Required<QpAttr>; readonly cap: QpCap } {
    this.#assertAlive();
    return this.#qps.query(qpn);
  }

  queryQpDataInOrder(_qpn: number, opcode: number): number {
    return this.#qps.dataInOrder(opcode);
  }

  destroyQp(qpn: number): void {
    this.#qps.destroy(qpn);
  }

  createSrq(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    return this.#srqs.create(pd, attr, xrc);
  }

  modifySrq(srqn: number, attr: Partial<SrqAttr>, mask: number): SrqModifyOps {
    this.#assertAlive();
    return this.#srqs.modify(srqn, attr, mask);
  }

  querySrq(srqn: number): SrqAttr {
    this.#assertAlive();
    return this.#srqs.query(srqn);
  }

  openXrcd(fd: number, oflags: number): number {
    return this.#xrcds.open(fd, oflags);
  }

  closeXrcd(xrcdn: number): void {
    this.#xrcds.close(xrcdn);
  }

  destroySrq(srqn: number): void {
    this.#srqs.destroy(srqn);
  }

  /** Runs an allocation; when it fails, threads that have ended may be the reason, so it is tried again behind them. */
  #withReaping<T>(allocate: () => T): T {
    this.#assertAlive();
    return asVerbsError(() => {
      try {
        return allocate();
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'ENOMEM' || reap(this.#engine) === 0) throw error;
        return allocate();
      }
    });
  }

  /** A device that has failed takes no command but those that end objects. */
  #assertAlive(): void {
    asVerbsError(() => {
      assertAlive(this.#engine, this.#hca);
    });
  }
}
