/** A directory for a suite's files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Made before each test and removed after it; the function returned joins a name to its path. */
export function scratchDirectory(): (...names: string[]) => string {
  let directory = '';
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'openverbs-test-'))));
  afterEach(() => rmSync(directory, { recursive: true }));
  return (...names) => join(directory, ...names);
}
