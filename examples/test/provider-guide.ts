/** `docs/provider-guide.md` and the commands in it, for `npm test` and for those that take longer. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROVIDER = './examples/dist/src/minimal-provider/provider.js';
/** A file of the repository. */
export const read = (path: string): string => readFileSync(ROOT + path, 'utf8');
const guide = read('docs/provider-guide.md');

/** The blocks of one language. */
export function blocks(language: string): string[] {
  return [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text);
}

/** Those of its commands that take the provider and that are wanted. */
export function describeCommands(isWanted: (line: string) => boolean): void {
  describe('runs', function () {
    this.timeout(60_000);
    const lines = [
      ...new Set(
        blocks('sh')
          .join('')
          .match(/^npx .*provider\.js.*$/gm),
      ),
    ].filter(isWanted);
    let runs: Promise<{ stdout: string }>[] = [];

    // At once: each is busy with its start for most of the time. The test that waits for one says how it failed.
    before(() => {
      runs = lines.map((line) => {
        const [, tool, ...args] = line.replace('./dist/provider.js', PROVIDER).split(' ');
        return execute(process.execPath, [`packages/tools/bin/${tool}.js`, ...args], { cwd: ROOT });
      });
      for (const run of runs) run.catch(() => undefined);
    });
    after(() => Promise.allSettled(runs));

    it('at least one command', () => {
      expect(lines).not.to.deep.equal([]);
    });
    lines.forEach((line, index) => {
      it(line, async () => {
        expect((await runs[index]).stdout).to.contain('loopback0');
      });
    });
  });
}
