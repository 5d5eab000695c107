/** Objects of one kind that a guest has, by handle, within its quota. */
import { VerbsError } from '@openverbs/verbs';
import type { Quota, QuotaKind } from './quota.ts';

export class HandleTable<T> {
  readonly #objects = new Map<number, T>();
  readonly #what: string;
  readonly #kind: QuotaKind;
  readonly #quota: Quota;
  readonly #handleOf: (object: T) => number;

  /** @param what - an object of the kind, for errors */
  constructor(what: string, kind: QuotaKind, quota: Quota, handleOf: (object: T) => number) {
    this.#what = what;
    this.#kind = kind;
    this.#quota = quota;
    this.#handleOf = handleOf;
  }

  /** Makes an object within the quota. */
  add(make: () => T): T {
    return this.#quota.within(this.#kind, () => {
      const object = make();
      this.#objects.set(this.#handleOf(object), object);
      return object;
    });
  }

  /** @throws VerbsError EINVAL when the guest has no such object in the context */
  get(handle: number): T {
    const object = this.#objects.get(handle);
    if (object !== undefined) return object;
    throw new VerbsError({ code: 'EINVAL', message: `there is no ${this.#what} ${handle} in this context` });
  }

  /** Whatever the handle is. */
  find(handle: number): T | undefined {
    return this.#objects.get(handle);
  }

  /** Ends an object; it stays when `end` throws. */
  remove(handle: number, end: (object: T) => void): void {
    end(this.get(handle));
    this.#objects.delete(handle);
    this.#quota.give(this.#kind);
  }

  values(): T[] {
    return [...this.#objects.values()];
  }

  /** All of them are gone. */
  clear(): void {
    this.#quota.give(this.#kind, this.#objects.size);
    this.#objects.clear();
  }
}
