/** What a test left open. */
import type { OpenVerbs } from '../open-verbs.ts';

/**
 * Names what is still open: each context with the objects that hang on it directly. What hangs on those can't be alive without
 * them, so a leaked queue pair shows as its protection domain and its completion queues. Empty if nothing is open.
 *
 * @example
 * ```ts
 * import { openVerbs } from 'openverbs';
 * import { leakCheck } from 'openverbs/testing';
 *
 * using verbs = openVerbs();
 * const context = verbs.device().open();
 * context.allocPd();
 * console.log(leakCheck(verbs)); // [ 'context of emulated0: PD 1' ]
 * ```
 */
export function leakCheck(openVerbs: OpenVerbs): readonly string[] {
  return openVerbs.contexts.map((context) => {
    const children = context.children.map(({ label }) => label);
    return children.length === 0 ? context.label : `${context.label}: ${children.join(', ')}`;
  });
}
