/** `scripts/check-snippets.mjs`, which `npm run lint` runs on all that there are: it finds what it is for. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const CHECK = fileURLToPath(new URL('../../../scripts/check-snippets.mjs', import.meta.url));
const IMPORT = "import { openVerbs } from 'openverbs';";

describe('the check of snippets', () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'openverbs-snippets-'));
  });

  after(() => {
    rmSync(directory, { recursive: true });
  });

  function check(...blocks: string[][]): { status: number | null; stderr: string; stdout: string } {
    const page = join(directory, 'page.md');
    writeFileSync(page, blocks.map((lines) => ['```ts', ...lines, '```', ''].join('\n')).join('Text.\n'));
    return spawnSync(process.execPath, [CHECK, page], { encoding: 'utf8' });
  }

  it('lets pass what is right', () => {
    const { status, stdout } = check([IMPORT, 'using verbs = openVerbs();', 'console.log(verbs.devices[0]?.name);']);
    expect([status, stdout]).to.deep.equal([0, '1 snippets, 0 faults\n']);
  });

  it('tells the line of a name that nobody declared, of a member that is none, and of a name of another snippet', () => {
    const { status, stderr } = check(
      [IMPORT, 'const verbs = openVerbs();', 'verbs.device().openn();', 'handle(verbs);'],
      ['console.log(verbs);'],
    );
    expect(status).to.equal(1);
    const lines = Array.from(stderr.matchAll(/page\.md:(\d+): [^']*'(\w+)'/g), ([, line, name]) => `${line} ${name}`);
    expect(lines).to.deep.equal(['4 openn', '5 handle', '9 verbs']);
  });
}).timeout(60_000);
