/** The list of work requests that the extended form builds: how far it has come, and the first mistake in it. */
import { AsyncEventTarget } from './async-event-target.ts';
import type { Context } from './context.ts';
import type { SendPath } from './data-path.ts';
import { SendFlags } from './enums/wr.ts';
import { Errno, type VerbsError } from './errors.ts';
import type { VerbsObject } from './lifetime.ts';
import { GAVE_UP, ORDER, type Reason, type SendFacts, sendFacts, stagedFacts } from './send-facts.ts';
import { NoOperation, StagedData, StagedSend } from './staged-send.ts';
import { DOUBLE } from './words.ts';
import { SEND_FLAGS_KNOWN } from './rings/send-flags.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { NONE } = StagedData;
const { STARTED, MISTAKEN, IDLE, GIVEN_UP } = NoOperation;
const { EINVAL } = Errno;
/** INLINE is not for the caller to set: inline data does. */
const FLAGS_MASK = SEND_FLAGS_KNOWN & ~SendFlags.INLINE;
const FLAGS_KNOWN = SEND_FLAGS_KNOWN;
/** Whoever catches it finds out what is wrong. */
const NO_NUMBERS = new TypeError('wrId or wrFlags are none');

/** Where operations go that don't count: no list was begun, or a mistake was made before. @internal */
export const NOWHERE = new StagedSend();

/** The part of {@link QueuePair} that begins and ends lists; `QueuePairEx` has what goes into them. */
export abstract class SendList extends AsyncEventTarget {
  /** `wrId` of the next operation, a safe integer. */
  wrId = DOUBLE;
  /** `SendFlags` bits of the next operation. */
  wrFlags = 0;
  /** @internal */
  protected readonly sendPath: SendPath;
  /** The operation that was called last, until it is appended; and how far the list has come. @internal */
  protected readonly staged = new StagedSend();
  /** The first mistake of the list. */
  private mistake: VerbsError | null = null;

  /** @internal */
  constructor(context: Context, handle: number, parents: readonly VerbsObject[], sendPath: SendPath) {
    super(context, 'qp', handle, parents);
    this.wrId = 0;
    this.sendPath = sendPath;
  }

  /** Begins a list of work requests; one that was begun and not completed is given up. */
  wrStart(): void {
    const { staged } = this;
    staged.index = 0;
    staged.opcode = STARTED;
  }

  /**
   * Posts what was built. Throws EINVAL for a work request that is wrong, a state that takes none or calls in another order, ENOMEM
   * when the queue has no room for the list; `details.badWrIndex` tells which work request it was. Nothing is posted then, except
   * where the provider takes posts by calls and finds what only it can see: as with `postSend` the work requests before that one
   * are posted. The list has ended in every case. Source: `ibv_wr_complete`(3).
   */
  wrComplete(): void {
    const { staged } = this;
    if (staged.opcode < 0) return this.completeNothing(staged);
    const errno = this.sendPath.complete(staged);
    if (errno !== 0) throw this.completeError(errno);
  }

  /** Gives up what was built. */
  wrAbort(): void {
    this.staged.opcode = IDLE;
  }

  /** Whether `wrStart` was called, and neither `wrComplete` nor `wrAbort`. @internal */
  protected get building(): boolean {
    return this.staged.opcode > IDLE;
  }

  /** Gives up what was built because of a modify, or of the end; `wrComplete` will say so. @internal */
  protected giveUp(): void {
    if (this.building) this.staged.opcode = GIVEN_UP;
  }

  /** Explains a mistake. @internal */
  protected abstract extendedError(errno: number, badWrIndex: number, bad: SendFacts | Reason): VerbsError;

  /** Appends the operation before, and notes the next one. All are words: V8 boxes none on the way here. @internal */
  protected open(opcode: number, rkey: number, remoteAddrLo: number, remoteAddrHi: number): StagedSend {
    const { staged } = this;
    // What may throw comes before anything is noted.
    const { wrFlags } = this;
    const wrId = +this.wrId;
    if ((wrFlags & FLAGS_KNOWN) !== wrFlags || !(wrId >= 0)) throw NO_NUMBERS;
    const flags = wrFlags & FLAGS_MASK;
    if (staged.opcode !== STARTED && !this.append(staged)) return NOWHERE;
    staged.opcode = opcode;
    staged.flags = flags;
    staged.wrId = wrId;
    staged.rkey = rkey;
    staged.remoteAddrLo = remoteAddrLo;
    staged.remoteAddrHi = remoteAddrHi;
    staged.addressed = 0;
    staged.data = NONE;
    return staged;
  }

  /** Whether the next operation counts: one was noted before and could be appended. @internal */
  protected append(staged: StagedSend): boolean {
    if (staged.opcode < 0) return false;
    const errno = this.sendPath.append(staged);
    if (errno !== 0) this.refuse(errno, stagedFacts(staged));
    else staged.index++;
    return errno === 0;
  }

  /** A setter without an operation. @internal */
  protected misplaced(): void {
    this.refuse(EINVAL, ORDER);
  }

  /** Remembers that an operand is none. @internal */
  protected refuseOperand(fault: Reason | null): void {
    this.refuse(EINVAL, fault ?? stagedFacts(this.staged));
  }

  /** Remembers what is wrong with the arguments of a setter, where a form of it checks more than the setter. @internal */
  refuseArguments(message: string, hint: string): void {
    if (this.staged.opcode < 0) return this.misplaced();
    this.refuse(EINVAL, [message, hint]);
  }

  /** Remembers the first mistake. Where no list was begun there is none to remember it for; `wrComplete` will say so. @internal */
  protected refuse(errno: number, bad: SendFacts | Reason): void {
    const { staged } = this;
    if (staged.opcode <= MISTAKEN) return;
    this.mistake = this.extendedError(errno, staged.index, bad);
    staged.opcode = MISTAKEN;
  }

  private completeNothing({ opcode }: StagedSend): void {
    this.wrAbort();
    this.assertLive('ibv_wr_complete');
    if (opcode === STARTED) return; // an empty list
    if (opcode === MISTAKEN && this.mistake !== null) throw this.mistake;
    throw this.extendedError(EINVAL, 0, opcode === GIVEN_UP ? GAVE_UP : ORDER);
  }

  private completeError(errno: number): VerbsError {
    const { badWr, badWrIndex } = this.sendPath;
    const bad = badWr === null ? stagedFacts(this.staged) : sendFacts(badWr);
    this.wrAbort();
    return this.extendedError(errno, badWrIndex, bad);
  }
}
