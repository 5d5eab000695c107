/** `.ci/run`: what it runs, how long it may take, and its last line. The commands are stubs. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MINUTES_MAX = 60;

const script = readFileSync(`${ROOT}.ci/run`, 'utf8');
const stages = [...script.matchAll(/^(?:stage|tests) (\d+) '([^']+)' npm (?:run )?(\S+)/gm)].map(
  ([, minutes, title, command]) => ({ minutes: Number(minutes), title, command }),
);

/** Prints what mocha prints, and fails for the scripts that FAILING names. */
const NPM = `#!/bin/sh
[ "$1" = run ] && shift
case $1 in
  test) printf '\\n  12 passing (3s)\\n  1 pending\\n' ;;
  test:exhaustive) printf '\\n  30 passing (1m)\\n'; case " $FAILING " in *' test:exhaustive '*) echo '  2 failing' ;; esac ;;
esac
case " $FAILING " in *" $1 "*) exit 1 ;; esac
`;

describe('.ci/run', function () {
  if (process.platform === 'win32') return;
  // Each run starts some dozens of small programs, on a machine that may have other things to do.
  this.timeout(60_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'openverbs-'));
    cpSync(`${ROOT}.ci`, join(directory, '.ci'), { recursive: true });
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin', 'npm'), NPM, { mode: 0o755 });
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  function run(...failing: readonly string[]): { status: number | null; lastLine: string } {
    const env = {
      ...process.env,
      PATH: `${join(directory, 'bin')}:${process.env['PATH']}`,
      FAILING: failing.join(' '),
    };
    const { status, stdout } = spawnSync('bash', [join(directory, '.ci', 'run')], { env, encoding: 'utf8' });
    return { status, lastLine: stdout.trimEnd().split('\n').at(-1)! };
  }

  it('runs all that has to hold', () => {
    expect(stages.map(({ command }) => command)).to.have.members([
      'test',
      'test:exhaustive',
      'conformance',
      'simulate',
      'mutations',
      'checks',
      'lint',
      'deps',
      'check:packages',
      'docs',
    ]);
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: object };
    expect(scripts).to.include.keys(stages.map(({ command }) => command));
  });

  it('ends within the hour, whatever hangs', () => {
    const all = script.match(/^(?:stage|tests) [\d"$]/gm);
    expect(all, 'stages that this test has read').to.have.lengthOf(stages.length);
    expect(stages.reduce((sum, { minutes }) => sum + minutes, 0)).to.be.at.most(MINUTES_MAX);
    expect(script).to.match(/^ {2}timeout --kill-after=\d+s "\$\{minutes\}m" "\$@"/m);
  });

  it('counts tests and stages, and ends with their sum', () => {
    const others = stages.length - 2;
    expect(run()).to.deep.equal({ status: 0, lastLine: `${12 + 30 + others} passed, 0 failed` });
  });

  it('goes on after a failure, which counts once, or as many tests as failed', () => {
    const { status, lastLine } = run('test', 'test:exhaustive', 'lint');
    expect(lastLine).to.equal(`${12 + 30 + stages.length - 3} passed, 4 failed`);
    expect(status).to.equal(1);
  });
});
