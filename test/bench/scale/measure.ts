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

/** Makes one object, and answers how it ends. */
type Create = () => () => void;

/** By the name in the metrics. */
const KINDS: Readonly<Record<string, (context: Context) => Create>> = {
  qp: (context) => {
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: 16 });
    const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 16, maxRecvWr: 16 } };
    return () => {
      const qp = pd.createQp(init);
      return () => {
        qp.destroy();
      };
    };
  },
  mr: (context) => {
    const pd = context.allocPd();
    const buffer = context.allocBuf(PAGE_BYTES);
    return () => {
      const mr = pd.regMr(buffer, AccessFlags.LOCAL_WRITE);
      return () => {
        mr.dereg();
      };
    };
  },
  cq: (context) => () => {
    const cq = context.createCq({ cqe: 16 });
    return () => {
      cq.destroy();
    };
  },
  srq: (context) => {
    const pd = context.allocPd();
    return () => {
      const srq = pd.createSrq({ attr: { maxWr: 16 } });
      return () => {
        srq.destroy();
      };
    };
  },
  pd: (context) => () => {
    const pd = context.allocPd();
    return () => {
      pd.dealloc();
    };
  },
  ah: (context) => {
    const pd = context.allocPd();
    const init = { grh: { dgid: context.queryGid(1, 0) } };
    return () => {
      const ah = pd.createAh(init);
      return () => {
        ah.destroy();
      };
    };
  },
  buffer: (context) => () => {
    const buffer = context.allocBuf(PAGE_BYTES);
    return () => {
      buffer.free();
    };
  },
};
const OTHERS = Object.keys(KINDS).filter((kind) => kind !== 'qp' && kind !== 'mr');

/** Nanoseconds an object. */
export function measure({ fields: { count }, part }: BenchCase, { quick }: BenchOptions): Samples {
  const kinds = part === 'all' ? Object.keys(KINDS) : part === 'others' ? OTHERS : [part!];
  const samples = quick ? SAMPLES_QUICK : SAMPLES;
  return Object.fromEntries(kinds.flatMap((kind) => measureKind(kind, count, samples)));
}

function measureKind(kind: string, count: number, samples: number): [metric: string, times: number[]][] {
  using verbs = openVerbs();
  const create = KINDS[kind](verbs.device().open());
  const ends = Array.from({ length: count }, create);
  const created: number[] = [];
  const destroyed: number[] = [];
  for (let n = 0; n < samples; n++) {
    // From all over the population, so that no list is spared a search.
    const batch = Array.from({ length: BATCH }, (_, index) => (Math.floor((index * count) / BATCH) + n * 7) % count);
    const destroying = stopwatch();
    for (const index of batch) ends[index]();
    destroyed.push(destroying() / BATCH);
    const creating = stopwatch();
    for (const index of batch) ends[index] = create();
    created.push(creating() / BATCH);
  }
  return [
    [`${kind}-create`, created],
    [`${kind}-destroy`, destroyed],
  ];
}
