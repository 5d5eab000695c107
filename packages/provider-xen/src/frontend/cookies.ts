/** The front-end's numbers of its objects: events name them, so that a late one of a handle that is used again goes to nobody. */
export class Cookies {
  readonly #handles = new Map<number, number>();
  #last = 0;
  /** Events of objects that are no more. */
  dropped = 0;

  /** A number for an object that is about to be made. */
  next(): number {
    do this.#last = (this.#last % 0x7fffffff) + 1;
    while (this.#handles.has(this.#last));
    return this.#last;
  }

  /** The object is made. */
  bind(cookie: number, handle: number): void {
    this.#handles.set(cookie, handle);
  }

  /** The object is no more. */
  release(cookie: number): void {
    this.#handles.delete(cookie);
  }

  /** The handle, or 0 for an object that is no more. */
  handleOf(cookie: number): number {
    const handle = this.#handles.get(cookie);
    if (handle !== undefined) return handle;
    this.dropped++;
    return 0;
  }
}
