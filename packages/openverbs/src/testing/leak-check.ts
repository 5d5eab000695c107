/** What a test left open. */
import { VerbsError } from '@openverbs/verbs';
import type { Context } from '@openverbs/verbs';

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
    const children = childrenOf(context);
    return children.length === 0 ? context.label : `${context.label}: ${children.join(', ')}`;
  });
}

/**
 * The names of a context's objects. The strict close names them when it refuses; a channel, which costs the device nothing, sees
 * to it that it does.
 */
function childrenOf(context: Context): readonly string[] {
  const probe = context.createCompChannel();
  try {
    context.close();
    return [];
  } catch (error) {
    if (!VerbsError.is(error) || error.code !== 'EBUSY') throw error;
    const children = (error.details?.['children'] ?? []) as readonly string[];
    // The probe is the youngest one.
    return children.slice(0, -1);
  } finally {
    probe.destroy();
  }
}
