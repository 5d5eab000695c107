/** The SRQs of a context. Their handles are the device's numbers (SRQN). */
import { SrqAttrMask } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';
import { QueueMemory } from '@openverbs/verbs/driver';
import type { DirectSrqOps, SrqModifyOps, SrqOps, XrcSrqRequest } from '@openverbs/verbs/driver';
import type { SrqChange } from '../command-init.ts';
import { Srqc } from '../layout.ts';
import { asVerbsError } from './errors.ts';
import { elsewhere, notElsewhere } from './hca-cqs.ts';
import type { QueueParts, RingBuffer } from './ring-memory.ts';
import type { HcaSrqGeometry } from './user-half.ts';

export class HcaSrqs {
  readonly #parts: QueueParts;
  /** Of those that are in memory of another there is none. */
  readonly #memory: QueueMemory<RingBuffer>;
  /** What the memory of each SRQ holds. */
  readonly #geometries = new Map<number, HcaSrqGeometry>();

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#memory = new QueueMemory(parts.rings);
  }

  create(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    const { rings, user } = this.#parts;
    const geometry = user.srqGeometry(attr.maxWr, attr.maxSge);
    return this.#memory.create(geometry.bytes, ({ addr, key }) => {
      const made = rings.withReaping(() => this.createOn(key, pd, attr, xrc));
      return { ...made, dataPath: user.srqRings(addr, geometry) };
    });
  }

  /** Stage two: on the key of memory that is registered. The limit is not armed: "irrelevant" here, says ibv_create_srq(3). */
  createOn(bufferKey: number, pd: number, { maxWr, maxSge }: SrqAttr, xrc: XrcSrqRequest | null): DirectSrqOps {
    const { commands, uar, user } = this.#parts;
    const geometry = user.srqGeometry(maxWr, maxSge);
    const { log2Count, wqeLog2Bytes } = geometry.ring;
    const init = { uar, pd, bufferKey, log2Count, wqeLog2Bytes, maxWr, maxSge };
    const domain = xrc === null ? {} : { xrc: { xrcdn: xrc.xrcd, cqn: xrc.cq } };
    const handle = commands.srqs.create({ ...init, ...domain });
    this.#geometries.set(handle, geometry);
    return { handle, srqNum: handle, maxWr, maxSge };
  }

  /** As for QPs, see `HcaQps.takenOf`. */
  takenOf(srqn: number): () => number {
    const { commands } = this.#parts;
    const { i32 } = commands.engine.machine;
    const s = commands.srqs.context(srqn);
    let taken = 0;
    return () => {
      if (i32[s + Srqc.SRQN] === srqn) taken = i32[s + Srqc.CONSUMER] >>> 0;
      return taken;
    };
  }

  /** The ring moves only to grow: one that is larger than asked for does no harm. */
  modify(srqn: number, attr: Partial<SrqAttr>, mask: number): SrqModifyOps {
    const { commands, rings, user } = this.#parts;
    const { change, maxWr, geometry } = this.#changeOf(srqn, attr, mask);
    const former = this.#geometries.get(srqn)!;
    const memory = this.#memory.of(srqn);
    if (geometry.ringWr <= former.ringWr) {
      asVerbsError(() => {
        commands.srqs.modify(srqn, change);
      });
      return memory === undefined ? { maxWr } : { maxWr, dataPath: user.srqRings(memory.addr, former, maxWr) };
    }
    if (memory === undefined) throw elsewhere(`SRQ ${srqn}`);
    return this.#memory.move(srqn, geometry.bytes, ({ addr, key }) => {
      rings.withReaping(() => {
        commands.srqs.modify(srqn, { ...change, ring: ringAt(key, geometry) });
      });
      this.#geometries.set(srqn, geometry);
      return { maxWr, dataPath: user.srqRings(addr, geometry) };
    });
  }

  /** Another size, for an SRQ in memory of another, in other memory of the same. */
  resizeOn(srqn: number, bufferKey: number, attr: Partial<SrqAttr>, mask: number): { readonly maxWr: number } {
    if (this.#memory.of(srqn) !== undefined) throw notElsewhere(`SRQ ${srqn}`);
    const { change, maxWr, geometry } = this.#changeOf(srqn, attr, mask);
    this.#parts.commands.srqs.modify(srqn, { ...change, ring: ringAt(bufferKey, geometry) });
    this.#geometries.set(srqn, geometry);
    return { maxWr };
  }

  /** What a modify means for the device, and what memory the new size wants. */
  #changeOf(
    srqn: number,
    attr: Partial<SrqAttr>,
    mask: number,
  ): { readonly change: SrqChange; readonly maxWr: number; readonly geometry: HcaSrqGeometry } {
    const before = this.query(srqn);
    const maxWr = (mask & SrqAttrMask.MAX_WR) === 0 ? before.maxWr : attr.maxWr!;
    const limit = (mask & SrqAttrMask.LIMIT) === 0 ? {} : { limit: attr.srqLimit! };
    return { change: { maxWr, ...limit }, maxWr, geometry: this.#parts.user.srqGeometry(maxWr, before.maxSge) };
  }

  query(srqn: number): SrqAttr {
    const { maxWr, maxSge, limit } = asVerbsError(() => this.#parts.commands.srqs.query(srqn));
    return { maxWr, maxSge, srqLimit: limit };
  }

  destroy(srqn: number): void {
    asVerbsError(() => {
      this.#parts.commands.srqs.destroy(srqn);
    });
    this.#memory.release(srqn);
    this.#geometries.delete(srqn);
  }

  destroyAll(): void {
    for (const srqn of [...this.#geometries.keys()]) this.destroy(srqn);
  }
}

function ringAt(bufferKey: number, { ring: { log2Count } }: HcaSrqGeometry): Required<SrqChange>['ring'] {
  return { bufferKey, log2Count };
}
