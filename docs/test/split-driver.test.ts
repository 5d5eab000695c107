/** The snippet and the traces of `docs/split-driver.md`. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect } from 'chai';
import { outlineOf, sideBySide } from '../trace/outline.ts';
import type { TraceEvent } from '../trace/outline.ts';

const PAGE = readFileSync(new URL('../../split-driver.md', import.meta.url), 'utf8');
const PINGPONG = fileURLToPath(new URL('../../../packages/tools/bin/ibv_rc_pingpong.js', import.meta.url));
/** Two programs start at once. */
const TIMEOUT_MS = 60_000;
const run = promisify(execFile);

/** The events of a trace of one message of one packet. */
async function trace(provider: string, directory: string): Promise<TraceEvent[]> {
  const path = join(directory, `${provider.replace(':', '-')}.json`);
  await run(process.execPath, [PINGPONG, '--self', '-s', '1024', '-n', '20', '--provider', provider, '--trace', path]);
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly traceEvents: TraceEvent[] }).traceEvents;
}

describe('the page of the split driver', () => {
  it('has the snippet that is compiled', () => {
    const blocks = Array.from(PAGE.matchAll(/```ts\n([^]*?)```/g), ([, code]) => code);
    expect(blocks).to.deep.equal([
      readFileSync(new URL('../../snippets/split-driver/guests.ts', import.meta.url), 'utf8'),
    ]);
  });

  it('has basic and bypass side by side as fresh traces have them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'openverbs-trace-'));
    try {
      const traces = await Promise.all(['xen:basic', 'xen:bypass'].map((provider) => trace(provider, directory)));
      const [basic, bypass] = traces.map(outlineOf);
      const [block] = Array.from(PAGE.matchAll(/```text\n([^]*?)\n```/g), ([, text]) => text);
      expect(sideBySide(['basic', 'bypass'], basic, bypass)).to.equal(block);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }).timeout(TIMEOUT_MS);

  it('has a snippet that does what it says', () => {
    const program = fileURLToPath(new URL('../snippets/split-driver/guests.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/^ {2}NAME .*\n {2}db +basic .*\n {2}web +\(bypass\) .*\n\ndb \d+ 16\nweb 0 0\n$/);
  });
});
