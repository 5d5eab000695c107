/** A copy of the repository with all removals of all checks compiled in, each of them off. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { ROOT } from '../mutations/mutation.ts';
import { compiledName, Scratch } from '../mutations/scratch.ts';
import { instrument, type NumberedCheck } from './instrument.ts';
import { CHECKS_MAX } from './switch.ts';

/** What their switches ask. */
const SWITCH = 'test/dist/checks/switch.js';

/** Makes the copy; whoever has it removes it. */
export function makeBrokenCopy(checks: readonly NumberedCheck[]): Scratch {
  if (checks.length > CHECKS_MAX)
    throw new RangeError(`there is room for ${CHECKS_MAX} checks, not for ${checks.length}`);
  const scratch = new Scratch();
  const options = readCompilerOptions();
  for (const file of new Set(checks.map((check) => check.file))) {
    const own = checks.filter((check) => check.file === file);
    const compiled = compiledName(file);
    const switchModule = path.posix.relative(path.posix.dirname(compiled), SWITCH);
    scratch.replace(compiled, instrument(readFileSync(path.join(ROOT, file), 'utf8'), own, switchModule, options));
  }
  return scratch;
}

function readCompilerOptions(): ts.CompilerOptions {
  const config = ts.readConfigFile(path.join(ROOT, 'tsconfig.base.json'), (file) => ts.sys.readFile(file));
  return ts.convertCompilerOptionsFromJson((config.config as { compilerOptions: object }).compilerOptions, ROOT)
    .options;
}
