/** The commands about QPs. They follow the rules of `command-interface.ts`: checks first, and the word that makes an entry exist last. */
import { QP_DOORBELL_RECORD_BYTES } from '@openverbs/verbs/rings';
import { checkQpInit } from './command-checks.ts';
import type { QpInit } from './command-init.ts';
import type { CommandInterface } from './command-interface.ts';
import { DeviceError } from './device-error.ts';
import { Cqc, Mpt, Qpc, QpcState, QpcType, Srqc, UarControl } from './layout.ts';
import { QPS_LOG2, QPS_MAX } from './limits.ts';
import { modifyQp, type QpChange } from './modify-qp.ts';
import { MULTICAST_QPN } from './multicast.ts';
import { allocTransportContext } from './packets/transport-context.ts';
import { leaveQp, openQp, type QpOpenInit } from './qp-openings.ts';

const { XRC_SEND, XRC_RECV } = QpcType;

/** What a QP is made of: a PD, the domain of an XRC_RECV QP, and word indices of contexts. 0 for what its type does not have. */
interface QpParts {
  readonly pd: number;
  readonly sendCq: number;
  readonly recvCq: number;
  readonly srq: number;
  readonly xrcd: number;
}

export class QpCommands {
  readonly #commands: CommandInterface;
  readonly #i32: Int32Array;

  constructor(commands: CommandInterface) {
    this.#commands = commands;
    this.#i32 = commands.engine.machine.i32;
  }

  /** Creates a QP in RESET and returns its number. */
  create(init: QpInit): number {
    const { engine, hca } = this.#commands;
    return engine.command(() => {
      const i32 = this.#i32;
      checkQpInit(init);
      const parts = this.#partsOf(init);
      const rings = (1 << (init.sqLog2Count + init.sqLog2Bytes)) + (1 << (init.rqLog2Count + init.rqLog2Bytes));
      const [entry, base] = this.#commands.ringMemory(init, QP_DOORBELL_RECORD_BYTES + rings);
      const index = hca.qps.alloc();
      if (index < 0) throw new DeviceError('ENOMEM', `all ${QPS_MAX} QPs of the device are taken`);
      const transport = this.#transportContext(index, init.sqLog2Count);
      const q = hca.qpTable + index * Qpc.WORDS;
      const qpn = this.#nextQpn(q, index);
      i32.fill(0, q, q + Qpc.GENERATION);
      this.#storeParts(q, init, parts);
      this.#storeRings(q, init, base);
      i32[q + Qpc.BUFFER_MPT] = entry;
      i32[q + Qpc.TRANSPORT] = transport;
      i32[q + Qpc.STATE] = QpcState.RESET;
      // Counts last, number at the very end: a thread that dies here leaves at worst a count, which recovery makes anew.
      i32[entry + Mpt.PINS]++;
      if (parts.sendCq !== 0) i32[parts.sendCq + Cqc.REFERENCES]++;
      if (parts.recvCq !== 0) i32[parts.recvCq + Cqc.REFERENCES]++;
      if (parts.srq !== 0) i32[parts.srq + Srqc.REFERENCES]++;
      Atomics.store(i32, q + Qpc.QPN, qpn);
      return qpn;
    });
  }

  /** Opens an XRC_RECV QP that is there; returns the number of the opening, which all commands take for the QP's. */
  open(init: QpOpenInit): number {
    return this.#commands.engine.command(() => openQp(this.#commands, init));
  }

  /** MODIFY_QP: sets attributes, and makes the transition. */
  modify(qpn: number, change: QpChange): void {
    const { engine, hca } = this.#commands;
    engine.command(() => {
      modifyQp(engine, hca, this.context(qpn), change);
    });
  }

  /** Destroys a QP; what it holds is not completed. While others have it open it is only this one's no more. */
  destroy(qpn: number): void {
    const { engine, hca } = this.#commands;
    engine.command(() => {
      leaveQp(engine, hca, this.#entry(qpn));
    });
  }

  /** Context of a QP of this device, by its number or that of an opening. */
  context(qpn: number): number {
    const entry = this.#entry(qpn);
    return this.#i32[entry + Qpc.OPENED] || entry;
  }

  /** A QP whose creator has left is no more to be had by its own number. */
  #entry(qpn: number): number {
    const q = this.#commands.hca.qpTable + (qpn & (QPS_MAX - 1)) * Qpc.WORDS;
    if (qpn === 0 || this.#i32[q + Qpc.QPN] !== qpn || this.#i32[q + Qpc.UAR] === 0)
      throw new DeviceError('EINVAL', `there is no QP ${qpn}`);
    return q;
  }

  #partsOf(init: QpInit): QpParts {
    const { cqs, srqs, xrcds } = this.#commands;
    const { type, pd = 0, sendCqn = 0, recvCqn = 0, srqn = 0, xrcdn = 0 } = init;
    if (type === XRC_RECV) return { pd: 0, sendCq: 0, recvCq: 0, srq: 0, xrcd: xrcds.domain(xrcdn) };
    this.#commands.checkPd(pd);
    const sendCq = cqs.context(sendCqn);
    if (type === XRC_SEND) return { pd, sendCq, recvCq: 0, srq: 0, xrcd: 0 };
    return { pd, sendCq, recvCq: cqs.context(recvCqn), srq: srqn === 0 ? 0 : srqs.basic(srqn), xrcd: 0 };
  }

  /** The transport context of a new QP, where messages travel as packets; the QP's number goes back when there is none. */
  #transportContext(index: number, sqLog2Count: number): number {
    const { engine, hca } = this.#commands;
    if (engine.packets === null) return 0;
    try {
      return allocTransportContext(engine.machine, sqLog2Count);
    } catch (error) {
      hca.qps.free(index);
      throw error;
    }
  }

  /** Multicast has a number of its own, which is no queue pair's. */
  #nextQpn(q: number, index: number): number {
    const next = (): number => (this.#commands.nextGeneration(q + Qpc.GENERATION) << QPS_LOG2) | index;
    const qpn = next();
    return qpn === MULTICAST_QPN ? next() : qpn;
  }

  #storeParts(q: number, init: QpInit, { pd, sendCq, recvCq, srq, xrcd }: QpParts): void {
    const i32 = this.#i32;
    const { engine, hca } = this.#commands;
    i32[q + Qpc.TYPE] = init.type;
    i32[q + Qpc.PD] = pd;
    i32[q + Qpc.UAR] = init.uar;
    i32[q + Qpc.EQ] = i32[engine.uars.control(init.uar) + UarControl.EQ];
    i32[q + Qpc.HCA] = hca.header;
    i32[q + Qpc.MPT_TABLE] = hca.mptTable;
    i32[q + Qpc.SEND_CQ] = sendCq;
    i32[q + Qpc.RECV_CQ] = recvCq;
    i32[q + Qpc.SRQ] = srq;
    i32[q + Qpc.XRCD] = xrcd;
  }

  /** From the machine address `base`: the doorbell record, the send ring, the receive ring. */
  #storeRings(q: number, init: QpInit, base: number): void {
    const i32 = this.#i32;
    const sqBase = base + QP_DOORBELL_RECORD_BYTES;
    i32[q + Qpc.RECORD] = base >>> 2;
    i32[q + Qpc.SQ_BASE] = sqBase >>> 2;
    i32[q + Qpc.SQ_LOG2_COUNT] = init.sqLog2Count;
    i32[q + Qpc.SQ_LOG2_WORDS] = init.sqLog2Bytes - 2;
    i32[q + Qpc.RQ_BASE] = (sqBase + (1 << (init.sqLog2Count + init.sqLog2Bytes))) >>> 2;
    i32[q + Qpc.RQ_LOG2_COUNT] = init.rqLog2Count;
    i32[q + Qpc.RQ_LOG2_WORDS] = init.rqLog2Bytes - 2;
    i32[q + Qpc.MAX_SEND_WR] = init.maxSendWr;
    i32[q + Qpc.MAX_RECV_WR] = init.maxRecvWr;
    i32[q + Qpc.MAX_SEND_SGE] = init.maxSendSge;
    i32[q + Qpc.MAX_RECV_SGE] = init.maxRecvSge;
    i32[q + Qpc.MAX_INLINE] = init.maxInline;
  }
}
