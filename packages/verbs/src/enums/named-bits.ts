/** What is known of an enum of flags. */

/** All bits of `bits` that have a name: those that a check lets through. */
export function namedBits(bits: Readonly<Record<string, number>>): number {
  return Object.values(bits).reduce((all, bit) => all | bit, 0);
}
