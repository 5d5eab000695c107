// Tries what the registry would serve: packs every package, installs the tarballs into empty projects, each alone and all
// together, and looks at them as publint, attw, Node and the strictest TypeScript consumer do. Alone a package has what it
// asks for, and nothing that only happens to stand beside it.
//
//   node scripts/check-packages.mjs [--keep]     --keep leaves the projects behind and prints where they are

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { builtinModules } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const COMMAND_MS_MAX = 5 * 60_000;
/** What a package must hold, and what has no business in it. */
const WANTED_FILES = ['package.json', 'README.md', 'LICENSE'];
const UNWANTED_FILES = /(?:\.tsbuildinfo|\.test\.[a-z.]+|(?:^|\/)tsconfig\.json|\.log)$|^(?:dist\/)?test\//;

const failures = [];
/** Holds the tarballs, and a project for each package and for all of them. */
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), 'openverbs-packages-'));
try {
  main();
} finally {
  if (process.argv.includes('--keep')) console.log(`kept ${workshop}`);
  else fs.rmSync(workshop, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(`\n${failures.length} failed:\n  ${failures.join('\n  ')}`);
  process.exitCode = 1;
}

function main() {
  const packages = findPackages();
  for (const pack of packages) pack.tarball = packPackage(pack);
  for (const pack of packages) {
    check(`publint ${pack.name}`, tool('publint', ['run', pack.tarball, '--strict']));
    if (pack.subpaths.length > 0) {
      check(`attw ${pack.name}`, tool('@arethetypeswrong/cli', [pack.tarball, '--profile', 'esm-only', '--no-emoji']));
    }
  }
  for (const pack of packages) {
    checkImports(makeProject(`${pack.name} alone`, [pack], packages), pack);
  }
  const project = makeProject('all packages', packages, packages);
  checkTypes(project, packages);
  checkReadme(project);
}

function findPackages() {
  const dir = path.join(root, 'packages');
  const packages = fs.readdirSync(dir).filter((name) => fs.existsSync(path.join(dir, name, 'package.json')));
  return packages.map((folder) => {
    const manifest = JSON.parse(fs.readFileSync(path.join(dir, folder, 'package.json'), 'utf8'));
    const subpaths = Object.keys(manifest.exports ?? {}).map((subpath) => manifest.name + subpath.slice(1));
    const { name, bin = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
    const optional = Object.entries(peerDependencies).filter(([peer]) => peerDependenciesMeta[peer]?.optional);
    const optionalPeers = Object.fromEntries(optional);
    return { dir: path.join(dir, folder), name, subpaths, bins: Object.keys(bin), optionalPeers };
  });
}

/** Returns the path of the tarball. */
function packPackage(pack) {
  const result = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', workshop], pack.dir);
  if (result.status !== 0) throw new Error(`npm pack failed in ${pack.dir}\n${result.output}`);
  const json = JSON.parse(result.stdout);
  const [{ filename, files }] = Array.isArray(json) ? json : Object.values(json);
  const names = files.map((file) => file.path);
  const missing = WANTED_FILES.filter((name) => !names.includes(name));
  const unwanted = names.filter((name) => UNWANTED_FILES.test(name));
  const complaint = [missing.length > 0 && `lacks ${missing}`, unwanted.length > 0 && `holds ${unwanted}`].filter(
    Boolean,
  );
  check(`files of ${pack.name}`, { status: complaint.length, output: complaint.join('\n') });
  const bare = names.filter((name) => name.endsWith('.d.ts') && importsBare(path.join(pack.dir, name)));
  check(`declarations of ${pack.name} say node:`, { status: bare.length, output: bare.join('\n') });
  return path.join(workshop, path.basename(filename));
}

/** Whether a file of declarations names a module of Node without `node:`; the compiler does where it writes a type itself. */
function importsBare(file) {
  const imports = fs.readFileSync(file, 'utf8').matchAll(/(?:\bfrom |\bimport\()["']([^"']+)["']/g);
  return [...imports].some(([, name]) => builtinModules.includes(name));
}

/**
 * An empty project in which `wanted` are installed, with what they ask for. All that is of this repository comes from a tarball. Nested,
 * so that what a dependency has brought is out of reach of its dependent.
 */
function makeProject(title, wanted, packages) {
  const specOf = ({ name, tarball }) => [name, `file:${tarball}`];
  const project = { dir: fs.mkdtempSync(path.join(workshop, 'project-')) };
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: Object.assign(Object.fromEntries(wanted.map(specOf)), ...wanted.map((pack) => pack.optionalPeers)),
    overrides: Object.fromEntries(packages.map(specOf)),
  };
  write(project, 'package.json', JSON.stringify(manifest));
  const result = npm(
    [
      'install',
      '--install-strategy=nested',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ],
    project.dir,
  );
  check(`npm install, ${title}`, result);
  if (result.status !== 0) throw new Error('nothing more can be checked');
  return project;
}

function checkImports(project, { subpaths, bins }) {
  for (const subpath of subpaths) {
    const source = [
      `import * as imported from ${JSON.stringify(subpath)};`,
      `import { createRequire } from 'node:module';`,
      `createRequire(import.meta.url)(${JSON.stringify(subpath)});`, // fails on a top-level await
      `if (Object.keys(imported).includes('default')) throw new Error('has a default export');`,
    ];
    write(project, 'import.mjs', source.join('\n'));
    check(`import ${subpath}`, run(process.execPath, ['--no-warnings', 'import.mjs'], project.dir));
  }
  for (const bin of bins) {
    check(`${bin} --help`, run(process.execPath, [path.join('node_modules', '.bin', bin), '--help'], project.dir));
  }
}

function checkTypes(project, packages) {
  const subpaths = packages.flatMap((pack) => pack.subpaths);
  write(project, 'consumer.ts', subpaths.map((name, i) => `import * as m${i} from '${name}';\nvoid m${i};\n`).join(''));
  const compilerOptions = {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    verbatimModuleSyntax: true,
    exactOptionalPropertyTypes: true,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules', '@types')],
  };
  write(project, 'tsconfig.json', JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  const tsc = binOf('typescript', 'tsc');
  check('a strict TypeScript consumer', run(process.execPath, [tsc, '-p', 'tsconfig.json'], project.dir));
}

/** The first program of the README, with the `tsconfig.json` that it recommends; declarations must not want more than that. */
function checkReadme(project) {
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  const [, program] = /^```ts\n(.*?)^```$/ms.exec(readme);
  const [, settings] = /^```json\n(.*?"compilerOptions".*?)^```$/ms.exec(readme);
  const config = JSON.parse(settings);
  config.compilerOptions.typeRoots = [path.join(root, 'node_modules', '@types')];
  write(project, 'tsconfig.json', JSON.stringify(config));
  fs.mkdirSync(path.join(project.dir, config.compilerOptions.rootDir));
  write(project, path.join(config.compilerOptions.rootDir, 'first.ts'), program);
  check('the README compiles', run(process.execPath, [binOf('typescript', 'tsc'), '-p', 'tsconfig.json'], project.dir));
  check('the README runs', run(process.execPath, [path.join(config.compilerOptions.outDir, 'first.js')], project.dir));
}

// --- helpers ---------------------------------------------------------------------------------------------------------

function check(what, { status, output = '' }) {
  const passed = status === 0;
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${what}`);
  if (passed) return;
  failures.push(what);
  console.log(output.trim().replace(/^/gm, '     '));
}

function tool(name, args) {
  return run(process.execPath, [binOf(name), ...args]);
}

function binOf(name, program) {
  const dir = path.join(root, 'node_modules', name);
  const { bin } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));
  return path.join(dir, typeof bin === 'string' ? bin : bin[program ?? Object.keys(bin)[0]]);
}

function npm(args, cwd) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith('.js') ? run(process.execPath, [cli, ...args], cwd) : run('npm', args, cwd);
}

function run(program, args, cwd = workshop) {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
  // An npm that is started by an npm script would take the root's settings for its own.
  for (const key of Object.keys(env)) if (/^npm_(?:package_|lifecycle_|config_local_prefix)/.test(key)) delete env[key];
  const result = spawnSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: COMMAND_MS_MAX,
    maxBuffer: 64 << 20,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `\n${result.error.message}` : ''}`;
  return { status: result.status ?? 1, stdout: result.stdout ?? '', output };
}

function write(project, file, text) {
  fs.writeFileSync(path.join(project.dir, file), text);
}
