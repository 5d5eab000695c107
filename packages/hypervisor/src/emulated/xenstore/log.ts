/**
 * Xenstore's contents in machine memory: a log of changes, from which every thread keeps its own copy.
 *
 * Changes are written behind the end of the log, where nobody looks, and then exist by one store of the new end. When the log is full, the
 * contents are written to the other half, and the same store moves there. So a thread that dies leaves whole changes or none, and
 * reading takes the lock only when something has changed.
 */
import { wakeAll } from '@openverbs/machine';
import { HypervisorError } from '../../errors.ts';
import { DOM0, XENSTORE_CONTENTS_SHARE, XENSTORE_RESERVED_SHARE } from '../../limits.ts';
import { HvHeader, xenstoreLayout } from '../layout.ts';
import type { XenstoreLayout } from '../layout.ts';
import type { Tables } from '../tables.ts';
import { Replica } from './replica.ts';
import type { Snapshot, StoreRecord } from './replica.ts';

/** The word of the head: which half is in use, in the top bit, and the words in use there. Who waits for changes sleeps on it. */
const END = 0;

/** Words in front of a half's records. */
const Half = {
  /** Counts the times that the log began anew. */
  EPOCH: 0,
  RECORDS: 1,
} as const;

const HALF_BIT = 0x80000000;
/** Told of each change that fires watches, while the copy is at that change. */
export type FireListener = (path: string, exact: boolean) => void;

export class StoreLog {
  readonly replica = new Replica();
  readonly listeners = new Set<FireListener>();
  readonly #tables: Tables;
  readonly #base: number;
  readonly #layout: XenstoreLayout;
  #end = 0;
  #epoch = -1;
  readonly #fire: FireListener = (path, exact) => {
    for (const listener of this.listeners) listener(path, exact);
  };

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#base = tables.i32[tables.header + HvHeader.XENSTORE];
    this.#layout = xenstoreLayout(tables.limits);
  }

  /** Word that changes with every change. */
  get word(): number {
    return this.#base + END;
  }

  /** Brings the copy up to date. */
  sync(): void {
    if (Atomics.load(this.#tables.i32, this.word) === this.#end) return;
    this.#tables.locked(() => {
      this.#replay();
    });
  }

  /** Runs a step with the lock held and the copy up to date. */
  update<T>(step: () => T): T {
    return this.#tables.locked(() => {
      this.#replay();
      return step();
    });
  }

  /**
   * Appends changes, all of them at once. To be called by a step of {@link StoreLog.update}.
   *
   * @param domid - who changes: a guest gets nothing of what is reserved for dom0
   * @param always - also when the contents have no more room, because the changes make room
   * @throws HypervisorError `ENOSPC`
   */
  append(records: readonly StoreRecord[], domid = DOM0, always = false): void {
    if (records.length === 0) return;
    const bytes = Buffer.from(JSON.stringify(records));
    const words = 1 + Math.ceil(bytes.length / 4);
    if (!always) this.#refuseOverflow(records, bytes.length, domid);
    const { i32, machine } = this.#tables;
    let half = this.#end < 0 ? 1 : 0;
    let used = this.#end === 0 ? Half.RECORDS : this.#end & ~HALF_BIT;
    if (used + words > this.#layout.halfWords) {
      half ^= 1;
      used = this.#beginAnew(half, words);
    }
    this.#writeChunk(this.#half(half) + used, bytes);
    Atomics.store(i32, this.word, (half << 31) | (used + words));
    Atomics.notify(i32, this.word);
    wakeAll(machine);
    this.#replay();
  }

  #replay(): void {
    const { i32 } = this.#tables;
    const end = Atomics.load(i32, this.word);
    if (end === 0) return;
    const half = this.#half(end < 0 ? 1 : 0);
    let position = this.#end & ~HALF_BIT;
    if (i32[half + Half.EPOCH] !== this.#epoch) {
      this.#epoch = i32[half + Half.EPOCH];
      position = Half.RECORDS;
      // The first time there was nothing yet to write.
      if (this.#epoch !== 0) {
        this.replica.load(JSON.parse(this.#readChunk(half + position)) as Snapshot, this.#fire);
        position += this.#chunkWords(half + position);
      }
    }
    for (const used = end & ~HALF_BIT; position < used; position += this.#chunkWords(half + position)) {
      const records = JSON.parse(this.#readChunk(half + position)) as StoreRecord[];
      for (const record of records) this.replica.apply(record, this.#fire);
    }
    this.#end = end;
  }

  /** Writes the contents to a half; returns the words it takes. */
  #beginAnew(half: number, more: number): number {
    const bytes = Buffer.from(JSON.stringify(this.replica.snapshot()));
    const words = Half.RECORDS + 1 + Math.ceil(bytes.length / 4);
    if (words + more > this.#layout.halfWords) throw this.#full(more * 4);
    this.#tables.i32[this.#half(half) + Half.EPOCH] = this.#epoch + 1;
    this.#writeChunk(this.#half(half) + Half.RECORDS, bytes);
    return words;
  }

  #refuseOverflow(records: readonly StoreRecord[], bytes: number, domid: number): void {
    if (!records.some(([kind]) => kind === 'w')) return;
    const reserved = domid === DOM0 ? 0 : XENSTORE_RESERVED_SHARE;
    const room = this.#layout.halfWords * 4 * XENSTORE_CONTENTS_SHARE * (1 - reserved);
    if (this.replica.bytes + bytes > room) throw this.#full(bytes);
  }

  #full(bytes: number): HypervisorError {
    const hint = 'remove nodes, or raise xenstoreBytesMax';
    return new HypervisorError('ENOSPC', `xenstore has no room for ${bytes} bytes more`, hint);
  }

  #half(half: number): number {
    const { halves, halfWords } = this.#layout;
    return this.#base + halves + half * halfWords;
  }

  /** A chunk is the number of its bytes, then the bytes, to a whole word. */
  #writeChunk(word: number, bytes: Uint8Array): void {
    this.#tables.i32[word] = bytes.length;
    this.#tables.machine.u8.set(bytes, (word + 1) * 4);
  }

  #readChunk(word: number): string {
    const start = (word + 1) * 4;
    // A copy, since text is not decoded from shared memory.
    return Buffer.from(this.#tables.machine.u8.slice(start, start + this.#tables.i32[word])).toString();
  }

  #chunkWords(word: number): number {
    return 1 + Math.ceil(this.#tables.i32[word] / 4);
  }
}
