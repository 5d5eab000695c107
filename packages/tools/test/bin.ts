/** The programs in processes of their own, for `npm test` and for those that take longer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** As many programs at once, on a machine that may have other things to do. */
export const TIMEOUT_MS = 60_000;

/** The path of a program. */
export const binary = (name: string): string => fileURLToPath(new URL(`../../bin/${name}.js`, import.meta.url));

/** What a user would see. */
interface ProgramRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program. */
export async function spawnTool(name: string, args: string[], env: Record<string, string> = {}): Promise<ProgramRun> {
  const child = spawn(process.execPath, [binary(name), ...args], { env: { ...process.env, ...env } });
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { status: (exit as [number])[0], out, err };
}

/** Starts these programs at once: they do nothing but start. The test that waits for one says how it failed. */
export function itHasHelp(names: readonly string[]): void {
  let pages: Promise<ProgramRun>[] = [];
  before(() => {
    pages = names.map((name) => spawnTool(name, ['--help']));
    for (const page of pages) page.catch(() => undefined);
  });
  after(() => Promise.allSettled(pages));

  names.forEach((name, index) => {
    it(`and have a page of help: ${name}`, async () => {
      const { status, out, err } = await pages[index];
      expect([status, err]).to.deep.equal([0, '']);
      expect(out).to.match(new RegExp(`^Usage: ${name} `));
    });
  });
}
