/** The SRQs of a context. Their handles are the device's numbers (SRQN). */
import { SrqAttrMask } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';
import type { DirectSrqOps, SrqModifyOps, SrqOps, XrcSrqRequest } from '@openverbs/verbs/driver';
import type { CommandInterface } from '../command-interface.ts';
import type { SrqChange } from '../command-init.ts';
import { asVerbsError } from './errors.ts';
import { elsewhere, notElsewhere } from './hca-cqs.ts';
import type { RingBuffer, RingMemory } from './ring-memory.ts';
import type { HcaSrqGeometry, HcaUserHalf } from './user-half.ts';

/** What the driver remembers of an SRQ. */
interface Srq {
  /** null where it is memory of another. */
  readonly buffer: RingBuffer | null;
  readonly geometry: HcaSrqGeometry;
}

export class HcaSrqs {
  readonly #commands: CommandInterface;
  readonly #uar: number;
  readonly #rings: RingMemory;
  readonly #user: HcaUserHalf;
  readonly #srqs = new Map<number, Srq>();

  constructor(commands: CommandInterface, uar: number, rings: RingMemory, user: HcaUserHalf) {
    this.#commands = commands;
    this.#uar = uar;
    this.#rings = rings;
    this.#user = user;
  }

  create(pd: number, attr: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    const geometry = this.#user.srqGeometry(attr.maxWr, attr.maxSge);
    const buffer = this.#rings.alloc(geometry.bytes);
    const made = this.#rings.orFree(buffer, () => this.createOn(buffer.key, pd, attr, xrc));
    this.#srqs.set(made.handle, { buffer, geometry });
    return { ...made, dataPath: this.#user.srqRings(buffer.addr, geometry) };
  }

  /** Stage two: on the key of memory that is registered. The limit is not armed: "irrelevant" here, says ibv_create_srq(3). */
  createOn(bufferKey: number, pd: number, { maxWr, maxSge }: SrqAttr, xrc: XrcSrqRequest | null): DirectSrqOps {
    const geometry = this.#user.srqGeometry(maxWr, maxSge);
    const { log2Count, wqeLog2Bytes } = geometry.ring;
    const init = { uar: this.#uar, pd, bufferKey, log2Count, wqeLog2Bytes, maxWr, maxSge };
    const domain = xrc === null ? {} : { xrc: { xrcdn: xrc.xrcd, cqn: xrc.cq } };
    const handle = this.#commands.srqs.create({ ...init, ...domain });
    this.#srqs.set(handle, { buffer: null, geometry });
    return { handle, srqNum: handle, maxWr, maxSge };
  }

  /** The ring moves only to grow: one that is larger than asked for does no harm. */
  modify(srqn: number, attr: Partial<SrqAttr>, mask: number): SrqModifyOps {
    const { change, maxWr, geometry } = this.#changeOf(srqn, attr, mask);
    const { buffer: old, geometry: former } = this.#srqs.get(srqn)!;
    if (geometry.ringWr <= former.ringWr) {
      asVerbsError(() => {
        this.#commands.srqs.modify(srqn, change);
      });
      return old === null ? { maxWr } : { maxWr, dataPath: this.#user.srqRings(old.addr, former, maxWr) };
    }
    if (old === null) throw elsewhere(`SRQ ${srqn}`);
    const buffer = this.#rings.alloc(geometry.bytes);
    this.#rings.orFree(buffer, () => {
      this.#commands.srqs.modify(srqn, { ...change, ring: ringAt(buffer.key, geometry) });
    });
    this.#rings.free(old);
    this.#srqs.set(srqn, { buffer, geometry });
    return { maxWr, dataPath: this.#user.srqRings(buffer.addr, geometry) };
  }

  /** Another size, for an SRQ in memory of another, in other memory of the same. */
  resizeOn(srqn: number, bufferKey: number, attr: Partial<SrqAttr>, mask: number): { readonly maxWr: number } {
    if (this.#srqs.get(srqn)?.buffer !== null) throw notElsewhere(`SRQ ${srqn}`);
    const { change, maxWr, geometry } = this.#changeOf(srqn, attr, mask);
    this.#commands.srqs.modify(srqn, { ...change, ring: ringAt(bufferKey, geometry) });
    this.#srqs.set(srqn, { buffer: null, geometry });
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
    return { change: { maxWr, ...limit }, maxWr, geometry: this.#user.srqGeometry(maxWr, before.maxSge) };
  }

  query(srqn: number): SrqAttr {
    const { maxWr, maxSge, limit } = asVerbsError(() => this.#commands.srqs.query(srqn));
    return { maxWr, maxSge, srqLimit: limit };
  }

  destroy(srqn: number): void {
    asVerbsError(() => {
      this.#commands.srqs.destroy(srqn);
    });
    this.#rings.free(this.#srqs.get(srqn)!.buffer);
    this.#srqs.delete(srqn);
  }

  destroyAll(): void {
    for (const srqn of [...this.#srqs.keys()]) this.destroy(srqn);
  }
}

function ringAt(bufferKey: number, { ring: { log2Count } }: HcaSrqGeometry): Required<SrqChange>['ring'] {
  return { bufferKey, log2Count };
}
