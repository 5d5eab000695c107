/** Where the mean of ratios lies. */

/** Quantile 0.975 of Student's distribution for 30 degrees of freedom; for more it is less, so the interval is no narrower than it is said to be. */
const T_975 = 2.042;

/** The geometric mean of ratios and the limits between which it lies in 95 of 100 cases. */
export function interval(ratios: readonly number[]): {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
} {
  if (ratios.length === 0) throw new RangeError('no ratios');
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const squares = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0);
  // One ratio says nothing of how far others would be.
  const error = logs.length === 1 ? 0 : T_975 * Math.sqrt(squares / (logs.length - 1) / logs.length);
  const figure = (log: number): number => Number(Math.exp(log).toPrecision(4));
  return { mean: figure(mean), low: figure(mean - error), high: figure(mean + error) };
}
