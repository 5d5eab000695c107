/** Samples, and the figures that stand for them. */

/** By metric. All samples of a metric have one unit. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** Median and quartiles. */
export interface Spread {
  readonly value: number;
  readonly q1: number;
  readonly q3: number;
  readonly samples: number;
}

/** Puts the samples of several process starts together. */
export function pool(starts: readonly Samples[]): Samples {
  const all: Record<string, number[]> = {};
  for (const start of starts) {
    for (const [metric, samples] of Object.entries(start)) (all[metric] ??= []).push(...samples);
  }
  return all;
}

/** Median and quartiles of `samples`, each turned by `convert` first. */
export function spread(samples: readonly number[] | undefined, convert = (sample: number): number => sample): Spread {
  if (samples === undefined || samples.length === 0) throw new RangeError('no samples');
  const sorted = samples.map(convert).sort((a, b) => a - b);
  return {
    value: round(quantile(sorted, 0.5)),
    q1: round(quantile(sorted, 0.25)),
    q3: round(quantile(sorted, 0.75)),
    samples: sorted.length,
  };
}

/** The samples of `a` divided by those of `b`, each by the one that was taken beside it. */
export function pairwise(a: readonly number[], b: readonly number[]): number[] {
  return a.map((sample, index) => sample / b[index]);
}

/** Linear between the two samples around it. */
function quantile(sorted: readonly number[], p: number): number {
  const at = (sorted.length - 1) * p;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/** Four digits: no figure here is surer than that. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
