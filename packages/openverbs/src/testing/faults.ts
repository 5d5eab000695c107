/** The bad network of the emulated devices, while a test runs. */
import { VerbsError } from '@openverbs/verbs';
import type { FaultControl, FaultCounters, Faults } from '@openverbs/verbs/driver';

import type { OpenVerbs } from '../open-verbs.ts';

/**
 * Sets what the network does to the packets that are sent from now on; what is left out stays. The devices must have been opened with
 * `emulated.faults` (which may be empty) or `emulated.packets`, since messages do not travel as packets otherwise.
 *
 * @throws VerbsError EINVAL for a value that is wrong, EOPNOTSUPP where messages do not travel as packets.
 *
 * @example
 * ```ts
 * import { faultCounters, openTestPair, setFaults } from 'openverbs/testing';
 *
 * using pair = openTestPair({ config: { emulated: { faults: { seed: 7 } } } });
 * pair.connect();
 * setFaults(pair.openVerbs, { partition: [['emulated0'], ['emulated1']] });
 * // … what the program does now gets no answer
 * setFaults(pair.openVerbs, { partition: [], drop: 0.1 });
 * console.log(faultCounters(pair.openVerbs).partitioned);
 * ```
 */
export function setFaults(openVerbs: OpenVerbs, faults: Partial<Faults>): void {
  controlOf(openVerbs).set(faults);
}

/**
 * How many packets were sent, and what became of them.
 *
 * @throws VerbsError EOPNOTSUPP where messages do not travel as packets.
 */
export function faultCounters(openVerbs: OpenVerbs): FaultCounters {
  return controlOf(openVerbs).counters;
}

function controlOf(openVerbs: OpenVerbs): FaultControl {
  const [control] = openVerbs.faultControls;
  if (control !== undefined) return control;
  throw new VerbsError({
    code: 'EOPNOTSUPP',
    verb: 'setFaults',
    message: 'messages do not travel as packets here',
    hint: 'open with emulated.faults, {} for none yet',
  });
}
