/** openverbs-xentop in this process, and the tests of a program that it runs, for `npm test` and for those that take longer. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { xentopCommand } from '../src/xentop/command.ts';
import type { RefreshJson } from '../src/xentop/format.ts';
import type { Terminal } from '../src/xentop/screen.ts';
import { run, type ToolRun } from './run.ts';

/** A program, its device domain and its device are on threads of their own, of a machine that has few cores. */
export const TIMEOUT_MS = 90_000;
/** Writes three times, and then does what its last argument says. */
export const PROGRAM = fileURLToPath(new URL('./programs/three-writes.js', import.meta.url));

/** Runs it, on a terminal if there is one. */
export const xentop = (line = '', terminal: Terminal | null = null): Promise<ToolRun> =>
  run((io) => xentopCommand('openverbs-xentop', io, () => terminal), line);

/** What the program has done by the end. */
const DONE = {
  'xen:basic': { posts: 3, directPosts: 0, bytes: 300, polls: 3, pollsSaved: 2, completions: 3 },
  'xen:bypass': { posts: 0, directPosts: 3, bytes: 300, polls: null, pollsSaved: null, completions: null },
} as const;

/** One sample, as JSON. */
export function itTellsAtTheEnd(provider: keyof typeof DONE): void {
  it(`--once --json of a program on ${provider} tells what it has done in the end`, async () => {
    const { status, out, err } = await xentop(`--once --json --provider ${provider} ${PROGRAM} --json ends`);
    expect([status, err]).to.deep.equal([0, 'three-writes --json\n']);
    const { guests } = JSON.parse(out) as RefreshJson;
    expect(guests).to.have.lengthOf(1);
    expect(guests[0]).to.include({ name: 'guest1', refused: 0, cacheHits: 1, cachePagesSaved: 1, ...DONE[provider] });
    expect(guests[0].commands).to.be.greaterThan(10);
  });
}

/** Command lines by how the program ends, and what is printed then. */
const FAILURES = {
  throws: [
    `--once ${PROGRAM} throws`,
    /^three-writes throws\nopenverbs-xentop: three-writes\.js failed: Error: this is how it ends\n/,
  ],
  status: [`--once ${PROGRAM} status`, /openverbs-xentop: three-writes\.js ended with status 3\n$/],
  native: [`--once ${PROGRAM} native`, /three-writes\.js has no guests\nhint: it chooses another provider itself/],
  alone: [`--once ${PROGRAM} alone`, /three-writes\.js never called openVerbs\(\)\n$/],
  cut: [`--partition guest9/guest1 --once ${PROGRAM} cut`, /emulated\.faults\.partition is 'guest9'/],
} as const;

/** Programs that fail. */
export function describeFailures(names: readonly (keyof typeof FAILURES)[]): void {
  describe('fails with its program', () => {
    let runs: ToolRun[] = [];

    // At once: each is busy with the start of its thread for most of the time.
    before(async () => {
      runs = await Promise.all(names.map((name) => xentop(FAILURES[name][0])));
    });

    names.forEach((name, index) => {
      it(name, () => {
        expect(runs[index].err).to.match(FAILURES[name][1]);
        expect(runs[index].status).to.equal(1);
      });
    });
  });
}
