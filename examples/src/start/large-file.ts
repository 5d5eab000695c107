/** A large file that every machine has. */
import { statSync } from 'node:fs';
import process from 'node:process';

/** Less than this would be copied before anybody sees it. */
export const LARGE_BYTES_MIN = 80e6;

/** A file that is there. */
export interface LargeFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * The Node binary; where it is small, because Node is a library there, the largest library that this process has loaded.
 */
export function findLargeFile(): LargeFile {
  const node = fileOf(process.execPath);
  if (node.bytes >= LARGE_BYTES_MIN) return node;
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  const files = [node, ...report.sharedObjects.map(fileOf)];
  return files.reduce((largest, file) => (file.bytes > largest.bytes ? file : largest));
}

/** Some names of loaded libraries are of no file. */
function fileOf(path: string): LargeFile {
  return { path, bytes: statSync(path, { throwIfNoEntry: false })?.size ?? 0 };
}
