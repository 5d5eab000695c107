/** How verbs objects live and end: who holds whom, the strict verb and the disposal by an owner. */
import { invalid, VerbsError } from './errors.ts';

/** Names of live children that an error message spells out. */
const NAMES_MAX = 8;

/**
 * What every verbs object is: something with parents, that can't go while its children live.
 *
 * It ends in one of two ways. The verb of its class (`qp.destroy()`, `pd.dealloc()` …) is strict: EBUSY while it is in use,
 * EINVAL the second time. `[Symbol.dispose]()`, which `using` calls, belongs to the owner: it ends the children first, the
 * youngest first, and then the object; a second time it does nothing, and it never throws, so that it hides no other error.
 */
export abstract class VerbsObject {
  #parents: readonly VerbsObject[];
  readonly #children = new Set<VerbsObject>();
  #destroyed = false;
  #yield: (() => void) | null = null;

  /** @internal */
  constructor(parents: readonly VerbsObject[]) {
    this.#parents = [...new Set(parents)];
    for (const parent of this.#parents) parent.#children.add(this);
  }

  /** What messages call it, for example `QP 17`. */
  abstract get label(): string;

  /** Its {@link VerbsObject.label}, so that a text can name it. */
  toString(): string {
    return this.label;
  }

  /** Whether it has ended. Every verb on it then throws EINVAL. */
  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** The live objects that hang on this one directly, the oldest first. */
  get children(): readonly VerbsObject[] {
    return [...this.#children];
  }

  /**
   * For who keeps the object for later use: `give` is called before an object that it hangs on ends, in either way, and may end this
   * one, so that what is merely kept is in nobody's way. The last one that is set counts.
   */
  beforeOwnerEnds(give: () => void): void {
    this.#yield = give;
  }

  /** Ends the children, the youngest first, then the object. Does nothing when it has ended; never throws. */
  [Symbol.dispose](): void {
    if (this.#destroyed) return;
    try {
      this.#askKept();
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
    for (const child of [...this.#children].reverse()) child[Symbol.dispose]();
    try {
      this.releaseInProvider();
    } catch (error) {
      // Thrown, it would take the place of the error that made the owner leave.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
    this.#end();
  }

  /** Throws EINVAL when the object has ended. @internal */
  assertLive(verb: string): void {
    if (this.#destroyed) throw invalid(verb, `${this.label} is already destroyed`);
  }

  /** The body of the strict verb. @internal */
  protected endStrictly(verb: string): void {
    this.assertLive(verb);
    this.#askKept();
    if (this.#children.size > 0) throw this.#inUse(verb);
    const unacknowledged = this.unacknowledgedEvents();
    if (unacknowledged > 0) {
      const message = `${this.label} has ${unacknowledged} unacknowledged ${unacknowledged === 1 ? 'event' : 'events'}`;
      throw new VerbsError({ code: 'EBUSY', verb, message, hint: 'acknowledge them', details: { unacknowledged } });
    }
    this.releaseInProvider();
    this.#end();
  }

  /** Hangs the object under other parents. @internal */
  protected reparent(parents: readonly VerbsObject[]): void {
    for (const parent of this.#parents) parent.#children.delete(this);
    this.#parents = [...new Set(parents)];
    for (const parent of this.#parents) parent.#children.add(this);
  }

  /** Events that were handed to the application and not acknowledged. @internal */
  protected unacknowledgedEvents(): number {
    return 0;
  }

  /** Ends the object in the provider; when it throws, the object lives on. @internal */
  protected abstract releaseInProvider(): void;

  /** Called when the object has ended: forgets its events, and refuses further use of its data path. @internal */
  protected onEnded(): void {}

  #askKept(): void {
    for (const child of [...this.#children]) child.#yield?.();
  }

  #end(): void {
    this.#destroyed = true;
    for (const parent of this.#parents) parent.#children.delete(this);
    this.onEnded();
  }

  #inUse(verb: string): VerbsError {
    const children = Array.from(this.#children, (child) => child.label);
    const more = children.length - NAMES_MAX;
    const named = children.slice(0, NAMES_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
    const hint = 'end these first, or dispose the owner';
    return new VerbsError({
      code: 'EBUSY',
      verb,
      message: `${this.label} is in use by ${named}`,
      hint,
      details: { children },
    });
  }
}
