/**
 * The command interface: what only the kernel half of the driver may do, after mthca's commands.
 *
 * Each command checks its arguments, then changes the tables so that the word which makes an entry exist is stored last (and
 * cleared first), because its thread may die in between. All run under the machine's lock.
 */
import { OWNER_IOMEM, PAGE_BYTES } from '@openverbs/machine';
import { CQ_DOORBELL_RECORD_BYTES, CQE_BYTES, QP_DOORBELL_RECORD_BYTES } from '@openverbs/verbs/rings';
import { checkCqSize, checkModeration, checkPageOwner, checkQpInit } from './command-checks.ts';
import type { CqInit, OwnedRegionInit, QpInit, RegionInit, RegionPlace, WindowInit } from './command-init.ts';
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import { EQ_BYTES } from './event-queue.ts';
import { freeCq, freeMpt, freeUar } from './free-objects.ts';
import type { Hca } from './hca.ts';
import { allocWords } from './hca.ts';
import { Cqc, CqcState, Eqc, HcaHeader, Mpt, MptKind, Qpc, QpcState, QpcType, Srqc, UarControl } from './layout.ts';
import { CQS_LOG2, CQS_MAX, MPTS_MAX, QPS_LOG2, QPS_MAX, UARS_MAX } from './limits.ts';
import { moveCq } from './move-cq.ts';
import { MULTICAST_QPN } from './multicast.ts';
import { allocTransportContext } from './packets/transport-context.ts';
import { leaveQp, openQp, type QpOpenInit } from './qp-openings.ts';
import {
  changeRegion,
  checkChange,
  checkUnpinned,
  enterNullRegion,
  enterOwnedRegion,
  enterRegion,
  enterWindow,
  windowEntry,
} from './region-commands.ts';
import { SrqCommands } from './srq-commands.ts';
import { XrcdCommands } from './xrcd-commands.ts';

const { XRC_SEND, XRC_RECV } = QpcType;
const GENERATION_MAX = 255;

export class CommandInterface {
  readonly engine: Engine;
  readonly hca: Hca;
  readonly srqs: SrqCommands;
  readonly xrcds: XrcdCommands;
  readonly #i32: Int32Array;

  constructor(engine: Engine, hca: Hca) {
    this.engine = engine;
    this.hca = hca;
    this.#i32 = engine.machine.i32;
    this.srqs = new SrqCommands(this);
    this.xrcds = new XrcdCommands(this);
  }

  /** Allocates a UAR with its event queue for the calling thread. */
  openUar(): number {
    return this.engine.command(() => {
      const { machine, uars } = this.engine;
      for (let uar = 1; uar < UARS_MAX; uar++) {
        const control = uars.control(uar);
        if (this.#i32[control + UarControl.PAGE] !== 0) continue;
        const eq = allocWords(machine, EQ_BYTES / 4, machine.threadIndex);
        this.#i32[eq + Eqc.THREAD] = machine.threadIndex;
        const page = this.#orFree(eq, () => allocWords(machine, PAGE_BYTES / 4, machine.threadIndex));
        this.#i32[control + UarControl.THREAD] = machine.threadIndex;
        this.#i32[control + UarControl.HCA] = this.hca.index;
        this.#i32[control + UarControl.EQ] = eq;
        this.#i32[control + UarControl.PAGE] = page;
        // Registers of the device from here on. Until the UAR has its page, that is the thread's, which its death would free.
        machine.pages.give(page * 4, OWNER_IOMEM);
        return uar;
      }
      throw new DeviceError(
        'ENOMEM',
        `all ${UARS_MAX - 1} UARs of the machine are taken`,
        'close contexts that are not used',
      );
    });
  }

  /** Frees a UAR; its objects are gone already. */
  closeUar(uar: number): void {
    this.engine.command(() => {
      freeUar(this.engine, uar);
    });
  }

  allocPd(uar: number): number {
    return this.engine.command(() => {
      const pd = this.hca.pds.alloc();
      if (pd < 0) throw new DeviceError('ENOMEM', 'the device has no protection domain left');
      this.#i32[this.#pdTable + pd] = uar;
      return pd;
    });
  }

  deallocPd(pd: number): void {
    this.engine.command(() => {
      this.checkPd(pd);
      this.#i32[this.#pdTable + pd] = 0;
      this.hca.pds.free(pd);
    });
  }

  /** SW2HW_MPT: enters a region into the TPT and returns its key. */
  createMpt(init: RegionInit): number {
    return this.engine.command(() => {
      if (init.pd !== 0) this.checkPd(init.pd);
      return enterRegion(this.engine, this.hca, init);
    });
  }

  /** Enters the null region of a PD into the TPT and returns its key. */
  createNullMpt(uar: number, pd: number): number {
    return this.engine.command(() => {
      this.checkPd(pd);
      return enterNullRegion(this.engine, this.hca, uar, pd);
    });
  }

  /** Enters the region of whatever pages one owner has into the TPT and returns its key. */
  createOwnedMpt(init: OwnedRegionInit): number {
    return this.engine.command(() => {
      this.checkPd(init.pd);
      checkPageOwner(init.owner);
      return enterOwnedRegion(this.engine, this.hca, init);
    });
  }

  /** Enters a memory window into the TPT and returns its first key, which is its number. */
  createWindow(init: WindowInit): number {
    return this.engine.command(() => {
      this.checkPd(init.pd);
      return enterWindow(this.engine, this.hca, init);
    });
  }

  /** Takes a memory window out of the TPT, bound or not. */
  destroyWindow(number: number): void {
    this.engine.command(() => {
      const entry = windowEntry(this.#i32, this.hca.mptTable, number);
      if (entry === 0) throw new DeviceError('EINVAL', `there is no memory window 0x${(number >>> 0).toString(16)}`);
      freeMpt(this.engine, this.hca, entry);
    });
  }

  /**
   * Changes a region in place and returns its new key; the old one fails from now on.
   *
   * @throws DeviceError `EBUSY` while something holds it; it is as it was then
   */
  changeMpt(key: number, place: RegionPlace): number {
    return this.engine.command(() => {
      const entry = this.#mpt(key);
      this.checkPd(place.pd);
      checkChange(this.#i32, entry);
      return changeRegion(this.engine, this.hca, entry, place);
    });
  }

  /** HW2SW_MPT: takes a region out; its key fails from now on. */
  destroyMpt(key: number): void {
    this.engine.command(() => {
      const entry = this.#mpt(key);
      checkUnpinned(this.#i32, entry);
      freeMpt(this.engine, this.hca, entry);
    });
  }

  /** SW2HW_CQ: creates a CQ and returns its number. */
  createCq(init: CqInit): number {
    return this.engine.command(() => {
      const i32 = this.#i32;
      const { log2Count } = init;
      checkCqSize(log2Count);
      const [entry, base] = this.ringMemory(init, CQ_DOORBELL_RECORD_BYTES + (CQE_BYTES << log2Count));
      const index = this.hca.cqs.alloc();
      if (index < 0) throw new DeviceError('ENOMEM', `all ${CQS_MAX} CQs of the device are taken`);
      const c = this.hca.cqTable + index * Cqc.WORDS;
      i32[c + Cqc.STATE] = CqcState.VALID | (init.flags ?? 0);
      i32[c + Cqc.BASE] = (base + CQ_DOORBELL_RECORD_BYTES) >>> 2;
      i32[c + Cqc.LOG2_COUNT] = log2Count;
      i32[c + Cqc.PRODUCER] = 0;
      i32[c + Cqc.RECORD] = base >>> 2;
      i32[c + Cqc.UAR] = init.uar;
      i32[c + Cqc.EQ] = i32[this.engine.uars.control(init.uar) + UarControl.EQ];
      i32[c + Cqc.EVENT_QUEUED] = 0;
      i32[c + Cqc.REFERENCES] = 0;
      i32[c + Cqc.BUFFER_MPT] = entry;
      i32[c + Cqc.HCA] = this.hca.header;
      i32.fill(0, c + Cqc.MODERATION_COUNT, c + Cqc.WORDS);
      i32[entry + Mpt.PINS]++;
      const generation = this.nextGeneration(c + Cqc.GENERATION);
      const cqn = (generation << CQS_LOG2) | index;
      Atomics.store(i32, c + Cqc.CQN, cqn);
      return cqn;
    });
  }

  /**
   * RESIZE_CQ: moves a CQ to a ring in another region, with what is unread; the indices go on. The old region is unpinned.
   *
   * @throws DeviceError `EINVAL` when what is unread does not fit
   */
  resizeCq(cqn: number, bufferKey: number, log2Count: number): void {
    this.engine.command(() => {
      const i32 = this.#i32;
      const c = this.cq(cqn);
      checkCqSize(log2Count);
      const uar = i32[c + Cqc.UAR];
      const [entry, base] = this.ringMemory({ uar, bufferKey }, CQ_DOORBELL_RECORD_BYTES + (CQE_BYTES << log2Count));
      moveCq(i32, c, { entry, base, log2Count });
    });
  }

  /** MODIFY_CQ: sets moderation: `count` completions, or `periodUs` after the first of them, make an event; 0 is none. */
  modifyCq(cqn: number, count: number, periodUs: number): void {
    this.engine.command(() => {
      const c = this.cq(cqn);
      checkModeration(count, periodUs);
      this.engine.moderation.set(c, count, periodUs);
    });
  }

  /** HW2SW_CQ: destroys a CQ that no queue completes to. */
  destroyCq(cqn: number): void {
    this.engine.command(() => {
      const c = this.cq(cqn);
      if (this.#i32[c + Cqc.REFERENCES] !== 0) {
        throw new DeviceError('EBUSY', `${this.#i32[c + Cqc.REFERENCES]} queues complete to CQ ${cqn}`);
      }
      freeCq(this.engine, this.hca, c);
    });
  }

  /** Creates a QP in RESET and returns its number. */
  createQp(init: QpInit): number {
    return this.engine.command(() => {
      const i32 = this.#i32;
      checkQpInit(init);
      const { pd, sendCq, recvCq, srq, xrcd } = this.#partsOf(init);
      const sqBytes = 1 << (init.sqLog2Count + init.sqLog2Bytes);
      const rqBytes = 1 << (init.rqLog2Count + init.rqLog2Bytes);
      const [entry, base] = this.ringMemory(init, QP_DOORBELL_RECORD_BYTES + sqBytes + rqBytes);
      const index = this.hca.qps.alloc();
      if (index < 0) throw new DeviceError('ENOMEM', `all ${QPS_MAX} QPs of the device are taken`);
      const transport = this.#transportContext(index, init.sqLog2Count);
      const q = this.hca.qpTable + index * Qpc.WORDS;
      let generation = this.nextGeneration(q + Qpc.GENERATION);
      if (((generation << QPS_LOG2) | index) === MULTICAST_QPN) generation = this.nextGeneration(q + Qpc.GENERATION);
      i32.fill(0, q, q + Qpc.GENERATION);
      i32[q + Qpc.TYPE] = init.type;
      i32[q + Qpc.PD] = pd;
      i32[q + Qpc.UAR] = init.uar;
      i32[q + Qpc.EQ] = i32[this.engine.uars.control(init.uar) + UarControl.EQ];
      i32[q + Qpc.HCA] = this.hca.header;
      i32[q + Qpc.MPT_TABLE] = this.hca.mptTable;
      i32[q + Qpc.SEND_CQ] = sendCq;
      i32[q + Qpc.RECV_CQ] = recvCq;
      i32[q + Qpc.SRQ] = srq;
      i32[q + Qpc.XRCD] = xrcd;
      i32[q + Qpc.RECORD] = base >>> 2;
      i32[q + Qpc.BUFFER_MPT] = entry;
      i32[q + Qpc.SQ_BASE] = (base + QP_DOORBELL_RECORD_BYTES) >>> 2;
      i32[q + Qpc.SQ_LOG2_COUNT] = init.sqLog2Count;
      i32[q + Qpc.SQ_LOG2_WORDS] = init.sqLog2Bytes - 2;
      i32[q + Qpc.RQ_BASE] = (base + QP_DOORBELL_RECORD_BYTES + sqBytes) >>> 2;
      i32[q + Qpc.RQ_LOG2_COUNT] = init.rqLog2Count;
      i32[q + Qpc.RQ_LOG2_WORDS] = init.rqLog2Bytes - 2;
      i32[q + Qpc.MAX_SEND_WR] = init.maxSendWr;
      i32[q + Qpc.MAX_RECV_WR] = init.maxRecvWr;
      i32[q + Qpc.MAX_SEND_SGE] = init.maxSendSge;
      i32[q + Qpc.MAX_RECV_SGE] = init.maxRecvSge;
      i32[q + Qpc.MAX_INLINE] = init.maxInline;
      i32[q + Qpc.TRANSPORT] = transport;
      const qpn = (generation << QPS_LOG2) | index;
      i32[q + Qpc.STATE] = QpcState.RESET;
      // Counts last, number at the very end: a thread that dies here leaves at worst a count, which recovery makes anew.
      i32[entry + Mpt.PINS]++;
      if (sendCq !== 0) i32[sendCq + Cqc.REFERENCES]++;
      if (recvCq !== 0) i32[recvCq + Cqc.REFERENCES]++;
      if (srq !== 0) i32[srq + Srqc.REFERENCES]++;
      Atomics.store(i32, q + Qpc.QPN, qpn);
      return qpn;
    });
  }

  /** What a QP is made of, as its type wants it; 0 for what it does not have. */
  #partsOf(init: QpInit): { pd: number; sendCq: number; recvCq: number; srq: number; xrcd: number } {
    const { type, pd = 0, sendCqn = 0, recvCqn = 0, srqn = 0, xrcdn = 0 } = init;
    if (type === XRC_RECV) return { pd: 0, sendCq: 0, recvCq: 0, srq: 0, xrcd: this.xrcds.domain(xrcdn) };
    this.checkPd(pd);
    const sendCq = this.cq(sendCqn);
    if (type === XRC_SEND) return { pd, sendCq, recvCq: 0, srq: 0, xrcd: 0 };
    return { pd, sendCq, recvCq: this.cq(recvCqn), srq: srqn === 0 ? 0 : this.srqs.basic(srqn), xrcd: 0 };
  }

  /** The transport context of a new QP, where messages travel as packets; the QP's number goes back when there is none. */
  #transportContext(index: number, sqLog2Count: number): number {
    if (this.engine.packets === null) return 0;
    try {
      return allocTransportContext(this.engine.machine, sqLog2Count);
    } catch (error) {
      this.hca.qps.free(index);
      throw error;
    }
  }

  /** Opens an XRC_RECV QP that is there; returns the number of the opening, which all commands take for the QP's. */
  openQp(init: QpOpenInit): number {
    return this.engine.command(() => openQp(this, init));
  }

  /** Destroys a QP; what it holds is not completed. While others have it open it is only this one's no more. */
  destroyQp(qpn: number): void {
    this.engine.command(() => {
      leaveQp(this.engine, this.hca, this.#qpEntry(qpn));
    });
  }

  /** Context of a QP of this device, by its number or that of an opening. */
  qp(qpn: number): number {
    const entry = this.#qpEntry(qpn);
    return this.#i32[entry + Qpc.OPENED] || entry;
  }

  /** A QP whose creator has left is no more to be had by its own number. */
  #qpEntry(qpn: number): number {
    const q = this.hca.qpTable + (qpn & (QPS_MAX - 1)) * Qpc.WORDS;
    if (qpn === 0 || this.#i32[q + Qpc.QPN] !== qpn || this.#i32[q + Qpc.UAR] === 0)
      throw new DeviceError('EINVAL', `there is no QP ${qpn}`);
    return q;
  }

  /** Context of a CQ of this device. */
  cq(cqn: number): number {
    const c = this.hca.cqTable + (cqn & (CQS_MAX - 1)) * Cqc.WORDS;
    if (cqn === 0 || this.#i32[c + Cqc.CQN] !== cqn) throw new DeviceError('EINVAL', `there is no CQ ${cqn}`);
    return c;
  }

  get #pdTable(): number {
    return this.#i32[this.hca.header + HcaHeader.PD_TABLE];
  }

  /** PD 0 is the driver's own: a QP there could name the rings of others. @internal */
  checkPd(pd: number): void {
    if (pd === 0 || !this.hca.pds.isUsed(pd)) throw new DeviceError('EINVAL', `there is no protection domain ${pd}`);
  }

  /** What `allocate` gives, or nothing: then the words at `held` go back as well. */
  #orFree(held: number, allocate: () => number): number {
    try {
      return allocate();
    } catch (error) {
      this.engine.machine.pages.free(held * 4);
      throw error;
    }
  }

  #mpt(key: number): number {
    const entry = this.hca.mptTable + (key >>> 8) * Mpt.WORDS;
    if (key === 0 || key >>> 8 >= MPTS_MAX || !isRegion(this.#i32, entry, key)) {
      throw new DeviceError('EINVAL', `no memory region has the key 0x${(key >>> 0).toString(16)}`);
    }
    return entry;
  }

  /**
   * Memory that rings may live in: a region of the driver's own PD and of the same UAR, in one run, large enough, at a cache line, and
   * with no rings in it. @internal
   */
  ringMemory({ uar, bufferKey: key }: Pick<CqInit, 'uar' | 'bufferKey'>, bytes: number): [entry: number, base: number] {
    const i32 = this.#i32;
    const entry = this.#mpt(key);
    const base = i32[entry + Mpt.BASE] >>> 0;
    if (i32[entry + Mpt.PD] !== 0)
      throw new DeviceError('EINVAL', `key 0x${key.toString(16)} is not of the driver's PD`);
    if (i32[entry + Mpt.UAR] !== uar)
      throw new DeviceError('EINVAL', `key 0x${key.toString(16)} is of another context`, 'register the memory here');
    if (base === 0 || (base & 63) !== 0)
      throw new DeviceError('EINVAL', 'a ring needs one run of pages, at a multiple of 64');
    if (i32[entry + Mpt.LENGTH] >>> 0 < bytes) {
      throw new DeviceError(
        'EINVAL',
        `a ring of ${bytes} bytes does not fit its region of ${i32[entry + Mpt.LENGTH] >>> 0}`,
      );
    }
    if (i32[entry + Mpt.PINS] !== 0)
      throw new DeviceError('EBUSY', `key 0x${key.toString(16)} holds the rings of another queue already`);
    return [entry, base];
  }

  /** Numbers carry a generation above the index, so that a stale one is recognised; it is never 0. @internal */
  nextGeneration(word: number): number {
    this.#i32[word] = (this.#i32[word] + 1) & GENERATION_MAX || 1;
    return this.#i32[word];
  }
}

/** A memory window's key is no key of a region. */
function isRegion(i32: Int32Array, entry: number, key: number): boolean {
  return i32[entry + Mpt.KEY] === key && i32[entry + Mpt.KIND] < MptKind.WINDOW_TYPE_1;
}
