/**
 * Where a tracer listens to the device. What happens is noted under the lock and told when it was released, since whoever listens
 * may do anything. Without a listener, or one that wants nothing, no record is made.
 */
import type { Machine } from '@openverbs/machine';
import { HcaHeader, Qpc } from './layout.ts';
import { TAP_RECORDS_MAX } from './limits.ts';

/** A frame on its way through a port. */
export interface FrameRecord {
  readonly direction: 'sent' | 'received';
  /** Index of the HCA, and the port, as the link numbers ports. */
  readonly portId: number;
  /** In time of the device. */
  readonly atNs: number;
  /** A copy, from the IP header to the ICRC. */
  readonly frame: Uint8Array;
}

/** Something that the device noticed. */
export interface NoteRecord {
  /** Index of the HCA. */
  readonly hca: number;
  /** Number of the QP that it is about, or 0. */
  readonly qpn: number;
  /** In time of the device. */
  readonly atNs: number;
  /** A counter's name, or one of {@link NoteKind}. */
  readonly what: string;
  /** What belongs to it. */
  readonly values: readonly number[];
}

/** Notes that are no counters. */
export const NoteKind = {
  /** A completion that is no success; values: syndrome, vendor error, fault key, fault address low and high. */
  COMPLETION: 'completion',
  /** The device put a QP into a state; value: the state. */
  STATE: 'state',
  /** A doorbell named an object of another UAR, or none. */
  DOORBELL_DROPPED: 'doorbell_dropped',
  /** The lock was taken over from a thread that had died. */
  RECOVERED: 'recovered',
  /** Objects of a thread that had died were reclaimed. */
  REAPED: 'reaped',
  /** Records were lost because nobody took them; value: how many. */
  LOST: 'lost',
} as const;

/** Who listens. */
export interface TapListener {
  /** Whether frames are wanted now. */
  readonly wantsFrames: boolean;
  /** Whether notes are wanted now. */
  readonly wantsNotes: boolean;
  /** Called without the lock. */
  onFrame(record: FrameRecord): void;
  /** Called without the lock. */
  onNote(record: NoteRecord): void;
}

export class Tap {
  listener: TapListener | null = null;
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #nowNs: () => number;
  /** Has {@link Tap.flush} called once the lock is released. */
  readonly #wake: () => void;
  #records: (FrameRecord | NoteRecord)[] = [];
  #lost = 0;

  constructor(machine: Machine, nowNs: () => number, wake: () => void) {
    this.#i32 = machine.i32;
    this.#u8 = machine.u8;
    this.#nowNs = nowNs;
    this.#wake = wake;
  }

  /** A frame of `length` bytes at `at`. */
  frame(direction: FrameRecord['direction'], portId: number, at: number, length: number): void {
    if (this.listener?.wantsFrames !== true) return;
    const start = at >>> 0;
    const frame = Uint8Array.from(this.#u8.subarray(start, start + length));
    this.#add({ direction, portId, atNs: this.#nowNs(), frame });
  }

  /** Something about the QP at `q`. */
  note(q: number, what: string, ...values: number[]): void {
    if (this.listener?.wantsNotes !== true) return;
    this.#addNote(this.#i32[this.#i32[q + Qpc.HCA] + HcaHeader.INDEX], this.#i32[q + Qpc.QPN], what, values);
  }

  /** Something about the machine, told as the first HCA's. */
  noteMachine(what: string, ...values: number[]): void {
    if (this.listener?.wantsNotes === true) this.#addNote(0, 0, what, values);
  }

  /** Tells what was noted. The lock must not be held. */
  flush(): void {
    const records = this.#records;
    const { listener } = this;
    this.#records = [];
    if (this.#lost > 0) {
      records.push({ hca: 0, qpn: 0, atNs: this.#nowNs(), what: NoteKind.LOST, values: [this.#lost] });
      this.#lost = 0;
    }
    if (listener === null) return;
    for (const record of records) {
      if ('frame' in record) listener.onFrame(record);
      else listener.onNote(record);
    }
  }

  #addNote(hca: number, qpn: number, what: string, values: readonly number[]): void {
    this.#add({ hca, qpn, atNs: this.#nowNs(), what, values });
  }

  #add(record: FrameRecord | NoteRecord): void {
    if (this.#records.length >= TAP_RECORDS_MAX) this.#lost++;
    else this.#records.push(record);
    this.#wake();
  }
}
