/** Finds the checks that a table of equivalent ones means. */
import type { Check } from './check.ts';
import type { Equivalent, Equivalents } from './equivalent.ts';

/** What a table says of checks. */
export interface Matches<C extends Check> {
  readonly equivalent: ReadonlyMap<C, Equivalent>;
  /** What is wrong with its entries, a line each: none of the checks is meant, or more than one. */
  readonly wrong: readonly string[];
}

export function matchEquivalent<C extends Check>(checks: readonly C[], table: Equivalents): Matches<C> {
  const equivalent = new Map<C, Equivalent>();
  const wrong: string[] = [];
  for (const [file, entries] of Object.entries(table)) {
    for (const entry of entries) {
      const { fn, text, within = '' } = entry;
      const meant = checks.filter(
        (check) => check.file === file && check.fn === fn && check.text === text && check.whole.includes(within),
      );
      const name = `${file} ${fn}: ${text}`;
      if (meant.length === 0) wrong.push(`${name}: there is no such check`);
      else if (meant.length > 1) wrong.push(`${name}: there are ${meant.length} of them; 'within' says which`);
      else if (equivalent.has(meant[0])) wrong.push(`${name}: stands in the table twice`);
      else equivalent.set(meant[0], entry);
    }
  }
  return { equivalent, wrong };
}
