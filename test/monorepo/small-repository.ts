/** A repository of one package for `scripts/setup.mjs`, with stubs of npm and of the compiler that write down what they are asked. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const SETUP = fileURLToPath(new URL('../../../scripts/setup.mjs', import.meta.url));

/** Both write a line of their arguments, and of the stamps that there are. */
const NOTE = `
import fs from 'node:fs';
const stamps = fs.existsSync('.cache/setup') ? fs.readdirSync('.cache/setup').filter((name) => name.endsWith('.json')) : [];
const note = (name) => fs.appendFileSync('calls', [name, ...process.argv.slice(2, 4), 'stamps:', ...stamps.sort()].join(' ') + '\\n');
`;
const NPM = `${NOTE}
note('npm');
fs.mkdirSync('node_modules/one', { recursive: true });
fs.mkdirSync('node_modules/typescript/bin', { recursive: true });
fs.copyFileSync('tsc.mjs', 'node_modules/typescript/bin/tsc');
fs.writeFileSync('node_modules/typescript/package.json', '{"type":"module"}');
fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
`;
const TSC = `${NOTE}
note('tsc');
if (fs.existsSync('slow')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(fs.readFileSync('slow', 'utf8')));
if (fs.existsSync('wrong')) process.exit(2);
fs.mkdirSync('packages/one/dist/src', { recursive: true });
for (const name of fs.readdirSync('packages/one/src')) fs.writeFileSync('packages/one/dist/src/' + name.replace(/ts$/, 'js'), '');
`;

const ONE = { name: 'one', version: '1.0.0' };
const ROOT = { name: 'repository', workspaces: ['packages/*'] };
const LOCKFILE = { packages: { '': ROOT, 'packages/one': ONE, 'node_modules/one': { link: true } } };

/** What a run of the set-up came to. */
export interface SetupEnd {
  readonly status: number | null;
  readonly err: string;
}

/** One of them, in a temporary folder. */
export class SmallRepository {
  readonly #root = mkdtempSync(join(tmpdir(), 'openverbs-'));

  constructor() {
    cpSync(SETUP, this.path('scripts/setup.mjs'));
    this.write('package.json', JSON.stringify(ROOT));
    this.write('package-lock.json', JSON.stringify(LOCKFILE));
    for (const file of ['.npmrc', 'tsconfig.json', 'tsconfig.base.json']) this.write(file, '');
    this.write('packages/one/package.json', JSON.stringify(ONE));
    this.write('packages/one/tsconfig.json', JSON.stringify({ include: ['src'] }));
    this.write('packages/one/src/a.ts', 'export const a = 1;');
    this.write('npm-cli.mjs', NPM);
    this.write('tsc.mjs', TSC);
  }

  path(file: string): string {
    return join(this.#root, file);
  }

  exists(file: string): boolean {
    return existsSync(this.path(file));
  }

  write(file: string, contents: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), contents);
  }

  /** Starts the set-up. */
  start(): ChildProcess {
    const env = { ...process.env, npm_execpath: this.path('npm-cli.mjs') };
    return spawn(process.execPath, [this.path('scripts/setup.mjs')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async setup(): Promise<SetupEnd> {
    const child = this.start();
    const [err, exit] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    return { status: (exit as [number | null])[0], err };
  }

  /** What the stubs were asked since the last time. */
  calls(): string[] {
    const calls = this.exists('calls') ? readFileSync(this.path('calls'), 'utf8').trimEnd().split('\n') : [];
    rmSync(this.path('calls'), { force: true });
    return calls;
  }

  /** What the set-up keeps. */
  cache(): string[] {
    return readdirSync(this.path('.cache/setup')).sort();
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
