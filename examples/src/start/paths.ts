/** The part of `npm start` that runs the same programs on each path to the device, and says in one table what came of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CopyOptions, type CopyResult, copyFile } from '../rcopy/copy-file.ts';
import { type Device, openVerbs } from 'openverbs';
import { formatRate } from '../text.ts';
import { deviceRows } from './devices.ts';
import { formatTable } from './plain-table.ts';
import { PLANS, type PingPongTimes, timePingPongs } from './ping-pong-times.ts';

/** What `openVerbs()` is told; the programs are told nothing. */
export const PATHS = ['emulated', 'xen:basic', 'xen:bypass'] as const;

/** One of {@link PATHS}. */
export type Path = (typeof PATHS)[number];

/** What the programs came to on one path. */
export interface PathResult {
  readonly copy: CopyResult;
  readonly pingPongs: PingPongTimes;
}

/** The devices of all paths, a line for each port. */
export function describePaths(): string {
  const rows = PATHS.flatMap((provider) => {
    using verbs = openVerbs({ provider });
    return deviceRows(verbs.devices).map((row) => [provider, ...row]);
  });
  return formatTable(rows);
}

/** Copies `source` and plays ping-pong on a device of the path. */
export async function runPath(provider: Path, source: string, options: CopyOptions): Promise<PathResult> {
  using verbs = openVerbs({ provider });
  const device = verbs.device();
  return { copy: await copyInto(device, source, options), pingPongs: timePingPongs(device) };
}

/** A row for each thing that was measured, a column for each path; a path that failed has none to show. */
export function formatPaths(results: ReadonlyMap<Path, PathResult>): string {
  const row = (name: string, show: (result: PathResult) => string): string[] => [
    name,
    ...PATHS.map((path) => {
      const result = results.get(path);
      return result === undefined ? 'failed' : show(result);
    }),
  ];
  const rows = [
    ['', ...PATHS],
    row('rcopy', ({ copy }) => formatRate(copy.bytes, copy.seconds)),
    ...PLANS.map(({ size }, index) =>
      row(`ping-pong ${size} B`, ({ pingPongs }) => `${pingPongs[index].toFixed(2)} us`),
    ),
  ];
  return formatTable(rows, ['left', 'right', 'right', 'right']);
}

async function copyInto(device: Device, source: string, options: CopyOptions): Promise<CopyResult> {
  const directory = await mkdtemp(join(tmpdir(), 'openverbs-'));
  try {
    return await copyFile(device, source, directory, options);
  } finally {
    await rm(directory, { recursive: true });
  }
}
