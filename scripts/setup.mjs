// Makes the repository ready to run: installs what the lockfile names, compiles what has changed.
//
// Every npm script that runs compiled code starts here, so this must be cheap when nothing is to be done: it compares the
// sizes and times of the sources with those of the last success, and reads a file only if its time differs. It needs nothing
// but Node, and writes on standard error alone, because the output of a script may be data.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = path.join(root, '.cache', 'setup');
const lockFile = path.join(cache, 'lock');
const installStamp = path.join(cache, 'install.json');
const buildStamp = path.join(cache, 'build.json');
const hiddenLockfile = path.join(root, 'node_modules', '.package-lock.json');

const LOCK_WAIT_MS_MAX = 15 * 60_000;
const LOCK_POLL_MS = 100;
const STAMP_VERSION = 1;
/** What a compiler makes of `x.ts`. */
const OUTPUT = /(?:\.d\.ts|\.js)(?:\.map)?$/;
const NOT_SOURCE = new Set(['node_modules', 'dist', 'api', 'coverage']);
const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (!((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22)) {
    throw new SetupError(`Node ${process.versions.node} is too old or odd: OpenVerbs needs ^20.19.0 || >=22.12.0`);
  }
  const workspaces = findWorkspaces();
  if (isInstalled(workspaces) && isBuilt(workspaces)) return;

  fs.mkdirSync(cache, { recursive: true });
  const release = takeLock();
  try {
    if (!isInstalled(workspaces)) install(workspaces);
    if (!isBuilt(workspaces)) build(workspaces);
  } finally {
    release();
  }
}

// --- install ---------------------------------------------------------------------------------------------------------

/** Everything whose change may change what has to be installed. */
function installInputs(workspaces) {
  return ['package.json', 'package-lock.json', '.npmrc', ...workspaces.map((dir) => `${dir}/package.json`)];
}

function isInstalled(workspaces) {
  if (!fs.existsSync(hiddenLockfile)) return false;
  if (
    !workspaces.every((dir) => fs.existsSync(path.join(root, 'node_modules', readJson(`${dir}/package.json`).name)))
  ) {
    return false;
  }
  return matchesStamp(installStamp, installInputs(workspaces));
}

function install(workspaces) {
  const print = fingerprint(installInputs(workspaces));
  checkLockfile(workspaces);
  if (!isTreeComplete(workspaces)) {
    say('installing dependencies from package-lock.json');
    fs.rmSync(installStamp, { force: true });
    // Dependencies run no code at install, whatever the version of npm thinks of the `allowScripts` in package.json.
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  writeStamp(installStamp, print);
}

/** `npm ci` would say so too, but in a hundred lines. */
function checkLockfile(workspaces) {
  const lockfile = readLockfile('package-lock.json');
  for (const dir of ['', ...workspaces]) {
    const manifest = readJson(path.join(dir, 'package.json'));
    const locked = lockfile[dir];
    if (locked && DEPENDENCY_FIELDS.every((field) => sameMembers(manifest[field], locked[field]))) continue;
    throw new SetupError(
      `package-lock.json does not match ${path.join(dir, 'package.json')}: run \`npm install --ignore-scripts\` and commit the lockfile`,
    );
  }
}

/** Whether node_modules already holds what the lockfile asks for, for instance after an `npm install` by hand. */
function isTreeComplete(workspaces) {
  if (!fs.existsSync(hiddenLockfile)) return false;
  const wanted = readLockfile('package-lock.json');
  const found = readLockfile('node_modules/.package-lock.json');
  for (const [place, entry] of Object.entries(wanted)) {
    if (!place.includes('node_modules/')) continue;
    const present = found[place];
    if (!present) {
      if (entry.optional || entry.devOptional) continue; // for another platform
      return false;
    }
    if (entry.link ? !fs.existsSync(path.join(root, place)) : present.version !== entry.version) return false;
    if (entry.integrity !== present.integrity) return false;
  }
  return workspaces.every((dir) =>
    fs.existsSync(path.join(root, 'node_modules', readJson(`${dir}/package.json`).name)),
  );
}

function npm(args) {
  const cli = process.env.npm_execpath;
  const bundled = cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) && fs.existsSync(cli);
  const windows = process.platform === 'win32';
  const result = bundled
    ? run(process.execPath, [cli, ...args])
    : run(windows ? 'npm.cmd' : 'npm', args, { shell: windows });
  if (result.error) throw new SetupError(`cannot start npm: ${result.error.message}`);
  if (result.status !== 0) throw new SetupError(`\`npm ${args[0]}\` failed (${how(result)})`, result.status ?? 1);
}

// --- build -----------------------------------------------------------------------------------------------------------

/** Everything that the compiler reads, besides what is installed. */
function buildInputs(workspaces) {
  const files = ['tsconfig.json', 'tsconfig.base.json'];
  for (const dir of workspaces) {
    files.push(`${dir}/package.json`);
    if (!fs.existsSync(path.join(root, dir, 'tsconfig.json'))) continue;
    files.push(`${dir}/tsconfig.json`, ...sourcesOf(dir));
  }
  return files;
}

function isBuilt(workspaces) {
  const inputs = buildInputs(workspaces);
  return (
    matchesStamp(buildStamp, inputs, readStamp(installStamp)?.lockfile) &&
    inputs.every((file) => !isSource(file) || fs.existsSync(outputOf(file)))
  );
}

function build(workspaces) {
  const inputs = buildInputs(workspaces);
  const print = fingerprint(inputs);
  fs.rmSync(buildStamp, { force: true });
  for (const dir of workspaces) removeOrphans(dir);
  // The compiler takes its own word for what it wrote: without it, it writes again.
  for (const file of inputs) {
    if (isSource(file) && !fs.existsSync(outputOf(file))) fs.rmSync(buildInfoOf(file), { force: true });
  }
  say('compiling');
  const result = run(process.execPath, [
    path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-b',
    '--pretty',
    String(process.stderr.isTTY ?? false),
  ]);
  if (result.status !== 0) {
    throw new SetupError(`the build failed (${how(result)}); the compiler's errors stand above`, 1);
  }
  writeStamp(buildStamp, print, readStamp(installStamp)?.lockfile);
}

/** Compiled files whose source is gone: a deleted test must not run again. */
function removeOrphans(dir) {
  const dist = path.join(root, dir, 'dist');
  for (const file of walk(dist, () => true)) {
    const stem = path.relative(dist, file).replace(OUTPUT, '');
    if (OUTPUT.test(file) && !fs.existsSync(path.join(root, dir, `${stem}.ts`))) fs.rmSync(file);
  }
}

// --- stamps ----------------------------------------------------------------------------------------------------------

/**
 * For each file its size, its time and a hash. `lockfile` is the hash of the lockfile that is installed: new compilers
 * and new types ask for a new build.
 */
function fingerprint(files) {
  const print = {};
  for (const file of files) {
    const stat = fs.statSync(path.join(root, file));
    print[file] = [stat.size, stat.mtimeMs, hash(file)];
  }
  return print;
}

function matchesStamp(stampFile, files, lockfile) {
  const stamp = readStamp(stampFile);
  if (!stamp || Object.keys(stamp.files).length !== files.length) return false;
  if (lockfile !== undefined && stamp.lockfile !== lockfile) return false;
  let touched = false;
  for (const file of files) {
    const known = stamp.files[file];
    const stat = fs.statSync(path.join(root, file), { throwIfNoEntry: false });
    if (!known || !stat || known[0] !== stat.size) return false;
    if (known[1] === stat.mtimeMs) continue;
    if (known[2] !== hash(file)) return false;
    known[1] = stat.mtimeMs;
    touched = true;
  }
  if (touched) writeStamp(stampFile, stamp.files, stamp.lockfile);
  return true;
}

function readStamp(stampFile) {
  let stamp;
  try {
    stamp = JSON.parse(fs.readFileSync(stampFile, 'utf8'));
  } catch {
    return undefined;
  }
  return stamp.version === STAMP_VERSION && stamp.platform === platform() ? stamp : undefined;
}

/** In one step, so that whoever reads finds an old stamp or a new one. */
function writeStamp(stampFile, files, lockfile = hash('package-lock.json')) {
  fs.mkdirSync(cache, { recursive: true });
  const draft = `${stampFile}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify({ version: STAMP_VERSION, platform: platform(), lockfile, files }));
  fs.renameSync(draft, stampFile);
}

function platform() {
  return `${process.platform}-${process.arch}`;
}

// --- lock ------------------------------------------------------------------------------------------------------------

/** One setup at a time in a working copy. The lock names its owner; one whose owner is gone is taken over. */
function takeLock() {
  const me = JSON.stringify({ pid: process.pid, host: os.hostname(), started: startOf(process.pid) });
  const draft = `${lockFile}.${process.pid}`;
  fs.writeFileSync(draft, me);
  const deadline = Date.now() + LOCK_WAIT_MS_MAX;
  let told = false;
  try {
    for (;;) {
      try {
        fs.linkSync(draft, lockFile); // appears with its content, or not at all
        break;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const owner = readText(lockFile);
      if (owner !== undefined && !isAlive(owner)) {
        breakLock(owner);
        continue;
      }
      if (Date.now() > deadline) {
        throw new SetupError(`another setup has held ${path.relative(root, lockFile)} for too long: ${owner ?? '?'}`);
      }
      if (!told) say(`waiting for another setup: ${owner ?? '?'}`);
      told = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
  const release = () => {
    if (readText(lockFile) === me) fs.rmSync(lockFile, { force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      release();
      process.exit(1);
    });
  }
  return release;
}

/** Takes a dead owner's lock away. Another process may have done so already and hold it anew: that one gets it back. */
function breakLock(owner) {
  const aside = `${lockFile}.stale.${process.pid}`;
  try {
    fs.renameSync(lockFile, aside);
  } catch {
    return;
  }
  if (readText(aside) === owner) {
    fs.rmSync(aside, { force: true });
    return;
  }
  try {
    fs.linkSync(aside, lockFile);
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function isAlive(owner) {
  let holder;
  try {
    holder = JSON.parse(owner);
  } catch {
    return false;
  }
  if (holder.host !== os.hostname()) return true; // not ours to judge; the wait has a limit
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return holder.started === startOf(holder.pid); // the number may have been given to another process since
}

/** When a process started, where the system tells. */
function startOf(pid) {
  return (
    readText(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, '')
      .split(' ')[19] ?? ''
  );
}

// --- helpers ---------------------------------------------------------------------------------------------------------

function findWorkspaces() {
  const found = [];
  for (const pattern of readJson('package.json').workspaces) {
    const [parent, star] = pattern.split('/');
    const names = star === undefined ? [''] : fs.readdirSync(path.join(root, parent)).sort();
    for (const name of names) {
      const dir = name === '' ? parent : `${parent}/${name}`;
      if (fs.existsSync(path.join(root, dir, 'package.json'))) found.push(dir);
    }
  }
  return found;
}

/** What the workspace's tsconfig.json includes: folders by name, or everything. */
function sourcesOf(dir) {
  const { include } = readTsconfig(`${dir}/tsconfig.json`);
  const base = path.join(root, dir);
  const folders = include.every((entry) => !entry.includes('*')) ? include : [''];
  const isWanted = (entry) => !NOT_SOURCE.has(entry.name) && !entry.name.startsWith('.');
  return folders
    .flatMap((folder) => walk(path.join(base, folder), isWanted))
    .filter((file) => isSource(file))
    .map((file) => `${dir}/${path.relative(base, file).split(path.sep).join('/')}`)
    .sort();
}

function isSource(file) {
  return file.endsWith('.ts') && !file.endsWith('.d.ts');
}

function outputOf(source) {
  const [dir, rest] = splitWorkspace(source);
  return path.join(root, dir, 'dist', rest.replace(/\.ts$/, '.js'));
}

function buildInfoOf(source) {
  return path.join(root, splitWorkspace(source)[0], 'dist', 'tsconfig.tsbuildinfo');
}

function splitWorkspace(source) {
  const depth = source.startsWith('packages/') ? 2 : 1;
  const parts = source.split('/');
  return [parts.slice(0, depth).join('/'), parts.slice(depth).join('/')];
}

function walk(dir, isWanted, found = []) {
  let entries;
  try {
    entries = fs.readdirSync(dir, { withFileTypes: true });
  } catch {
    return found;
  }
  for (const entry of entries) {
    if (!isWanted(entry)) continue;
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) walk(file, isWanted, found);
    else found.push(file);
  }
  return found;
}

/** Runs a program with no input; what it says on standard output goes to standard error. */
function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
}

function how(result) {
  return result.error?.message ?? (result.signal ? `killed by ${result.signal}` : `exit code ${result.status}`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function hash(file) {
  return createHash('sha256')
    .update(fs.readFileSync(path.join(root, file)))
    .digest('base64url');
}

function sameMembers(a = {}, b = {}) {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function readLockfile(file) {
  return readJson(file).packages;
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));
}

/** JSON in which, as the compiler allows, lines may be comments. */
function readTsconfig(file) {
  return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8').replace(/^\s*\/\/.*$/gm, ''));
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
