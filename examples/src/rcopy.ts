/**
 * Copies a file from one side to the other by RDMA: `rcopy SOURCE [DESTINATION]`.
 *
 * The sender reads into registered bounce buffers and writes them, several at a time, into those of the receiver. The
 * immediate data of a write tells the receiver which chunk has come; it saves the chunk and sends the number back.
 */
import process from 'node:process';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { VerbsError, openVerbs } from 'openverbs';
import { type CopyResult, copyFile } from './rcopy/copy-file.ts';
import { interruptible } from './rcopy/interruptible.ts';
import { createProgressBar } from './rcopy/progress-bar.ts';
import { formatBytes, formatRate } from './text.ts';

const USAGE = `Usage: rcopy SOURCE [DESTINATION]

Copies a file by RDMA and compares the SHA-256 of both.
DESTINATION is a file or a directory (default: SOURCE.copy in the current directory).

Examples:
  rcopy photo.jpg               to photo.jpg.copy
  rcopy photo.jpg /tmp          to /tmp/photo.jpg
`;

async function main(): Promise<number> {
  let source: string | undefined;
  let destination: string | undefined;
  let extra: string | undefined;
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    [source, destination, extra] = positionals;
  } catch (error) {
    return usageError((error as Error).message);
  }
  if (source === undefined) return usageError('there is no SOURCE');
  if (extra !== undefined) return usageError(`one file at a time; what is ${extra}?`);
  return copy(source, destination ?? `${basename(source)}.copy`);
}

async function copy(source: string, destination: string): Promise<number> {
  const bar = createProgressBar();
  try {
    using verbs = openVerbs();
    const device = verbs.device();
    const result = await interruptible((signal) => copyFile(device, source, destination, { ...bar, signal }));
    bar.stop();
    report(result);
    return 0;
  } catch (error) {
    bar.stop();
    process.stderr.write(`rcopy: ${(error as Error).message}\n`);
    if (VerbsError.is(error) && error.hint) process.stderr.write(`hint: ${error.hint}\n`);
    return 1;
  } finally {
    bar.stop();
  }
}

function report({ source, destination, bytes, writes, seconds, sha256 }: CopyResult): void {
  process.stdout.write(
    `${source} -> ${destination}\n` +
      `${formatBytes(bytes)} in ${seconds.toFixed(2)} s, ${formatRate(bytes, seconds)}, ${writes} RDMA writes\n` +
      `sha256 match ${sha256}\n`,
  );
}

function usageError(message: string): number {
  process.stderr.write(`rcopy: ${message}\n\n${USAGE}`);
  return 2;
}

process.exitCode = await main();
