/** Runs the tools in guests of the split driver as they run on the device itself; only the environment says so. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const execute = promisify(execFile);

/** Guests, device domain and device may be on as many threads, of a machine that has few cores. */
const TIMEOUT_MS = 90_000;

/** Tools, arguments, and what they print. */
const RUNS: readonly (readonly [tool: string, args: readonly string[], expected: RegExp])[] = [
  ['ibv_devices', [], /^ {4}vib1\.0 /m],
  ['ibv_devinfo', [], /^hca_id:\tvib1\.0$/m],
  ['ibv_rc_pingpong', ['--self', '-n', '50', '-c'], /^50 iters in /m],
  ['ibv_rc_pingpong', ['--self', '-n', '50', '-e'], /^50 iters in /m],
  ['ibv_rc_pingpong', ['--self', '-n', '50', '--threads', '2'], /^50 iters in /m],
  ['ibv_ud_pingpong', ['--self', '-n', '50', '-c'], /^50 iters in /m],
  ['ibv_srq_pingpong', ['--self', '-n', '50', '-c'], /^50 iters in /m],
  ['ibv_xsrq_pingpong', ['--self', '-c', '3', '--chk'], /^success$/m],
  ['openverbs', ['doctor'], /RDMA WRITE of 4096 bytes arrived/],
];

const lineOf = ([tool, args]: (typeof RUNS)[number]): string => [tool, ...args].join(' ');

/** The runs of these command lines. */
export function describeTools(provider: 'xen:basic' | 'xen:bypass', lines: readonly string[] = RUNS.map(lineOf)): void {
  const wanted = lines.map((line) => {
    const found = RUNS.find((run) => lineOf(run) === line);
    if (found === undefined) throw new Error(`there is no run '${line}'`);
    return found;
  });

  describe(`tools on ${provider}`, function () {
    this.timeout(TIMEOUT_MS);

    // Fails unless the exit code is 0.
    const start = (tool: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
      const program = fileURLToPath(new URL(`../../bin/${tool}.js`, import.meta.url));
      return execute(process.execPath, [program, ...args], { env: { ...process.env, OPENVERBS_PROVIDER: provider } });
    };
    let runs: ReturnType<typeof start>[] = [];

    // At once: each of them is busy with its start for most of the time. The test that waits for one says how it failed.
    before(() => {
      runs = wanted.map(([tool, args]) => start(tool, args));
      for (const run of runs) run.catch(() => undefined);
    });
    after(() => Promise.allSettled(runs));

    wanted.forEach(([tool, args, expected], index) => {
      it([tool, ...args].join(' '), async () => {
        const { stdout, stderr } = await runs[index];
        expect(stderr).to.equal('');
        expect(stdout).to.match(expected);
      });
    });
  });
}
