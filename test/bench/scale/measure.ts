/** Measures create and destroy beside a standing population. */
import { AccessFlags, openVerbs, QpType } from 'openverbs';
import type { Context } from 'openverbs';
import { stopwatch } from '../alternate.ts';
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import type { Samples } from '../samples.ts';

/** Objects that go and come in one sample. */
const BATCH = 100;
const SAMPLES = 50;
const SAMPLES_QUICK = 2;
const PAGE_BYTES = 4096;

/** Something that the benchmark makes many of. */
interface Kind {
  readonly name: string;
  create(): Ended;
}
interface Ended {
  end(): void;
}

/** Nanoseconds an object. */
export function measure({ fields: { count }, part }: BenchCase, { quick }: BenchOptions): Samples {
  using verbs = openVerbs();
  const context = verbs.device().open();
  const { name, create } = part === 'qp' ? queuePairs(context) : memoryRegions(context);
  const objects = Array.from({ length: count }, create);
  const created: number[] = [];
  const destroyed: number[] = [];
  for (let n = 0; n < (quick ? SAMPLES_QUICK : SAMPLES); n++) {
    // From all over the population, so that no list is spared a search.
    const batch = Array.from({ length: BATCH }, (_, index) => (Math.floor((index * count) / BATCH) + n * 7) % count);
    const destroying = stopwatch();
    for (const index of batch) objects[index].end();
    destroyed.push(destroying() / BATCH);
    const creating = stopwatch();
    for (const index of batch) objects[index] = create();
    created.push(creating() / BATCH);
  }
  return { [`${name}-create`]: created, [`${name}-destroy`]: destroyed };
}

function queuePairs(context: Context): Kind {
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: 16 });
  const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 16, maxRecvWr: 16 } };
  return {
    name: 'qp',
    create: () => {
      const qp = pd.createQp(init);
      return {
        end: () => {
          qp.destroy();
        },
      };
    },
  };
}

function memoryRegions(context: Context): Kind {
  const pd = context.allocPd();
  const buffer = context.allocBuf(PAGE_BYTES);
  return {
    name: 'mr',
    create: () => {
      const mr = pd.regMr(buffer, AccessFlags.LOCAL_WRITE);
      return {
        end: () => {
          mr.dereg();
        },
      };
    },
  };
}
