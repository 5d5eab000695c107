/**
 * Mutations: deliberate faults of one line, kept as patches. In front of the diff each says what is broken, why a reader may miss it,
 * and what notices:
 *
 *     A packet that comes again is carried out again.
 *     Missed because: the two calls look alike, and nothing is lost on a quiet network.
 *     Caught by: simulation seeds 1-100
 *
 * or `Caught by: packages/hca/test/tpt.test.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The repository. */
export const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const PATCHES = path.join(ROOT, 'test', 'mutations', 'patches');

/** A patch. */
export interface Mutation {
  /** Name of the file, without its ending. */
  readonly name: string;
  /** What it breaks. */
  readonly what: string;
  /** Why a reader may miss it. */
  readonly missedBecause: string;
  readonly caughtBy: Detector;
  /** Path of the file that it changes, from {@link ROOT}. */
  readonly file: string;
  readonly edits: readonly Edit[];
}

/** One place that changes: lines as they are, and as they become. */
export interface Edit {
  readonly before: string;
  readonly after: string;
}

/** What notices a mutation: a file of tests, by its path from {@link ROOT}, or seeds of the simulation. */
export type Detector =
  | { readonly kind: 'test'; readonly file: string }
  | { readonly kind: 'seeds'; readonly first: number; readonly last: number };

/** All mutations, by name. */
export function readMutations(): Mutation[] {
  const files = readdirSync(PATCHES).filter((file) => file.endsWith('.patch'));
  return files
    .sort()
    .map((file) => parse(file.slice(0, -'.patch'.length), readFileSync(path.join(PATCHES, file), 'utf8')));
}

/** Reads a patch as `git diff` writes it, with the three lines in front. */
export function parse(name: string, text: string): Mutation {
  const form =
    /^(.+)\nMissed because: (.+)\nCaught by: (.+)\n(?:(?:diff|index) .*\n)*--- a\/(.+)\n\+\+\+ b\/(.+)\n(@@[^]*)$/;
  const [, what, missedBecause, caughtBy, from, file, hunks] = form.exec(text) ?? [];
  if (hunks === undefined) {
    throw new Error(
      `${name}: what it breaks, 'Missed because: …', 'Caught by: …', a line each, then the diff of one file`,
    );
  }
  if (from !== file || /^--- a\//m.test(hunks)) throw new Error(`${name}: it changes more files than one`);
  return { name, what, missedBecause, caughtBy: parseDetector(name, caughtBy), file, edits: parseHunks(hunks) };
}

/** As a patch says it. */
export function formatDetector(detector: Detector): string {
  return detector.kind === 'test' ? detector.file : `simulation seeds ${detector.first}-${detector.last}`;
}

function parseDetector(name: string, text: string): Detector {
  const [, first, last] = /^simulation seeds (\d+)-(\d+)$/.exec(text) ?? [];
  if (last !== undefined) return { kind: 'seeds', first: Number(first), last: Number(last) };
  if (text.endsWith('.test.ts')) return { kind: 'test', file: text };
  throw new Error(`${name}: '${text}' is neither 'simulation seeds FIRST-LAST' nor a test file`);
}

function parseHunks(text: string): Edit[] {
  const hunks = text
    .trimEnd()
    .split(/^@@.*\n/m)
    .slice(1);
  return hunks.map((hunk) => {
    const lines = hunk.replace(/\n$/, '').split('\n');
    const side = (other: string): string =>
      lines
        .filter((line) => !line.startsWith(other))
        .map((line) => line.slice(1))
        .join('\n');
    return { before: side('+'), after: side('-') };
  });
}

/**
 * The text of a file with a mutation's edits made. Where a place is follows from its lines, which must stand there once; the numbers
 * of the lines do not count, so that changes elsewhere in the file break no patch.
 */
export function applyEdits({ name, file, edits }: Pick<Mutation, 'name' | 'file' | 'edits'>, text: string): string {
  let changed = `\n${text}`;
  for (const { before, after } of edits) {
    const lines = `\n${before}\n`;
    const place = changed.indexOf(lines);
    if (place < 0) throw new Error(`${name} no longer applies: ${file} has no such lines\n${before}`);
    if (changed.includes(lines, place + 1)) throw new Error(`${name}: ${file} has these lines twice\n${before}`);
    changed = `${changed.slice(0, place)}\n${after}\n${changed.slice(place + lines.length)}`;
  }
  return changed.slice(1);
}
