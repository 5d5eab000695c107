/** The snippet of `docs/split-driver.md`. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

describe('the page of the split driver', () => {
  it('has the snippet that is compiled', () => {
    const page = readFileSync(new URL('../../split-driver.md', import.meta.url), 'utf8');
    const blocks = Array.from(page.matchAll(/```ts\n([^]*?)```/g), ([, code]) => code);
    expect(blocks).to.deep.equal([
      readFileSync(new URL('../../snippets/split-driver/guests.ts', import.meta.url), 'utf8'),
    ]);
  });

  it('has a snippet that does what it says', () => {
    const program = fileURLToPath(new URL('../snippets/split-driver/guests.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/^ {2}NAME .*\n {2}db +basic .*\n {2}web +\(bypass\) .*\n\ndb \d+ 16\nweb 0 0\n$/);
  });
});
