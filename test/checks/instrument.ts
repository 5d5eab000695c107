/**
 * Compiles all removals of a file into it at once, each behind a switch that the tests run with on or off: to compile it once a removal
 * would cost more than to run the tests.
 */
import ts from 'typescript';
import type { Check } from './check.ts';

/** A check and its number, by which it is switched off. */
export interface NumberedCheck extends Check {
  readonly id: number;
}

/** What the switch is called in an instrumented file: a name that no source has. */
const REMOVED = '__isCheckRemoved';

/** The source with `(__isCheckRemoved(7) ? false : (x < 0))` where check 7 was. Its types no longer hold. */
export function addSwitches(source: string, checks: readonly NumberedCheck[]): string {
  const edits = checks.flatMap(({ id, start, end, removed }) => [
    { at: start, closes: false, size: end - start, text: `(${REMOVED}(${id}) ? ${removed} : (` },
    { at: end, closes: true, size: end - start, text: '))' },
  ]);
  // The outer one of two opens first, and closes last.
  edits.sort(
    (a, b) => a.at - b.at || Number(b.closes) - Number(a.closes) || (a.closes ? a.size - b.size : b.size - a.size),
  );
  let switched = '';
  let done = 0;
  for (const { at, text } of edits) {
    switched += source.slice(done, at) + text;
    done = at;
  }
  return switched + source.slice(done);
}

/**
 * What the compiler makes of a source with switches.
 *
 * @param switchModule - from where it imports `isCheckRemoved`
 */
export function instrument(
  source: string,
  checks: readonly NumberedCheck[],
  switchModule: string,
  compilerOptions: ts.CompilerOptions,
): string {
  const { outputText } = ts.transpileModule(addSwitches(source, checks), {
    compilerOptions: { ...compilerOptions, module: ts.ModuleKind.ESNext, sourceMap: false, inlineSourceMap: false },
  });
  return `import { isCheckRemoved as ${REMOVED} } from '${switchModule}';\n${outputText}`;
}
