/** Measures the cost of verbs, with several providers in the process. */
import { alternate, stopwatch, Subject } from '../alternate.ts';
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import { createFloor } from '../floor/floor.ts';
import { FloorWriter } from '../floor/floor-writer.ts';
import type { Samples } from '../samples.ts';
import { allocateKnown, allocatedBytes } from './allocation.ts';
import { Writers } from './writers.ts';

/** Where boxing begins: a small integer, one that V8 boxes, and one that no 32 bits hold. */
const WR_IDS = [1, 2 ** 31, 2 ** 40];
const FORMS = ['write', 'writeExtended', 'writeAround', 'writeExtendedAround'] as const;
const OPERATIONS = 10_000_000;
const OPERATIONS_QUICK = 50_000;
const WARM_UP_OPERATIONS = 1_000_000;

/** Nanoseconds, or allocated bytes, an operation. */
export async function measure(bench: BenchCase, options: BenchOptions): Promise<Samples> {
  const { size, providers } = bench.fields;
  using writers = new Writers(providers, size);
  if (bench.part !== 'allocation') return measureRate(writers, size, options);
  return await measureAllocation(writers, options); // the writers live until it ends
}

function measureRate(writers: Writers, size: number, options: BenchOptions): Samples {
  createFloor();
  const floor = new FloorWriter(0, size);
  const { first } = writers;
  const timed = (write: (operations: number) => void): Subject =>
    new Subject((operations) => {
      writers.useOthers();
      const took = stopwatch();
      write(operations);
      return took();
    }, options);
  const postSend = timed((operations) => {
    first.write(operations);
  });
  const extended = timed((operations) => {
    first.writeExtended(operations);
  });
  const bare = timed((operations) => {
    floor.write(operations);
  });
  const { rounds, control } = alternate([bare, postSend, extended], postSend, options);
  return { floor: rounds[0], 'post-send': rounds[1], extended: rounds[2], control };
}

async function measureAllocation(writers: Writers, { quick }: BenchOptions): Promise<Samples> {
  const operations = quick ? OPERATIONS_QUICK : OPERATIONS;
  const { first } = writers;
  allocateKnown(WARM_UP_OPERATIONS);
  const known = await allocatedBytes(operations, allocateKnown);
  const allocated: number[] = [];
  for (const wrId of quick ? WR_IDS.slice(0, 1) : WR_IDS) {
    for (const form of FORMS) {
      first[form](quick ? OPERATIONS_QUICK : WARM_UP_OPERATIONS, wrId);
      writers.useOthers();
      allocated.push(
        await allocatedBytes(operations, (count) => {
          first[form](count, wrId);
        }),
      );
    }
  }
  return { allocated, 'allocated-control': [known] };
}
