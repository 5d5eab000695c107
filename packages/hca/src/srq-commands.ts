/** The commands about SRQs. They follow the rules of `command-interface.ts`: checks first, and the word that makes an entry exist last. */
import { RECV_WQE_BYTES_MIN, SGE_BYTES, SRQ_DOORBELL_RECORD_BYTES, srqRingBytes } from '@openverbs/verbs/rings';
import { checkInteger, RECV_HEADER_BYTES, WQE_LOG2_BYTES_MAX } from './command-checks.ts';
import type { SrqChange, SrqInit } from './command-init.ts';
import type { CommandInterface } from './command-interface.ts';
import { DeviceError } from './device-error.ts';
import { freeSrq } from './free-objects.ts';
import { Cqc, Mpt, Srqc, SrqcState, UarControl } from './layout.ts';
import { SGES_MAX, SRQ_WR_MAX, SRQS_LOG2, SRQS_MAX } from './limits.ts';
import { moveSrq, postedToSrq, type SrqRing } from './move-srq.ts';

/** What an SRQ was made of. */
export interface SrqQuery {
  readonly maxWr: number;
  readonly maxSge: number;
  /** 0 when it is not armed. */
  readonly limit: number;
}

export class SrqCommands {
  readonly #commands: CommandInterface;
  readonly #i32: Int32Array;

  constructor(commands: CommandInterface) {
    this.#commands = commands;
    this.#i32 = commands.engine.machine.i32;
  }

  /** SW2HW_SRQ: creates an SRQ and returns its number. */
  create(init: SrqInit): number {
    const { engine, hca } = this.#commands;
    return engine.command(() => {
      const i32 = this.#i32;
      checkSrqInit(init);
      this.#commands.checkPd(init.pd);
      const cq = init.xrc === undefined ? 0 : this.#commands.cqs.context(init.xrc.cqn);
      const xrcd = init.xrc === undefined ? 0 : this.#commands.xrcds.domain(init.xrc.xrcdn);
      const ring = this.#ring(init, init.log2Count, init.wqeLog2Bytes);
      const index = hca.srqs.alloc();
      if (index < 0) throw new DeviceError('ENOMEM', `all ${SRQS_MAX} SRQs of the device are taken`);
      const s = hca.srqTable + index * Srqc.WORDS;
      i32[s + Srqc.STATE] = SrqcState.VALID;
      i32[s + Srqc.RECORD] = ring.record;
      i32[s + Srqc.RING] = ring.ring;
      i32[s + Srqc.LOG2_COUNT] = init.log2Count;
      i32[s + Srqc.WQES] = ring.wqes;
      i32[s + Srqc.WQE_LOG2_WORDS] = init.wqeLog2Bytes - 2;
      i32[s + Srqc.CONSUMER] = 0;
      i32[s + Srqc.PD] = init.pd;
      i32[s + Srqc.MAX_SGE] = init.maxSge;
      i32[s + Srqc.MAX_WR] = init.maxWr;
      i32[s + Srqc.LIMIT] = 0;
      i32[s + Srqc.UAR] = init.uar;
      i32[s + Srqc.EQ] = i32[engine.uars.control(init.uar) + UarControl.EQ];
      i32[s + Srqc.HCA] = hca.header;
      i32[s + Srqc.BUFFER_MPT] = ring.entry;
      i32[s + Srqc.REFERENCES] = 0;
      i32[s + Srqc.CQ] = cq;
      i32[s + Srqc.XRCD] = xrcd;
      i32[ring.entry + Mpt.PINS]++;
      if (cq !== 0) i32[cq + Cqc.REFERENCES]++;
      const srqn = (this.#commands.nextGeneration(s + Srqc.GENERATION) << SRQS_LOG2) | index;
      Atomics.store(i32, s + Srqc.SRQN, srqn);
      return srqn;
    });
  }

  /**
   * RESIZE_SRQ and ARM_SRQ: another size, in another region where the ring does not hold it, and the limit. All of it or nothing.
   *
   * @throws DeviceError `EINVAL` when more is posted than the new size, or the limit is above it
   */
  modify(srqn: number, { maxWr, ring, limit }: SrqChange): void {
    this.#commands.engine.command(() => {
      const i32 = this.#i32;
      const s = this.context(srqn);
      const room = maxWr ?? i32[s + Srqc.MAX_WR];
      const to = ring === undefined ? undefined : this.#newRing(s, ring);
      checkInteger('maxWr', room, 1, 2 ** (to?.log2Count ?? i32[s + Srqc.LOG2_COUNT]));
      checkInteger('limit', limit ?? i32[s + Srqc.LIMIT], 0, room);
      const posted = postedToSrq(i32, s);
      if (posted > room) {
        const message = `the SRQ holds ${posted} receives, more than the new size of ${room}`;
        throw new DeviceError('EINVAL', message, 'wait until messages have taken them');
      }
      if (to !== undefined) moveSrq(i32, s, to, posted);
      i32[s + Srqc.MAX_WR] = room;
      if (limit !== undefined) i32[s + Srqc.LIMIT] = limit;
    });
  }

  /** QUERY_SRQ. */
  query(srqn: number): SrqQuery {
    return this.#commands.engine.command(() => {
      const s = this.context(srqn);
      const i32 = this.#i32;
      return { maxWr: i32[s + Srqc.MAX_WR], maxSge: i32[s + Srqc.MAX_SGE], limit: i32[s + Srqc.LIMIT] };
    });
  }

  /** HW2SW_SRQ: destroys an SRQ that no QP receives from. */
  destroy(srqn: number): void {
    const { engine, hca } = this.#commands;
    engine.command(() => {
      const s = this.context(srqn);
      const references = this.#i32[s + Srqc.REFERENCES];
      if (references !== 0) throw new DeviceError('EBUSY', `${references} QPs receive from SRQ ${srqn}`);
      freeSrq(engine, hca, s);
    });
  }

  /** Context of an SRQ of this device. */
  context(srqn: number): number {
    const s = this.#commands.hca.srqTable + (srqn & (SRQS_MAX - 1)) * Srqc.WORDS;
    if (srqn === 0 || this.#i32[s + Srqc.SRQN] !== srqn) throw new DeviceError('EINVAL', `there is no SRQ ${srqn}`);
    return s;
  }

  /** Context of an SRQ that a QP can be made with: an XRC SRQ is named by messages. */
  basic(srqn: number): number {
    const s = this.context(srqn);
    if (this.#i32[s + Srqc.XRCD] === 0) return s;
    throw new DeviceError('EINVAL', `SRQ ${srqn} is for XRC`, 'make the QP with a basic SRQ, or with an XRC domain');
  }

  /** Where an SRQ moves to: slots that completions name stay, so there have to be as many. */
  #newRing(s: number, { bufferKey, log2Count }: Required<SrqChange>['ring']): SrqRing {
    const i32 = this.#i32;
    checkInteger('log2Count', log2Count, i32[s + Srqc.LOG2_COUNT], Math.log2(SRQ_WR_MAX));
    return this.#ring({ uar: i32[s + Srqc.UAR], bufferKey }, log2Count, i32[s + Srqc.WQE_LOG2_WORDS] + 2);
  }

  /** Where the parts of a buffer are. */
  #ring(buffer: Pick<SrqInit, 'uar' | 'bufferKey'>, log2Count: number, wqeLog2Bytes: number): SrqRing {
    checkInteger('log2Count', log2Count, 0, Math.log2(SRQ_WR_MAX));
    const header = SRQ_DOORBELL_RECORD_BYTES + srqRingBytes(log2Count);
    const [entry, base] = this.#commands.ringMemory(buffer, header + 2 ** (log2Count + wqeLog2Bytes));
    const ring = (base + SRQ_DOORBELL_RECORD_BYTES) >>> 2;
    return { entry, record: base >>> 2, ring, wqes: (base + header) >>> 2, log2Count };
  }
}

function checkSrqInit(init: SrqInit): void {
  checkInteger('wqeLog2Bytes', init.wqeLog2Bytes, Math.log2(RECV_WQE_BYTES_MIN), WQE_LOG2_BYTES_MAX);
  checkInteger('log2Count', init.log2Count, 0, Math.log2(SRQ_WR_MAX));
  checkInteger('maxWr', init.maxWr, 1, 2 ** init.log2Count);
  const room = 2 ** init.wqeLog2Bytes - RECV_HEADER_BYTES;
  checkInteger('maxSge', init.maxSge, 0, Math.min(SGES_MAX, room / SGE_BYTES));
}
