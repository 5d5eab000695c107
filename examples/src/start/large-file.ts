/** A large file that every machine has. */
import { statSync } from 'node:fs';
import process from 'node:process';

/** Less than this would be copied before anybody sees it. */
const BYTES_MIN = 80e6;

/**
 * The Node binary; where it is small, because Node is a library there, the largest library that this process has loaded.
 */
export function findLargeFile(): string {
  if (statSync(process.execPath).size >= BYTES_MIN) return process.execPath;
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  const sizes = [process.execPath, ...report.sharedObjects].map((path) => ({ path, size: sizeOf(path) }));
  return sizes.reduce((largest, file) => (file.size > largest.size ? file : largest)).path;
}

/** Some names of loaded libraries are of no file. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
