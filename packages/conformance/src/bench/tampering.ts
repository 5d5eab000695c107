/**
 * Writing into rings by hand, as a hostile or broken program would, behind the back of `verbs`.
 *
 * The provider's create operations are wrapped, so that the rings that they hand over are known and their doorbell can be held
 * up: a WQE is spoilt after `verbs` has written it and before the device hears of it. Everything else is as in any program, so
 * what the device does about it comes back through ordinary polls.
 */
import type { CompletionQueue, Context, QueuePair, SharedReceiveQueue } from '@openverbs/verbs';
import type { ContextOps, CqRings, Doorbell, QpRings, SrqRings } from '@openverbs/verbs/driver';
import { QpDoorbellRecord } from '@openverbs/verbs/rings';

/** New values for words of a WQE, by their offset. */
export type Words = Readonly<Record<number, number>>;

/** The rings of a context whose objects are made after this. */
export class Tampering {
  readonly #qps = new Map<number, QpRings>();
  readonly #cqs = new Map<number, CqRings>();
  readonly #srqs = new Map<number, SrqRings>();
  /** What is to happen before the next doorbell of a QP gets through. */
  readonly #edits = new Map<number, (rings: QpRings) => void>();

  constructor(context: Context) {
    const ops = context.ops as { -readonly [Name in keyof ContextOps]: ContextOps[Name] };
    const { createQp, createCq, createSrq } = ops;
    if (createQp === undefined || createCq === undefined) throw new TypeError('the provider makes no QPs or CQs');
    ops.createQp = (request) => {
      const made = createQp.call(ops, request);
      const ringsMade = ringsOf('a QP', made.dataPath, () => ops.destroyQp?.(made.handle));
      const rings = { ...ringsMade, doorbell: this.#held(ringsMade.doorbell) };
      this.#qps.set(made.qpNum, rings);
      return { ...made, dataPath: rings };
    };
    ops.createCq = (attr) => {
      const made = createCq.call(ops, attr);
      this.#cqs.set(
        made.handle,
        ringsOf('a CQ', made.dataPath, () => ops.destroyCq?.(made.handle)),
      );
      return made;
    };
    if (createSrq === undefined) return;
    ops.createSrq = (pd, attr, xrc) => {
      const made = createSrq.call(ops, pd, attr, xrc);
      this.#srqs.set(
        made.handle,
        ringsOf('an SRQ', made.dataPath, () => ops.destroySrq?.(made.handle)),
      );
      return made;
    };
  }

  /** The rings of a QP. */
  rings({ qpNum }: QueuePair): QpRings {
    const rings = this.#qps.get(qpNum);
    if (rings === undefined) throw new TypeError(`QP ${qpNum} was made before the context was tampered with`);
    return rings;
  }

  /** The ring of a CQ. */
  ring({ handle }: CompletionQueue): CqRings {
    const ring = this.#cqs.get(handle);
    if (ring === undefined) throw new TypeError(`CQ ${handle} was made before the context was tampered with`);
    return ring;
  }

  /** The rings of an SRQ. */
  sharedRing({ handle }: SharedReceiveQueue): SrqRings {
    const rings = this.#srqs.get(handle);
    if (rings === undefined) throw new TypeError(`SRQ ${handle} was made before the context was tampered with`);
    return rings;
  }

  /** Does `edit` to the rings of `qp` when the next post has written its WQE and is about to ring the doorbell. */
  beforeDoorbell(qp: QueuePair, edit: (rings: QpRings) => void): void {
    this.#edits.set(qp.qpNum, edit);
  }

  /** Changes words of the WQE that the next post writes. */
  spoilNextSend(qp: QueuePair, words: Words): void {
    this.beforeDoorbell(qp, (rings) => {
      store(rings.i32, lastSendWqe(rings), words);
    });
  }

  /** Changes words of the receive WQE that was posted last. There is no doorbell: the device looks when a message comes. */
  spoilLastReceive(qp: QueuePair, words: Words): void {
    const rings = this.rings(qp);
    const last = rings.i32[(rings.doorbellRecordAddr >>> 2) + QpDoorbellRecord.RQ_PRODUCER] - 1;
    const slot = last & (2 ** rings.rqLog2Count - 1);
    store(rings.i32, (rings.rqAddr + slot * 2 ** rings.rqLog2Bytes) >>> 2, words);
  }

  #held(doorbell: Doorbell): Doorbell {
    return {
      ringSq: (qpNum) => {
        const edit = this.#edits.get(qpNum);
        this.#edits.delete(qpNum);
        edit?.(this.#qps.get(qpNum) as QpRings);
        doorbell.ringSq(qpNum);
      },
      ringRq: (qpNum) => {
        doorbell.ringRq(qpNum);
      },
      inlineSource: (addr, length) => doorbell.inlineSource(addr, length),
      idle: () => {
        doorbell.idle();
      },
    };
  }
}

/** Word index of the WQE that was posted last. */
export function lastSendWqe(rings: QpRings): number {
  const producer = rings.i32[(rings.doorbellRecordAddr >>> 2) + QpDoorbellRecord.SQ_PRODUCER];
  const slot = (producer - 1) & (2 ** rings.sqLog2Count - 1);
  return (rings.sqAddr + slot * 2 ** rings.sqLog2Bytes) >>> 2;
}

function store(i32: Int32Array, at: number, words: Words): void {
  for (const [word, value] of Object.entries(words)) i32[at + Number(word)] = value;
}

/** The rings of what was just made. Without them it is ended again: nobody else knows of it, and what it uses could not end. */
function ringsOf<Path extends { readonly kind: 'rings' | 'calls' }>(
  what: string,
  path: Path,
  end: () => void,
): Extract<Path, { readonly kind: 'rings' }> {
  if (path.kind === 'rings') return path as Extract<Path, { readonly kind: 'rings' }>;
  end();
  throw new TypeError(`the manifest claims directAccess, but ${what} has no rings`);
}
