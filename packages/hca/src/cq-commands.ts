/** The commands about CQs. They follow the rules of `command-interface.ts`: checks first, and the word that makes an entry exist last. */
import { CQ_DOORBELL_RECORD_BYTES, CQE_BYTES } from '@openverbs/verbs/rings';
import { checkCqSize, checkModeration } from './command-checks.ts';
import type { CqInit } from './command-init.ts';
import type { CommandInterface } from './command-interface.ts';
import { DeviceError } from './device-error.ts';
import { freeCq } from './free-objects.ts';
import { Cqc, CqcState, Mpt, UarControl } from './layout.ts';
import { CQS_LOG2, CQS_MAX } from './limits.ts';
import { moveCq } from './move-cq.ts';

export class CqCommands {
  readonly #commands: CommandInterface;
  readonly #i32: Int32Array;

  constructor(commands: CommandInterface) {
    this.#commands = commands;
    this.#i32 = commands.engine.machine.i32;
  }

  /** SW2HW_CQ: creates a CQ and returns its number. */
  create(init: CqInit): number {
    const { engine, hca } = this.#commands;
    return engine.command(() => {
      const i32 = this.#i32;
      const { log2Count } = init;
      checkCqSize(log2Count);
      const [entry, base] = this.#commands.ringMemory(init, CQ_DOORBELL_RECORD_BYTES + (CQE_BYTES << log2Count));
      const index = hca.cqs.alloc();
      if (index < 0) throw new DeviceError('ENOMEM', `all ${CQS_MAX} CQs of the device are taken`);
      const c = hca.cqTable + index * Cqc.WORDS;
      i32[c + Cqc.STATE] = CqcState.VALID | (init.flags ?? 0);
      i32[c + Cqc.BASE] = (base + CQ_DOORBELL_RECORD_BYTES) >>> 2;
      i32[c + Cqc.LOG2_COUNT] = log2Count;
      i32[c + Cqc.PRODUCER] = 0;
      i32[c + Cqc.RECORD] = base >>> 2;
      i32[c + Cqc.UAR] = init.uar;
      i32[c + Cqc.EQ] = i32[engine.uars.control(init.uar) + UarControl.EQ];
      i32[c + Cqc.EVENT_QUEUED] = 0;
      i32[c + Cqc.REFERENCES] = 0;
      i32[c + Cqc.BUFFER_MPT] = entry;
      i32[c + Cqc.HCA] = hca.header;
      i32.fill(0, c + Cqc.MODERATION_COUNT, c + Cqc.WORDS);
      i32[entry + Mpt.PINS]++;
      const generation = this.#commands.nextGeneration(c + Cqc.GENERATION);
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
  resize(cqn: number, bufferKey: number, log2Count: number): void {
    this.#commands.engine.command(() => {
      const i32 = this.#i32;
      const c = this.context(cqn);
      checkCqSize(log2Count);
      const uar = i32[c + Cqc.UAR];
      const bytes = CQ_DOORBELL_RECORD_BYTES + (CQE_BYTES << log2Count);
      const [entry, base] = this.#commands.ringMemory({ uar, bufferKey }, bytes);
      moveCq(i32, c, { entry, base, log2Count });
    });
  }

  /** MODIFY_CQ: sets moderation: `count` completions, or `periodUs` after the first of them, make an event; 0 is none. */
  modify(cqn: number, count: number, periodUs: number): void {
    const { engine } = this.#commands;
    engine.command(() => {
      const c = this.context(cqn);
      checkModeration(count, periodUs);
      engine.moderation.set(c, count, periodUs);
    });
  }

  /** HW2SW_CQ: destroys a CQ that no queue completes to. */
  destroy(cqn: number): void {
    const { engine, hca } = this.#commands;
    engine.command(() => {
      const c = this.context(cqn);
      if (this.#i32[c + Cqc.REFERENCES] !== 0) {
        throw new DeviceError('EBUSY', `${this.#i32[c + Cqc.REFERENCES]} queues complete to CQ ${cqn}`);
      }
      freeCq(engine, hca, c);
    });
  }

  /** Context of a CQ of this device. */
  context(cqn: number): number {
    const c = this.#commands.hca.cqTable + (cqn & (CQS_MAX - 1)) * Cqc.WORDS;
    if (cqn === 0 || this.#i32[c + Cqc.CQN] !== cqn) throw new DeviceError('EINVAL', `there is no CQ ${cqn}`);
    return c;
  }
}
