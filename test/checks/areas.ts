/** Which sources are searched for checks, and whose tests have to notice when one is gone. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../mutations/mutation.ts';
import { findChecks } from './find-checks.ts';
import type { NumberedCheck } from './instrument.ts';

/** Sources and their tests. */
export interface Area {
  /** Name of the folder in `packages`. */
  readonly name: string;
  /** Folders of sources, from `src`; with all that is in them. */
  readonly folders: readonly string[];
}

/** What stands between guests and what is not theirs: the back-end with what it reads by, and the hypervisor. */
export const AREAS: readonly Area[] = [
  { name: 'provider-xen', folders: ['backend', 'protocol', 'channel', 'dom0'] },
  { name: 'hypervisor', folders: ['.'] },
];

/** Paths of an area's sources from the root of the repository. */
export function sourcesOf({ name, folders }: Area): string[] {
  return folders.flatMap((folder) => {
    const within = path.posix.join('packages', name, 'src', folder);
    const entries = readdirSync(path.join(ROOT, within), { recursive: true, encoding: 'utf8' });
    const files = entries.filter((entry) => entry.endsWith('.ts')).sort();
    return files.map((file) => path.posix.join(within, file.replaceAll(path.sep, '/')));
  });
}

/** The area that a source is in. */
export function areaOf({ file }: { readonly file: string }): Area {
  return AREAS.find(({ name }) => file.startsWith(`packages/${name}/`))!;
}

/** All checks of all areas. */
export function readChecks(): NumberedCheck[] {
  const files = AREAS.flatMap(sourcesOf);
  const checks = files.flatMap((file) => findChecks(file, readFileSync(path.join(ROOT, file), 'utf8')));
  return checks.map((check, id) => ({ ...check, id }));
}
