/** A copy of what is compiled, in which mutations are tried: the repository itself is never broken. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from './mutation.ts';

/** What tests need beside the workspaces. */
const FILES = ['package.json', '.mocharc.json', 'scripts'];
/** What they need beside the compiled files of a workspace. */
const WORKSPACE_FILES = ['package.json', 'README.md'];

export class Scratch {
  readonly root = mkdtempSync(path.join(tmpdir(), 'openverbs-mutations-'));

  constructor() {
    for (const file of FILES) cpSync(path.join(ROOT, file), path.join(this.root, file), { recursive: true });
    this.#copyPages();
    const packages = readdirSync(path.join(ROOT, 'packages')).map((name) => path.join('packages', name));
    for (const workspace of [...packages, 'test']) this.#copyWorkspace(workspace);
    this.#linkInstalled('node_modules');
  }

  /** Replaces a compiled file; the answer puts back what was there. */
  replace(file: string, text: string): () => void {
    const place = path.join(this.root, file);
    writeFileSync(place, text);
    return () => cpSync(path.join(ROOT, file), place);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Some tests compare what they find with what a page says. */
  #copyPages(): void {
    const pages = readdirSync(path.join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));
    for (const page of pages) cpSync(path.join(ROOT, 'docs', page), path.join(this.root, 'docs', page));
  }

  #copyWorkspace(workspace: string): void {
    const from = path.join(ROOT, workspace);
    if (!existsSync(path.join(from, 'dist'))) return;
    const isNeeded = (source: string): boolean => !/\.(?:d\.ts|map|tsbuildinfo)$/.test(source);
    for (const file of WORKSPACE_FILES) {
      if (existsSync(path.join(from, file))) cpSync(path.join(from, file), path.join(this.root, workspace, file));
    }
    cpSync(path.join(from, 'dist'), path.join(this.root, workspace, 'dist'), { recursive: true, filter: isNeeded });
    const installed = path.join(from, 'node_modules');
    if (existsSync(installed)) symlinkSync(installed, path.join(this.root, workspace, 'node_modules'));
  }

  /** What is installed is that of the repository, and the workspaces among it, links that are relative, are those of the copy. */
  #linkInstalled(folder: string): void {
    mkdirSync(path.join(this.root, folder));
    for (const entry of readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
      const inside = path.join(folder, entry.name);
      if (entry.name === '@openverbs') this.#linkInstalled(inside);
      else if (!entry.isSymbolicLink()) symlinkSync(path.join(ROOT, inside), path.join(this.root, inside));
      else cpSync(path.join(ROOT, inside), path.join(this.root, inside), { verbatimSymlinks: true });
    }
  }
}

/** What the compiler makes of a source; both are paths from the root, with slashes. */
export function compiledName(file: string): string {
  const parts = file.split('/');
  const workspace = parts[0] === 'packages' ? 2 : 1;
  return path.posix.join(...parts.slice(0, workspace), 'dist', ...parts.slice(workspace)).replace(/\.ts$/, '.js');
}
