/** Copies a file by RDMA from one side to the other, and checks that it arrived. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { type Device, connectPair } from 'openverbs';
import { resolvePaths } from './paths.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { CHUNK_BYTES } from './side.ts';
import { runTogether } from './together.ts';

/** What a copy did. */
export interface CopyResult {
  readonly source: string;
  readonly destination: string;
  readonly bytes: number;
  /** Number of RDMA writes. */
  readonly writes: number;
  /** From opening the devices to the last byte saved; without the check. */
  readonly seconds: number;
  /** Of the source and of the destination, in hexadecimal. */
  readonly sha256: string;
}

/** How a copy is watched and stopped. */
export interface CopyOptions {
  /** Called before the first byte. */
  readonly onStart?: (totalBytes: number) => void;
  /** Called with the number of bytes saved so far. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Copies `source` to `destination`, a file or a directory. The bytes go to a file beside the destination that takes its
 * place only when its SHA-256 is that of the source; a copy that fails leaves nothing behind.
 */
export async function copyFile(
  device: Device,
  source: string,
  destination: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { signal = new AbortController().signal } = options;
  const paths = await resolvePaths(source, destination);
  const partial = `${paths.destination}.${process.pid}.part`;
  await removeAbandoned(paths.destination);
  await using files = await openFiles(paths.source, partial);
  try {
    const { size } = await files.from.stat();
    options.onStart?.(size);
    const start = performance.now();
    await transfer(device, files, size, signal, options.onProgress ?? (() => {}));
    const seconds = (performance.now() - start) / 1000;
    const sha256 = await checkedHash(paths.source, partial, signal);
    await rename(partial, paths.destination);
    return { ...paths, bytes: size, writes: Math.ceil(size / CHUNK_BYTES), seconds, sha256 };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** What a copy left that was killed: its process is no more. */
async function removeAbandoned(destination: string): Promise<void> {
  const directory = dirname(destination);
  const prefix = `${basename(destination)}.`;
  for (const name of await readdir(directory)) {
    const pid = name.startsWith(prefix) ? /^(\d+)\.part$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(directory, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface OpenFiles extends AsyncDisposable {
  readonly from: FileHandle;
  readonly to: FileHandle;
}

async function openFiles(source: string, partial: string): Promise<OpenFiles> {
  const from = await open(source);
  try {
    const { mode } = await from.stat();
    const to = await open(partial, 'wx', mode);
    return { from, to, [Symbol.asyncDispose]: async () => void (await Promise.all([from.close(), to.close()])) };
  } catch (error) {
    await from.close();
    throw error;
  }
}

async function transfer(
  device: Device,
  { from, to }: OpenFiles,
  size: number,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<void> {
  using sender = new Sender(device);
  using receiver = new Receiver(device);
  connectPair(sender.qp, receiver.qp);
  for (const side of [sender, receiver]) side.postReceives();
  await runTogether(signal, [
    (stop) => sender.send(from, size, receiver.window, stop, onProgress),
    (stop) => receiver.receive(to, size, stop),
  ]);
}

async function checkedHash(source: string, copy: string, signal: AbortSignal): Promise<string> {
  const expected = await hashFile(source, signal);
  const actual = await hashFile(copy, signal);
  if (actual !== expected) throw new Error(`sha256 mismatch: the source has ${expected}, the copy ${actual}`);
  return expected;
}

async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: CHUNK_BYTES, signal }))
    hash.update(bytes as Buffer);
  return hash.digest('hex');
}
