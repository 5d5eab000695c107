// Type-checks every block of TypeScript that readers copy: those of the README files and of the pages under docs/, and those in the
// comments of sources. All are modules of one program, and see the packages as users do.
//
// node scripts/check-snippets.mjs [PAGE...]

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'docs/*.md', 'examples/README.md', 'packages/*/README.md'];
const SOURCES = ['packages/*/src'];

/** Where the modules of the program pretend to be: a place from which every package is found. */
const PLACE = join(ROOT, 'docs', 'snippet');

/** Its blocks that begin with the name of a file are pieces of that file; `examples/test/provider-guide.test.ts` looks after them. */
const GUIDE = 'docs/provider-guide.md';

/** What pages say that they leave out. */
const PRELUDES = {
  [GUIDE]: [
    "import { runConformance } from '@openverbs/conformance';",
    "import type { EventSource, ProviderDefinition } from '@openverbs/verbs/driver';",
    "import { openVerbs } from 'openverbs';",
    'declare const provider: ProviderDefinition;',
  ],
};

/** @typedef {{ file: string; line: number; code: string }} Snippet - `line` is that of its first line, from 0 */

/** The blocks of a page. @returns {Snippet[]} */
function snippetsOfPage(file, text) {
  return blocksOf(file, text.split('\n'), 0);
}

/** The blocks in the comments of a source. @returns {Snippet[]} */
function snippetsOfSource(file, text) {
  const comments = text.matchAll(/^( *)\/\*\*\n(?:\1 \*.*\n)*?\1 \*\//gm);
  return Array.from(comments, ({ 0: comment, index }) => {
    const lines = comment.split('\n').map((line) => line.replace(/^ *\* ?/, ''));
    return blocksOf(file, lines, text.slice(0, index).split('\n').length - 1);
  }).flat();
}

/** @returns {Snippet[]} */
function blocksOf(file, lines, firstLine) {
  const found = [];
  let start = -1;
  for (const [n, line] of lines.entries()) {
    if (start < 0 && line.trim() === '```ts') start = n + 1;
    else if (start >= 0 && line.trim() === '```') {
      found.push({ file, line: firstLine + start, code: lines.slice(start, n).join('\n') });
      start = -1;
    }
  }
  return found;
}

/** What the compiler says of the snippets, each with the file and the line that it is in. @returns {string[]} */
function faultsOf(snippets) {
  const modules = new Map(snippets.map((snippet, n) => [`${PLACE}-${n}.ts`, snippet]));
  const options = { ...compilerOptions(), noEmit: true, skipLibCheck: true, incremental: false, composite: false };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const snippet = modules.get(name);
    // An import or an export makes it a module, so that snippets do not see each other's names.
    if (snippet !== undefined) return ts.createSourceFile(name, moduleOf(snippet), languageVersion, true);
    return getSourceFile.call(host, name, languageVersion, ...rest);
  };
  host.fileExists = (name) => modules.has(name) || fileExists.call(host, name);
  host.readFile = (name) => modules.get(name)?.code ?? readFile.call(host, name);
  const program = ts.createProgram([...modules.keys()], options, host);
  return Array.from(modules.keys(), (name) => {
    const source = program.getSourceFile(name);
    const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return diagnostics.map(({ start = 0, messageText }) => {
      const { file, line } = modules.get(name);
      const at = line + source.getLineAndCharacterOfPosition(start).line + 1;
      return `${relative(ROOT, file)}:${at}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  }).flat();
}

/** Its code behind the prelude, which is one line so that lines are found again. */
function moduleOf({ file, code }) {
  const prelude = PRELUDES[relative(ROOT, file)] ?? [];
  return `${prelude.join(' ')} ${code}\nexport {};\n`;
}

function compilerOptions() {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.base.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, ROOT);
  // Without those of mocha, whose globals are names that snippets could forget to declare.
  return { ...options, types: ['node'], noUnusedLocals: false, noUnusedParameters: false };
}

/** All that there are. @returns {Snippet[]} */
function allSnippets() {
  const read = (file) => readFileSync(file, 'utf8');
  return [
    ...expand(PAGES).flatMap((file) => snippetsOfPage(file, read(file))),
    ...expand(SOURCES).flatMap((directory) =>
      readdirSync(directory, { recursive: true })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(directory, name))
        .flatMap((file) => snippetsOfSource(file, read(file))),
    ),
  ].filter(({ file, code }) => !(relative(ROOT, file) === GUIDE && /^\/\/ \S+\.ts\n/.test(code)));
}

/** Replaces the one star that a path may have. */
function expand(paths) {
  return paths.flatMap((path) => {
    const [before, after] = path.split('*');
    if (after === undefined) return [join(ROOT, path)];
    const names = readdirSync(join(ROOT, before));
    return names
      .filter((name) => after.startsWith('/') || name.endsWith(after))
      .map((name) => join(ROOT, `${before}${name}${after.startsWith('/') ? after : ''}`));
  });
}

const pages = process.argv.slice(2).map((path) => resolve(path));
const snippets =
  pages.length === 0 ? allSnippets() : pages.flatMap((file) => snippetsOfPage(file, readFileSync(file, 'utf8')));
if (snippets.length === 0) throw new Error('there are no snippets: is this where they are?');
const faults = faultsOf(snippets);
for (const fault of faults) console.error(fault);
console.log(`${snippets.length} snippets, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
