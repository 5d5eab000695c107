/**
 * What the objects need of a data path. There are two classes of each kind: one works on rings, the other calls the provider.
 */
import type { RecvWr } from './recv-wr.ts';
import type { SendWr } from './send-wr.ts';
import type { SgeLike } from './sge.ts';
import type { StagedSend } from './staged-send.ts';
import type { WorkCompletion } from './work-completion.ts';

/**
 * A send queue. {@link SendPath.append}, the two methods that take data, and {@link SendPath.complete} are the extended form: they
 * write work requests that nobody sees before `complete`, so giving up takes no call.
 */
export interface SendPath {
  /** After a refused post: which work request it was, from 0. */
  readonly badWrIndex: number;
  /** Posts a chain. Returns 0 or an error number; the work requests before `badWrIndex` are posted then. */
  post(wr: SendWr): number;
  /** Allows posts, or refuses them: in the states RESET, INIT and RTR, and after the end. */
  setReady(ready: boolean): void;
  /** Empties the queue, after the device has reset the QP. */
  reset(): void;
  /** Writes a work request to its place in the list. Returns 0 or an error number. */
  append(staged: StagedSend): number;
  /** Takes the SGEs of a work request that is appended later. Returns 0 or an error number. */
  setSgeList(staged: StagedSend, sges: readonly SgeLike[]): number;
  /** As {@link SendPath.setSgeList}, with inline data, which is copied. */
  setInlineData(staged: StagedSend, bytes: Uint8Array): number;
  /**
   * Appends the last work request and posts the list; or nothing of it, and returns an error number. The list has ended, and
   * `last.opcode` says so, before the provider is called, whatever that does. Where the provider writes the
   * WQEs it may find something that only it can see; the work requests before `badWrIndex` are posted then.
   */
  complete(last: StagedSend): number;
  /** After a refused `complete`: the work request that the provider refused; null when the last one could not be appended. */
  readonly badWr: SendWr | null;
}

/** A receive queue. */
export interface RecvPath {
  /** After a refused post: which work request it was, from 0. */
  readonly badWrIndex: number;
  /** Posts a chain. Returns 0 or an error number; the work requests before `badWrIndex` are posted then. */
  post(wr: RecvWr): number;
  /** Allows posts, or refuses them: in the state RESET and after the end. */
  setReady(ready: boolean): void;
  /** Empties the queue, after the device has reset the QP. */
  reset(): void;
}

/** A completion queue. */
export interface CqPath {
  /** The number of completions, or a negative error number. */
  poll(wcs: WorkCompletion[], limit: number): number;
  /** Asks for an event at the next completion, or the next solicited one. */
  reqNotify(solicitedOnly: boolean): void;
  /** The same; returns whether completions are there for which no event may come. Undefined where the provider can't tell. */
  reqNotifyReportMissed(solicitedOnly: boolean): boolean | undefined;
  /** Removes the completions of a QP that was reset or destroyed. */
  clean(qpNum: number): void;
}

/**
 * Reads the completions of an extended CQ, one at a time, where they lie. After {@link CqCursor.next} returned true, the fields and
 * methods tell of that completion.
 */
export interface CqCursor {
  /** `wrId` of the completion. */
  readonly wrId: number;
  /** `WcStatus` of the completion. */
  readonly status: number;
  /** Goes to the next completion; false when there is none. The `first` of a batch lets the device run before it gives up. */
  next(first: boolean): boolean;
  /** Gives back the room of all that was gone to. */
  end(): void;
  /** One of `WcOpcode`. */
  opcode(): number;
  /** Why it failed, 0 on success. */
  vendorErr(): number;
  /** Bytes transferred. */
  byteLen(): number;
  /** Immediate data, or the key that was invalidated. */
  immData(): number;
  /** Number of the local QP. */
  qpNum(): number;
  /** UD: number of the sender's QP. */
  srcQp(): number;
  /** `WcFlags` bits. */
  wcFlags(): number;
  /** UD: service level. */
  sl(): number;
  /** UD: LID of the sender. */
  slid(): number;
  /** UD: path bits of the local LID. */
  dlidPathBits(): number;
  /** When it was completed, in ticks of the device's clock. */
  completionTs(): number;
  /** The key that the failed check looked at. */
  faultKey(): number;
  /** The address or length that it looked at. */
  faultAddr(): number;
}
