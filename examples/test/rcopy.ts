/** Tests of what rcopy refuses, for `npm test` and for those that take longer. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { atOnce, runExample } from './run-example.ts';

/** As many programs at once, on a machine that may have other things to do. */
const TIMEOUT_MS = 60_000;

/** Arguments, beside a file and a directory, and what is printed. */
const REFUSALS = {
  'a source that does not exist': [['absent', 'copy'], /^rcopy: absent: no such file\n$/],
  'a directory': [['directory', 'copy'], /^rcopy: directory is a directory; rcopy copies one file\n$/],
  'a device': [['/dev/null', 'copy'], /^rcopy: \/dev\/null is not a regular file\n$/],
  'a device as destination': [['source', '/dev/null'], /^rcopy: \/dev\/null exists and is not a regular file\n$/],
  'a directory that does not exist': [['source', 'absent/copy'], /^rcopy: .*\/absent: no such directory\n$/],
  'a file onto itself': [['source', '.'], /^rcopy: source and .*\/source are the same file\n$/],
} as const;

/** What it refuses leaves everything as it was. */
export function describeRefusals(names: readonly (keyof typeof REFUSALS)[]): void {
  describe('refuses', function () {
    this.timeout(TIMEOUT_MS);
    let directories: string[] = [];
    const runs = atOnce(() => {
      directories = names.map(() => mkdtempSync(join(tmpdir(), 'openverbs-test-')));
      return names.map((name, index) => {
        writeFileSync(join(directories[index], 'source'), 'some');
        mkdirSync(join(directories[index], 'directory'));
        return runExample('rcopy', REFUSALS[name][0], directories[index]);
      });
    });
    after(() => {
      for (const directory of directories) rmSync(directory, { recursive: true });
    });

    names.forEach((name, index) => {
      it(name, async () => {
        const { status, out, err } = await runs(index);
        expect([status, out]).to.deep.equal([1, '']);
        expect(err).to.match(REFUSALS[name][1]);
        expect(readdirSync(directories[index])).to.have.members(['source', 'directory']);
        expect(readFileSync(join(directories[index], 'source'), 'utf8')).to.equal('some');
      });
    });
  });
}

/** Command lines that make no sense. */
export function describeCommandLine(wrong: readonly (readonly string[])[]): void {
  describe('its command line', function () {
    this.timeout(TIMEOUT_MS);
    const runs = atOnce(() => wrong.map((args) => runExample('rcopy', args)));

    wrong.forEach((args, index) => {
      it(`makes no sense, with status 2: '${args.join(' ')}'`, async () => {
        const { status, out, err } = await runs(index);
        expect([status, out]).to.deep.equal([2, '']);
        expect(err).to.match(/^rcopy: .*\n\nUsage: rcopy SOURCE/);
      });
    });
  });
}
