/** Names of enum values, for people. */

/** The name of `value` in an enum object, for example `enumName(QpState, 3)` is `'RTS'`; the number itself when it has none. */
export function enumName(values: Readonly<Record<string, number>>, value: number): string {
  for (const name in values) if (values[name] === value) return name;
  return String(value);
}

/** The names of the bits that are set in `flags`, joined by ` | `; bits without a name as a hexadecimal number; `0` for none. */
export function flagNames(bits: Readonly<Record<string, number>>, flags: number): string {
  const names: string[] = [];
  let rest = flags >>> 0;
  for (const name in bits) {
    const bit = bits[name];
    if (bit !== 0 && (flags & bit) === bit) {
      names.push(name);
      rest &= ~bit;
    }
  }
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.length === 0 ? '0' : names.join(' | ');
}
