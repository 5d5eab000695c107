/** Where the mean of ratios lies. */

/** Quantile 0.975 of Student's distribution, for 1 degree of freedom, 2, and so on. */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** The mean of ratios, and the limits between which it lies in 95 of 100 cases. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The geometric mean of ratios and its interval. Ratios of one process have something in common that those of the next have not, such as where in
 * memory things lie: so it is the processes that count as independent, when there are several, and not the ratios.
 *
 * @param ratios - of all processes, one after the other
 * @param starts - how many processes they are of, each with as many
 */
export function interval(ratios: readonly number[], starts = 1): Interval {
  if (ratios.length === 0) throw new RangeError('no ratios');
  const each = ratios.length / starts;
  if (!Number.isInteger(each)) throw new RangeError(`${ratios.length} ratios are not those of ${starts} processes`);
  const logs = ratios.map(Math.log);
  const ofStarts = Array.from({ length: starts }, (_, n) => meanOf(logs.slice(n * each, (n + 1) * each)));
  const independent = starts > 1 ? ofStarts : logs;
  const mean = meanOf(independent);
  const error = errorOf(independent, mean);
  const figure = (log: number): number => Number(Math.exp(log).toPrecision(4));
  return { mean: figure(mean), low: figure(mean - error), high: figure(mean + error) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Half the width of the interval. One value says nothing of how far others would be. */
function errorOf(values: readonly number[], mean: number): number {
  const freedom = values.length - 1;
  if (freedom === 0) return 0;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom;
  return T_975[Math.min(freedom, T_975.length) - 1] * Math.sqrt(variance / values.length);
}
