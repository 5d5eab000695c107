/** How objects print. */

/** The method that `util.inspect` and `console.log` call. Node looks it up by this name, so no import is needed. */
export const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** One line, for example `QueuePair { qpNum: 17, state: RTS }`. */
export function inspectLine(name: string, fields: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(fields).map(([key, value]) => `${key}: ${String(value)}`);
  return `${name} { ${parts.join(', ')} }`;
}
