/** `scripts/setup.mjs`, which each npm script starts with. */
import { spawnSync } from 'node:child_process';
import { rmSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { expect } from 'chai';
import { SmallRepository, type SetupEnd } from './small-repository.ts';

const STAMPS = ['build.json', 'install.json'];
const INSTALLS = 'npm ci --ignore-scripts stamps:';
const COMPILES = 'tsc -b --pretty stamps: install.json';
const LOCK = '.cache/setup/lock';
const TIMEOUT_MS = 60_000;

async function inRepository(body: (repository: SmallRepository) => Promise<void>): Promise<void> {
  const repository = new SmallRepository();
  try {
    await body(repository);
  } finally {
    repository.remove();
  }
}

function expectSuccess({ status, err }: SetupEnd): void {
  expect(status, err).to.equal(0);
}

describe('the set-up', function () {
  // Some dozens of processes, on a machine that may have other things to do.
  this.timeout(TIMEOUT_MS);
  const begun: Promise<void>[] = [];
  const bodies: ((repository: SmallRepository) => Promise<void>)[] = [];

  // At once, each in a repository of its own: they are busy with starts of processes. The test that waits for one says how it failed.
  before(() => {
    for (const body of bodies) begun.push(inRepository(body));
    for (const each of begun) each.catch(() => undefined);
  });
  after(() => Promise.allSettled(begun));

  function itInRepository(title: string, body: (repository: SmallRepository) => Promise<void>): void {
    const index = bodies.push(body) - 1;
    it(title, () => begun[index]);
  }

  itInRepository('installs, then compiles, and stamps each when it is done', async (repository) => {
    expectSuccess(await repository.setup());
    expect(repository.calls()).to.deep.equal([INSTALLS, COMPILES]);
    expect(repository.cache(), 'the lock is gone').to.deep.equal(STAMPS);
  });

  itInRepository('does nothing when there is nothing to do, and waits for nobody then', async (repository) => {
    expectSuccess(await repository.setup());
    repository.calls();
    repository.write(LOCK, JSON.stringify({ pid: 1, host: 'another', started: '' }));
    expect(await repository.setup()).to.deep.equal({ status: 0, err: '' });
    expect(repository.calls()).to.deep.equal([]);
  });

  itInRepository('does again what is stale, and no more', async (repository) => {
    expectSuccess(await repository.setup());
    repository.calls();
    const after = async (change: () => void): Promise<string[]> => {
      change();
      expectSuccess(await repository.setup());
      return repository.calls();
    };
    expect(
      await after(() => {
        utimesSync(repository.path('packages/one/src/a.ts'), 1, 1);
      }),
      'a source that has another time only',
    ).to.deep.equal([]);
    expect(
      await after(() => {
        repository.write('packages/one/src/a.ts', 'export const a = 2;');
      }),
      'a source',
    ).to.deep.equal([COMPILES]);
    expect(
      await after(() => {
        rmSync(repository.path('packages/one/dist/src/a.js'));
      }),
      'an output that is gone',
    ).to.deep.equal([COMPILES]);
    repository.write('packages/one/src/b.ts', '');
    expectSuccess(await repository.setup());
    repository.calls();
    expect(
      await after(() => {
        rmSync(repository.path('packages/one/src/b.ts'));
      }),
      'a source that is gone',
    ).to.deep.equal([COMPILES]);
    expect(repository.exists('packages/one/dist/src/b.js'), 'its output').to.equal(false);
    expect(
      await after(() => {
        rmSync(repository.path('node_modules'), { recursive: true });
      }),
      'what is installed is gone',
    ).to.deep.equal([`${INSTALLS} build.json`]);
  });

  itInRepository('leaves no stamp behind a build that failed', async (repository) => {
    repository.write('wrong', '');
    const { status, err } = await repository.setup();
    expect(status).to.equal(1);
    expect(err).to.match(/\nsetup: the build failed \(exit code 2\)/);
    expect(repository.cache()).to.deep.equal(['install.json']);
    rmSync(repository.path('wrong'));
    repository.calls();
    expectSuccess(await repository.setup());
    expect(repository.calls()).to.deep.equal([COMPILES]);
  });

  itInRepository('says in a line that a manifest and the lockfile differ', async (repository) => {
    repository.write('packages/one/package.json', '{ "name": "one", "dependencies": { "two": "1" } }');
    const { status, err } = await repository.setup();
    expect(status).to.equal(1);
    expect(err).to.match(
      /^setup: package-lock\.json does not match packages\/one\/package\.json: run `npm install.*\n$/,
    );
    expect(repository.calls()).to.deep.equal([]);
  });

  itInRepository('is one at a time: the second waits, and finds all done', async (repository) => {
    repository.write('slow', '300');
    const ends = await Promise.all([repository.setup(), repository.setup()]);
    for (const end of ends) expectSuccess(end);
    expect(repository.calls()).to.deep.equal([INSTALLS, COMPILES]);
    expect(ends.filter(({ err }) => err.includes('setup: waiting for another setup'))).to.have.lengthOf(1);
    expect(repository.cache()).to.deep.equal(STAMPS);
  });

  itInRepository('takes over from one that was killed at work, and does that again', async (repository) => {
    repository.write('slow', '200');
    const killed = repository.start();
    for (const endMs = performance.now() + TIMEOUT_MS; !repository.calls().includes(COMPILES); await sleep(5)) {
      if (performance.now() > endMs) throw new Error('it never came to the compiler');
    }
    const exit = once(killed, 'exit');
    killed.kill('SIGKILL');
    await exit;
    expect(repository.cache(), 'no stamp, and its lock').to.deep.equal(['install.json', 'lock']);
    expectSuccess(await repository.setup());
    expect(repository.calls()).to.deep.equal([COMPILES]);
    expect(repository.cache()).to.deep.equal(STAMPS);
  });

  itInRepository(
    'takes a lock whose process has ended, or whose number is that of another one now',
    async (repository) => {
      const { pid } = spawnSync(process.execPath, ['--version']);
      for (const owner of [pid, process.pid]) {
        repository.write('packages/one/src/a.ts', `export const a = ${owner};`);
        repository.write(LOCK, JSON.stringify({ pid: owner, host: hostname(), started: 'long ago' }));
        expectSuccess(await repository.setup());
        expect(repository.calls().at(-1)).to.equal(COMPILES);
        expect(repository.cache()).to.deep.equal(STAMPS);
      }
    },
  );
});
