/**
 * Bytes that an operation allocates: the garbage collections of the young generation that many operations cause, times its
 * size. A difference of `heapUsed` would be no evidence, since a collection in between hides what was there.
 */
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the young generation is set to: small, so that little is seen. */
const YOUNG_MIB = 1;
export const ALLOCATION_EXEC_ARGV = [
  '--expose-gc',
  `--min-semi-space-size=${YOUNG_MIB}`,
  `--max-semi-space-size=${YOUNG_MIB}`,
];

const YOUNG_BYTES = YOUNG_MIB * 2 ** 20;
/** The observer is told a while after the fact. */
const SETTLE_MS = 50;

/** Bytes an operation of `run`, which does `operations` of them. */
export async function allocatedBytes(operations: number, run: (operations: number) => void): Promise<number> {
  let scavenges = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail } = entry as unknown as { readonly detail: { readonly kind: number } };
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) scavenges++;
    }
  });
  globalThis.gc?.(); // an empty young generation to start with
  await sleep(SETTLE_MS);
  observer.observe({ entryTypes: ['gc'] });
  run(operations);
  await sleep(SETTLE_MS);
  observer.disconnect();
  return (scavenges * YOUNG_BYTES) / operations;
}

/** Something to allocate that V8 cannot do without. */
class Known {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

const kept: Known[] = [];

/** Allocates one {@link KNOWN_BYTES} an operation: shows that the count counts. */
export function allocateKnown(operations: number): void {
  for (let n = 0; n < operations; n++) kept[n & 15] = new Known(n & 0xff);
}

/** Map, properties, elements and one field, of 8 bytes each. */
export const KNOWN_BYTES = 32;
