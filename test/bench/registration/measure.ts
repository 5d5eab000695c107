/** Measures registrations on the native path and in a guest beside it, by turns. */
import { AccessFlags, openVerbs } from 'openverbs';
import type { OpenVerbs } from 'openverbs';
import { alternate, stopwatch, Subject } from '../alternate.ts';
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import type { Samples } from '../samples.ts';

const PAGE_BYTES = 4096;

/** Nanoseconds of a registration and its end. */
export function measure({ fields: { pages } }: BenchCase, options: BenchOptions): Samples {
  using plain = open(false);
  using cached = open(true);
  const subjectOf = (verbs: OpenVerbs, device: string): Subject => {
    const context = verbs.device(device).open();
    const pd = context.allocPd();
    const buffer = context.allocBuf(pages * PAGE_BYTES);
    return new Subject((operations) => {
      const took = stopwatch();
      for (let n = 0; n < operations; n++) pd.regMr(buffer, AccessFlags.LOCAL_WRITE).dereg();
      return took();
    }, options);
  };
  const subjects = [
    subjectOf(plain, 'emulated0'),
    subjectOf(plain, 'vib1.0'),
    subjectOf(cached, 'emulated0'),
    subjectOf(cached, 'vib1.0'),
  ];
  const { rounds } = alternate(subjects, subjects[0], options);
  return { native: rounds[0], bypass: rounds[1], 'native-cached': rounds[2], 'bypass-cached': rounds[3] };
}

/** A machine with one HCA, on the native path and in a guest. */
function open(registrationCache: boolean): OpenVerbs {
  return openVerbs({ providers: ['emulated', 'xen:bypass'], registrationCache });
}
