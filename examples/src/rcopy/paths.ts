/** Finds out what a copy is from and to, and refuses what would end badly. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Absolute paths of two regular files; the second need not exist. */
export interface CopyPaths {
  readonly source: string;
  readonly destination: string;
}

/** Resolves links, and a destination that is a directory. */
export async function resolvePaths(source: string, destination: string): Promise<CopyPaths> {
  const from = await statIfExists(source);
  if (!from) throw new Error(`${source}: no such file`);
  if (from.isDirectory()) throw new Error(`${source} is a directory; rcopy copies one file`);
  if (!from.isFile()) throw new Error(`${source} is not a regular file`);

  let target = resolve(destination);
  let to = await statIfExists(target);
  if (to?.isDirectory()) {
    target = join(target, basename(source));
    to = await statIfExists(target);
  }
  if (to && !to.isFile()) throw new Error(`${target} exists and is not a regular file`);
  if (to?.dev === from.dev && to.ino === from.ino) throw new Error(`${source} and ${target} are the same file`);
  if (!to && !(await statIfExists(dirname(target)))?.isDirectory()) {
    throw new Error(`${dirname(target)}: no such directory`);
  }
  return { source: await realpath(source), destination: to ? await realpath(target) : target };
}

async function statIfExists(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
