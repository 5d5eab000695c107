/**
 * Cuts an action off in the middle, as the termination of its thread does.
 *
 * V8 ends a terminated thread where a function begins or a loop turns. Here each call of a method of the classes that are named is such a
 * place: the n-th one throws instead, and nothing more of the action happens.
 */

/** A class whose methods are places where a thread can die. */
export type Part = { readonly prototype: object };

type Method = (this: unknown, ...args: unknown[]) => unknown;

class Cut extends Error {}

/**
 * Runs an action up to the n-th call of a method of `parts`, counted from 0. What is called after the cut, by a `finally` say, is let through.
 *
 * @returns whether it was cut off; false means that the action has fewer calls, and was run to its end
 */
export function cutAtCall(parts: readonly Part[], n: number, action: () => void): boolean {
  let calls = 0;
  let dead = false;
  const undo = parts.map(({ prototype }) =>
    hookAll(prototype, () => {
      if (dead || calls++ !== n) return;
      dead = true;
      throw new Cut();
    }),
  );
  try {
    action();
  } catch (error) {
    if (!(error instanceof Cut)) throw error;
  } finally {
    for (const restore of undo) restore();
  }
  return dead;
}

/** Puts `before` in front of every method of a prototype; accessors stay as they are. */
function hookAll(prototype: object, before: () => void): () => void {
  const undo: (() => void)[] = [];
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === 'constructor' || typeof property.value !== 'function') continue;
    const original = property.value as Method;
    const hooked: Method = function (...args) {
      before();
      return original.apply(this, args);
    };
    Object.defineProperty(prototype, name, { ...property, value: hooked });
    undo.push(() => {
      Object.defineProperty(prototype, name, property);
    });
  }
  return () => {
    for (const restore of undo) restore();
  };
}
