/** The fake device's side of a CQ and of a QP. */
import {
  CQ_DOORBELL_RECORD_BYTES,
  CQE_BYTES,
  CqArm,
  CqDoorbellRecord,
  cqeGeneration,
  CqeWords,
  QP_DOORBELL_RECORD_BYTES,
  QpDoorbellRecord,
} from '../../src/rings/layout.ts';
import type { CqRings, Doorbell, QpRings } from '../../src/rings/rings.ts';
import type { FakeMemory } from './fake-memory.ts';

/** Words of a CQE that a test may state; the others are 0. */
export type CqeFields = Partial<Record<Exclude<keyof typeof CqeWords, 'VALID'>, number>>;

/** A completion queue as its device sees it. */
export class FakeCq {
  readonly handle: number;
  rings: CqRings;
  producer = 0;
  readonly #memory: FakeMemory;
  readonly #onEvent: (handle: number) => void;

  constructor(memory: FakeMemory, handle: number, cqe: number, doorbell: Doorbell, onEvent: (handle: number) => void) {
    this.handle = handle;
    this.#memory = memory;
    this.#onEvent = onEvent;
    this.rings = this.#allocate(cqe, doorbell);
  }

  get entries(): number {
    return 2 ** this.rings.log2Count;
  }

  get consumer(): number {
    return this.#memory.i32[(this.rings.doorbellRecordAddr >>> 2) + CqDoorbellRecord.CONSUMER];
  }

  /** Starts the free-running indices elsewhere, as after a long life. */
  get recordWord(): number {
    return this.rings.doorbellRecordAddr >>> 2;
  }

  /** Writes a CQE, VALID last, and raises the event if the queue is armed for it. */
  complete(fields: CqeFields, solicited = false): void {
    if (((this.producer - this.consumer) | 0) >= this.entries) throw new Error('CQ overrun');
    this.#write(this.producer, fields);
    this.producer = (this.producer + 1) | 0;
    const { i32 } = this.#memory;
    const arm = this.recordWord + CqDoorbellRecord.ARM;
    const wanted = i32[arm];
    if ((wanted & CqArm.NEXT) === 0 && !((wanted & CqArm.SOLICITED) !== 0 && solicited)) return;
    Atomics.store(i32, arm, 0);
    this.#onEvent(this.handle);
  }

  /** Moves what was not consumed to a ring of another size. */
  resize(cqe: number): CqRings {
    const old = this.rings;
    const { i32 } = this.#memory;
    const { consumer } = this;
    this.rings = this.#allocate(cqe, old.doorbell);
    for (let index = consumer; index !== this.producer; index = (index + 1) | 0) {
      const from = (old.cqAddr >>> 2) + (index & (2 ** old.log2Count - 1)) * 16;
      const to = this.#wordOf(index);
      i32.copyWithin(to, from, from + 15);
      i32[to + CqeWords.VALID] = cqeGeneration(index, this.rings.log2Count);
    }
    i32[this.recordWord + CqDoorbellRecord.CONSUMER] = consumer;
    return this.rings;
  }

  #write(index: number, fields: CqeFields): void {
    const { i32 } = this.#memory;
    const cqe = this.#wordOf(index);
    i32.fill(0, cqe, cqe + CqeWords.VALID);
    for (const [name, value] of Object.entries(fields)) i32[cqe + CqeWords[name as keyof typeof CqeWords]] = value;
    Atomics.store(i32, cqe + CqeWords.VALID, cqeGeneration(index, this.rings.log2Count));
  }

  #wordOf(index: number): number {
    return (this.rings.cqAddr >>> 2) + (index & (this.entries - 1)) * 16;
  }

  #allocate(cqe: number, doorbell: Doorbell): CqRings {
    const log2Count = Math.ceil(Math.log2(cqe));
    return {
      kind: 'rings',
      i32: this.#memory.i32,
      doorbell,
      doorbellRecordAddr: this.#memory.alloc(CQ_DOORBELL_RECORD_BYTES),
      cqAddr: this.#memory.alloc(2 ** log2Count * CQE_BYTES),
      log2Count,
    };
  }
}

/** Makes the rings of a QP. */
export function allocateQpRings(
  memory: FakeMemory,
  doorbell: Doorbell,
  init: Pick<
    QpRings,
    'qpNum' | 'maxSendWr' | 'maxRecvWr' | 'maxSendSge' | 'maxRecvSge' | 'maxInlineData' | 'sendOpcodes'
  >,
): QpRings {
  const log2 = (n: number): number => Math.ceil(Math.log2(Math.max(1, n)));
  const sqLog2Bytes = log2(Math.max(64, 32 + 16 * init.maxSendSge, 32 + init.maxInlineData));
  const rqLog2Bytes = log2(16 + 16 * Math.max(1, init.maxRecvSge));
  const sqLog2Count = log2(init.maxSendWr);
  const rqLog2Count = log2(init.maxRecvWr);
  return {
    ...init,
    kind: 'rings',
    i32: memory.i32,
    u8: memory.u8,
    doorbell,
    doorbellRecordAddr: memory.alloc(QP_DOORBELL_RECORD_BYTES),
    sqAddr: memory.alloc(2 ** (sqLog2Count + sqLog2Bytes)),
    sqLog2Count,
    sqLog2Bytes,
    rqAddr: memory.alloc(2 ** (rqLog2Count + rqLog2Bytes)),
    rqLog2Count,
    rqLog2Bytes,
  };
}

/** Reads a word of a QP's doorbell record. */
export function qpRecordWord(rings: QpRings, word: keyof typeof QpDoorbellRecord): number {
  return rings.i32[(rings.doorbellRecordAddr >>> 2) + QpDoorbellRecord[word]];
}

/** Sets the state that the device shows. */
export function setQpState(rings: QpRings, state: number): void {
  rings.i32[(rings.doorbellRecordAddr >>> 2) + QpDoorbellRecord.STATE] = state;
}
