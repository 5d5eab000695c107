/** Measures registrations on the native path and in a guest beside it, by turns, and counts what the back-end looks at. */
import { AccessFlags, openVerbs } from 'openverbs';
import type { OpenVerbs } from 'openverbs';
import { guestCounters } from 'openverbs/testing';
import { alternate, stopwatch, Subject } from '../alternate.ts';
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import type { Samples } from '../samples.ts';

const PAGE_BYTES = 4096;
/** Registrations that are counted. */
const COUNTED = 4;

export function measure({ fields: { pages }, part }: BenchCase, options: BenchOptions): Samples {
  return part === 'counts' ? counts(pages) : speed(pages, options);
}

/** Nanoseconds of a registration and its end. */
function speed(pages: number, options: BenchOptions): Samples {
  using plain = open(false);
  using cached = open(true);
  const subjectOf = (verbs: OpenVerbs, device: string): Subject => {
    const register = registration(verbs, device, pages);
    return new Subject((operations) => {
      const took = stopwatch();
      for (let n = 0; n < operations; n++) register();
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

/** Pages that the back-end looked at for each of several registrations; the cache has had the buffer before. */
export function counts(pages: number): Samples {
  const verified = (cached: boolean): number[] => {
    using verbs = open(cached);
    const register = registration(verbs, 'vib1.0', pages);
    const seen = (): number => guestCounters(verbs)[0].backend!.pagesVerified;
    register();
    return Array.from({ length: COUNTED }, () => {
      const before = seen();
      register();
      return seen() - before;
    });
  };
  return { bypass: verified(false), 'bypass-cached': verified(true) };
}

/** A machine with one HCA, on the native path and in a guest. */
function open(registrationCache: boolean): OpenVerbs {
  return openVerbs({ providers: ['emulated', 'xen:bypass'], registrationCache });
}

/** Registers a buffer, and ends the registration. */
function registration(verbs: OpenVerbs, device: string, pages: number): () => void {
  const context = verbs.device(device).open();
  const pd = context.allocPd();
  const buffer = context.allocBuf(pages * PAGE_BYTES);
  return () => {
    pd.regMr(buffer, AccessFlags.LOCAL_WRITE).dereg();
  };
}
