/** Numbers for people. */

/** `98.9 MB`: three digits and a decimal unit. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes;
  // What would be rounded to 1000 belongs to the next unit.
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** `470 MB/s`. */
export function formatRate(bytes: number, seconds: number): string {
  return `${formatBytes(Math.round(bytes / seconds))}/s`;
}
