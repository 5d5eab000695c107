/** How `npm run conformance` ends, so that it can be a stage of `.ci/run`. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LIAR = fileURLToPath(new URL('falsified/liar.js', import.meta.url));

/** What a process came to. */
interface End {
  readonly code: unknown;
  readonly out: string;
}

function conformance(...args: readonly string[]): Promise<End> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['packages/tools/bin/openverbs.js', 'conformance', ...args],
      { cwd: ROOT },
      (error, out) => {
        resolve({ code: error === null ? 0 : error.code, out });
      },
    );
  });
}

describe('the conformance command', function () {
  // Three processes at once, on a machine that may have other things to do.
  this.timeout(60_000);
  let directory: string;
  let runs: Record<'all is well' | 'one fails' | 'one passes unexpectedly', Promise<End>>;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'openverbs-'));
    const deviations = join(directory, 'deviations.json');
    writeFileSync(deviations, '{ "pd › is deallocated once": "it was broken once" }');
    runs = {
      'all is well': conformance('--provider', LIAR, '--suite', 'pd'),
      'one fails': conformance('--provider', LIAR, '--suite', 'cq-resize'),
      'one passes unexpectedly': conformance('--provider', LIAR, '--suite', 'pd', '--deviations', deviations),
    };
  });
  after(async () => {
    await Promise.allSettled(Object.values(runs));
    rmSync(directory, { recursive: true });
  });

  it('is what npm run conformance starts', () => {
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> };
    expect(scripts['conformance']).to.match(/ && node packages\/tools\/bin\/openverbs\.js conformance$/);
  });

  it('ends with 0 when all is well', async () => {
    expect((await runs['all is well']).code).to.equal(0);
  });

  it('ends with 1 when a test fails', async () => {
    const { code, out } = await runs['one fails'];
    expect(out).to.match(/^FAIL cq-resize › /m);
    expect(code).to.equal(1);
  });

  it('ends with 1 when a test passes that is listed as a deviation', async () => {
    const { code, out } = await runs['one passes unexpectedly'];
    expect(out).to.match(/^FAIL pd › is deallocated once\n {5}passes, but is listed as a deviation/m);
    expect(code).to.equal(1);
  });
});
