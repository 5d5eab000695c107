/** What rcopy refuses, and its defaults. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { describeCommandLine, describeRefusals } from './rcopy.ts';
import { runExample } from './run-example.ts';
import { scratchDirectory } from './scratch-directory.ts';

describe('rcopy', () => {
  const path = scratchDirectory();

  it('without a destination copies beside', async () => {
    writeFileSync(path('source'), 'some');
    expect((await runExample('rcopy', ['source'], path())).status).to.equal(0);
    expect(readFileSync(path('source.copy'), 'utf8')).to.equal('some');
  });

  describeRefusals([
    'a source that does not exist',
    'a device',
    'a device as destination',
    'a directory that does not exist',
  ]);
  describeCommandLine([[], ['--fast', 'a']]);

  it('--help', async () => {
    const { status, out } = await runExample('rcopy', ['--help']);
    expect(status).to.equal(0);
    expect(out).to.match(/^Usage: rcopy SOURCE \[DESTINATION\]\n/);
  });
});
