import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { describeCommandLine, describeRefusals } from './rcopy.ts';
import { runExample } from './run-example.ts';
import { scratchDirectory } from './scratch-directory.ts';

const MIB = 1 << 20;

/** More is in rcopy.exhaustive.ts. */
describe('rcopy', () => {
  const path = scratchDirectory();

  it('copies a file and says so', async () => {
    const contents = randomBytes(10 * MIB + 1);
    writeFileSync(path('source'), contents, { mode: 0o640 });
    const { status, out, err } = await runExample('rcopy', ['source', 'copy'], path());
    expect([status, err]).to.deep.equal([0, '']);
    const sha256 = createHash('sha256').update(contents).digest('hex');
    expect(out).to.match(
      new RegExp(
        `/source -> .*/copy\n10\\.5 MB in \\d+\\.\\d\\d s, [\\d.]+ [kMG]B/s, 11 RDMA writes\nsha256 match ${sha256}\n$`,
      ),
    );
    expect(readFileSync(path('copy')).equals(contents)).to.equal(true);
    expect(statSync(path('copy')).mode & 0o777).to.equal(0o640);
    expect(readdirSync(path())).to.have.members(['source', 'copy']);
  });

  it('into a directory, over what is there, through a link', async () => {
    writeFileSync(path('source'), 'new');
    mkdirSync(path('directory'));
    writeFileSync(path('target'), 'old and longer');
    symlinkSync(path('target'), path('directory', 'source'));
    expect((await runExample('rcopy', [path('source'), path('directory')])).status).to.equal(0);
    expect(readFileSync(path('target'), 'utf8')).to.equal('new');
    expect(readdirSync(path())).to.have.members(['source', 'directory', 'target']);
  });

  describeRefusals(['a directory', 'a file onto itself']);
  describeCommandLine([['a', 'b', 'c']]);
});
