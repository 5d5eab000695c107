/** Examples in guests of the split driver, which are on a thread beside the device domain's: not one line is changed. */
import { expect } from 'chai';
import { atOnce, runExample } from './run-example.ts';

/** Programs, arguments, and what they print. */
const UNCHANGED = [
  ['first', [], /^Written by RDMA/],
  ['rc-pingpong', ['64', '50'], /^vib1\.0: 50 exchanges of 64 bytes\n/],
  ['events', [], /^3 sent$/m],
] as const;

/** The tests of a mode. */
export function describeUnchanged(mode: 'basic' | 'bypass'): void {
  const env = { OPENVERBS_PROVIDER: `xen:${mode}`, OPENVERBS_XEN_PLACEMENT: 'thread' };

  describe(`unchanged on xen:${mode}`, () => {
    const runs = atOnce(() => UNCHANGED.map(([name, args]) => runExample(name, args, undefined, env)));
    UNCHANGED.forEach(([name, , expected], index) => {
      it(`${name} runs`, async () => {
        const { status, out, err } = await runs(index);
        expect([status, err]).to.deep.equal([0, '']);
        expect(out).to.match(expected);
      });
    });
  });

  it(`two-threads runs unchanged on xen:${mode}`, async () => {
    const { status, out, err } = await runExample('two-threads', [], undefined, env);
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^2000 round trips between two threads/);
  });
}
