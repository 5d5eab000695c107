/** Examples in guests of the split driver, which are on a thread beside the device domain's: not one line is changed. */
import { expect } from 'chai';
import { atOnce, runExample } from './run-example.ts';

/** Programs, their arguments, and what they print. */
const UNCHANGED = {
  first: [[], /^Written by RDMA/],
  'rc-pingpong': [['64', '50'], /^vib1\.0: 50 exchanges of 64 bytes\n/],
  events: [[], /^3 sent$/m],
} as const;

type Mode = 'basic' | 'bypass';

const environmentOf = (mode: Mode): NodeJS.ProcessEnv => ({
  OPENVERBS_PROVIDER: `xen:${mode}`,
  OPENVERBS_XEN_PLACEMENT: 'thread',
});

/** These programs in a mode. */
export function describeUnchanged(mode: Mode, names: readonly (keyof typeof UNCHANGED)[]): void {
  describe(`unchanged on xen:${mode}`, () => {
    const runs = atOnce(() =>
      names.map((name) => runExample(name, UNCHANGED[name][0], undefined, environmentOf(mode))),
    );
    names.forEach((name, index) => {
      it(`${name} runs`, async () => {
        const { status, out, err } = await runs(index);
        expect([status, err]).to.deep.equal([0, '']);
        expect(out).to.match(UNCHANGED[name][1]);
      });
    });
  });
}

/** The program whose two ends are on threads of their own. */
export function itRunsTwoThreads(mode: Mode): void {
  it(`two-threads runs unchanged on xen:${mode}`, async () => {
    const { status, out, err } = await runExample('two-threads', [], undefined, environmentOf(mode));
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^2000 round trips between two threads/);
  });
}
