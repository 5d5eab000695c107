/** Out-parameters: objects of the caller that a call fills and returns. */

/** An object to be filled with a `T`; empty, or one that was filled before. */
export type Out<T> = { -readonly [Key in keyof T]?: T[Key] };

/** Fills `target` with what `source` holds, and returns it. */
export function filled<T extends object>(target: Out<T>, source: T): T {
  return Object.assign<object, T>(target, source);
}
