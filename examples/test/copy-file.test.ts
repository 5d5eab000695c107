import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { expect } from 'chai';
import { type OpenVerbs, openVerbs } from 'openverbs';
import { type CopyOptions, copyFile } from '../src/rcopy/copy-file.ts';
import { CHUNK_BYTES, WINDOW } from '../src/rcopy/side.ts';
import { scratchDirectory } from './scratch-directory.ts';

describe('copyFile', () => {
  const path = scratchDirectory();
  let verbs: OpenVerbs;
  beforeEach(() => void (verbs = openVerbs()));
  afterEach(() => verbs[Symbol.dispose]());

  const copy = (options?: CopyOptions) => copyFile(verbs.devices[0], path('source'), path('copy'), options);

  /** The copy fails, and nothing but the source is there afterwards. */
  async function expectFailure(options: CopyOptions, message: RegExp): Promise<void> {
    let failure: unknown;
    await copy(options).catch((error: unknown) => void (failure = error));
    expect(failure).to.be.an('error').with.property('message').that.matches(message);
    expect(readdirSync(path())).to.deep.equal(['source']);
  }

  for (const size of [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, WINDOW * CHUNK_BYTES, 3 * WINDOW * CHUNK_BYTES - 1]) {
    it(`copies ${size} bytes`, async () => {
      const contents = randomBytes(size);
      writeFileSync(path('source'), contents);
      let progress = 0;
      const { bytes, writes } = await copy({ onProgress: (done) => (progress = done) });
      expect([bytes, writes, progress]).to.deep.equal([size, Math.ceil(size / CHUNK_BYTES), size]);
      expect(readFileSync(path('copy')).equals(contents)).to.equal(true);
    });
  }

  it('notices that the copy differs', async () => {
    writeFileSync(path('source'), Buffer.alloc(CHUNK_BYTES));
    await expectFailure(
      { onProgress: () => writeFileSync(path('source'), Buffer.alloc(CHUNK_BYTES, 1)) },
      /sha256 mismatch/,
    );
  });

  it('notices that the source becomes shorter', async () => {
    writeFileSync(path('source'), Buffer.alloc(2 * WINDOW * CHUNK_BYTES));
    await expectFailure({ onProgress: () => truncateSync(path('source'), 1) }, /became shorter/);
  });

  it('stops when it is told to', async () => {
    writeFileSync(path('source'), Buffer.alloc(2 * WINDOW * CHUNK_BYTES));
    const interrupt = new AbortController();
    const onProgress = () => interrupt.abort(new Error('enough'));
    await expectFailure({ onProgress, signal: interrupt.signal }, /^enough$/);
  });

  it('removes what a copy left that was killed, and nothing of one that runs', async () => {
    writeFileSync(path('source'), 'new');
    const { pid } = spawnSync(process.execPath, ['--version']);
    const kept = [`copy.${process.ppid}.part`, `copy.${pid}.parts`, `other.${pid}.part`];
    for (const name of [`copy.${pid}.part`, ...kept]) writeFileSync(path(name), '');
    await copy();
    expect(readdirSync(path())).to.have.members(['source', 'copy', ...kept]);
  });

  it('leaves an older copy alone when it fails', async () => {
    writeFileSync(path('source'), 'new');
    writeFileSync(path('copy'), 'old');
    await copy({ onStart: () => truncateSync(path('source'), 0) }).catch(() => {});
    expect(readFileSync(path('copy'), 'utf8')).to.equal('old');
    expect(readdirSync(path())).to.have.members(['source', 'copy']);
  });
});
