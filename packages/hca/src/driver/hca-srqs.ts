/** The SRQs of a context. Their handles are the device's numbers (SRQN). */
import { SrqAttrMask } from '@openverbs/verbs';
import type { SrqAttr } from '@openverbs/verbs';
import type { SrqModifyOps, SrqOps, SrqRings, XrcSrqRequest } from '@openverbs/verbs/driver';
import { SRQ_DOORBELL_RECORD_BYTES } from '@openverbs/verbs/rings';
import type { CommandInterface } from '../command-interface.ts';
import { asVerbsError } from './errors.ts';
import type { SrqGeometry } from './ring-geometry.ts';
import { srqGeometry } from './ring-geometry.ts';
import type { RingBuffer, RingMemory } from './ring-memory.ts';

/** What the driver remembers of an SRQ. */
interface Srq {
  readonly buffer: RingBuffer;
  readonly geometry: SrqGeometry;
}

export class HcaSrqs {
  readonly #commands: CommandInterface;
  readonly #uar: number;
  readonly #rings: RingMemory;
  readonly #srqs = new Map<number, Srq>();

  constructor(commands: CommandInterface, uar: number, rings: RingMemory) {
    this.#commands = commands;
    this.#uar = uar;
    this.#rings = rings;
  }

  /** The limit is not armed by a create: "irrelevant" there, says ibv_create_srq(3). */
  create(pd: number, { maxWr, maxSge }: SrqAttr, xrc: XrcSrqRequest | null): SrqOps {
    const geometry = asVerbsError(() => srqGeometry(maxWr, maxSge));
    const { log2Count, wqeLog2Bytes, bytes } = geometry;
    const buffer = this.#rings.alloc(bytes);
    const init = { uar: this.#uar, pd, bufferKey: buffer.key, log2Count, wqeLog2Bytes, maxWr, maxSge };
    const domain = xrc === null ? {} : { xrc: { xrcdn: xrc.xrcd, cqn: xrc.cq } };
    const srqn = this.#rings.orFree(buffer, () => this.#commands.srqs.create({ ...init, ...domain }));
    const srq = { buffer, geometry };
    this.#srqs.set(srqn, srq);
    return { handle: srqn, srqNum: srqn, maxWr, maxSge, dataPath: this.#dataPath(srq, maxWr, maxSge) };
  }

  /** The ring moves only to grow: one that is larger than asked for does no harm. */
  modify(srqn: number, attr: Partial<SrqAttr>, mask: number): SrqModifyOps {
    const limit = (mask & SrqAttrMask.LIMIT) === 0 ? {} : { limit: attr.srqLimit! };
    const before = this.query(srqn);
    const maxWr = (mask & SrqAttrMask.MAX_WR) === 0 ? before.maxWr : attr.maxWr!;
    const old = this.#srqs.get(srqn)!;
    const geometry = asVerbsError(() => srqGeometry(maxWr, before.maxSge));
    if (geometry.log2Count <= old.geometry.log2Count) {
      asVerbsError(() => {
        this.#commands.srqs.modify(srqn, { maxWr, ...limit });
      });
      return { maxWr, dataPath: this.#dataPath(old, maxWr, before.maxSge) };
    }
    const buffer = this.#rings.alloc(geometry.bytes);
    const ring = { bufferKey: buffer.key, log2Count: geometry.log2Count };
    this.#rings.orFree(buffer, () => {
      this.#commands.srqs.modify(srqn, { maxWr, ring, ...limit });
    });
    this.#rings.free(old.buffer);
    const moved = { buffer, geometry };
    this.#srqs.set(srqn, moved);
    return { maxWr, dataPath: this.#dataPath(moved, maxWr, before.maxSge) };
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

  #dataPath({ buffer, geometry }: Srq, maxWr: number, maxSge: number): SrqRings {
    const { log2Count, wqeLog2Bytes, wqeOffset } = geometry;
    return {
      kind: 'rings',
      i32: this.#commands.engine.machine.i32,
      doorbellRecordAddr: buffer.addr,
      ringAddr: buffer.addr + SRQ_DOORBELL_RECORD_BYTES,
      wqeAddr: buffer.addr + wqeOffset,
      log2Count,
      wqeLog2Bytes,
      maxWr,
      maxSge,
    };
  }
}
