/** An object that is like another one but for a few properties. */

/**
 * What `overrides` has, and of `target` the rest, also what is added to it later; methods work on `target` itself, whatever is private in it.
 */
export function overriding<T extends object>(target: T, overrides: Partial<T>): T {
  // Over an object of its own: a proxy may not give another value for what is frozen in its target.
  return new Proxy({} as T, {
    get(_, name) {
      if (Object.hasOwn(overrides, name)) return Reflect.get(overrides, name) as unknown;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
    // What somebody else overrides later goes first, and the target stays as it is.
    set: (_, name, value) => Reflect.set(overrides, name, value),
    has: (_, name) => name in overrides || name in target,
  });
}
