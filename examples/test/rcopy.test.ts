import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { atOnce, runExample } from './run-example.ts';
import { scratchDirectory } from './scratch-directory.ts';

const MIB = 1 << 20;

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

  it('without a destination copies beside', async () => {
    writeFileSync(path('source'), 'some');
    expect((await runExample('rcopy', ['source'], path())).status).to.equal(0);
    expect(readFileSync(path('source.copy'), 'utf8')).to.equal('some');
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

  const failures: [string, string[], RegExp][] = [
    ['a source that does not exist', ['absent', 'copy'], /^rcopy: absent: no such file\n$/],
    ['a directory', ['directory', 'copy'], /^rcopy: directory is a directory; rcopy copies one file\n$/],
    ['a device', ['/dev/null', 'copy'], /^rcopy: \/dev\/null is not a regular file\n$/],
    ['a device as destination', ['source', '/dev/null'], /^rcopy: \/dev\/null exists and is not a regular file\n$/],
    ['a directory that does not exist', ['source', 'absent/copy'], /^rcopy: .*\/absent: no such directory\n$/],
    ['a file onto itself', ['source', '.'], /^rcopy: source and .*\/source are the same file\n$/],
  ];
  describe('refuses', function () {
    // As many programs at once, on a machine that may have other things to do.
    this.timeout(60_000);
    let directories: string[] = [];
    const runs = atOnce(() => {
      directories = failures.map(() => mkdtempSync(join(tmpdir(), 'openverbs-test-')));
      return failures.map(([, args], index) => {
        writeFileSync(join(directories[index], 'source'), 'some');
        mkdirSync(join(directories[index], 'directory'));
        return runExample('rcopy', args, directories[index]);
      });
    });
    after(() => {
      for (const directory of directories) rmSync(directory, { recursive: true });
    });

    failures.forEach(([what, , message], index) => {
      it(what, async () => {
        const { status, out, err } = await runs(index);
        expect([status, out]).to.deep.equal([1, '']);
        expect(err).to.match(message);
        expect(readdirSync(directories[index])).to.have.members(['source', 'directory']);
        expect(readFileSync(join(directories[index], 'source'), 'utf8')).to.equal('some');
      });
    });
  });

  describe('its command line', function () {
    this.timeout(60_000);
    const wrong = [[], ['a', 'b', 'c'], ['--fast', 'a']];
    const runs = atOnce(() => [['--help'], ...wrong].map((args) => runExample('rcopy', args)));

    it('--help', async () => {
      const { status, out } = await runs(0);
      expect(status).to.equal(0);
      expect(out).to.match(/^Usage: rcopy SOURCE \[DESTINATION\]\n/);
    });

    wrong.forEach((args, index) => {
      it(`makes no sense, with status 2: '${args.join(' ')}'`, async () => {
        const { status, out, err } = await runs(1 + index);
        expect([status, out]).to.deep.equal([2, '']);
        expect(err).to.match(/^rcopy: .*\n\nUsage: rcopy SOURCE/);
      });
    });
  });
});
