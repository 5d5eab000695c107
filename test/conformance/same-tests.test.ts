/** The guests of the split driver are given the tests that the device itself is given, all but those that are named here. */
import { expect } from 'chai';
import { openVerbs } from 'openverbs';
import { capabilities, deviations, devices, sessionOf } from './emulated.ts';
import { testsOf } from './tests-of.ts';
import { xenSubject } from './xen.ts';

/** What is expected to fail in both modes; the reason stands in the title. */
const DEVIATING: readonly string[] = [
  'mr › registers a buffer of another context, and of another device',
  'device › is the same device for a thread that joins',
];
/** Suites of programs that write into their rings, which basic has none of: it has to refuse direct access instead. */
const SUITES_OF_RINGS: readonly string[] = ['hostile-wqe', 'hostile-rings', 'hostile-srq'];
/** Tests of such programs in other suites. */
const TESTS_OF_RINGS: readonly string[] = [
  'memory-window-2 › keys of another protection domain are refused by the device',
  'srq › a receive takes its place until its completion was polled',
  'uc-errors › a WQE that was changed to RDMA_READ ends in SQE',
  'uc-errors › a WQE that was changed to an atomic ends in SQE',
  'uc-errors › a WQE that was changed to no opcode ends in SQE',
  'uc-errors › a WQE that was changed to 255 SGEs ends in SQE',
  'uc-errors › a WQE that was changed to a length of 2^32 - 1 ends in SQE',
  'ud-errors › a WQE whose opcode was changed to 0 ends in SQE',
  'ud-errors › a WQE whose opcode was changed to 4 ends in SQE',
  'ud-errors › a WQE whose opcode was changed to 6 ends in SQE',
  'ud-errors › a WQE whose opcode was changed to 13 ends in SQE',
  'ud-errors › a WQE whose opcode was changed to -1 ends in SQE',
  'address-handle › handles that are none end in SQE',
  'turned-bits › in WQEs',
];
const INSTEAD = ': excluded by the manifest, so using directAccess is refused';

function deviatingName(name: string): string {
  return DEVIATING.includes(name) ? `${name} (deviates)` : name;
}

/** What basic is given in the place of a test. */
function nameInBasic(name: string): string {
  const [suite] = name.split(' › ');
  if (SUITES_OF_RINGS.includes(suite)) return `${suite} › ${INSTEAD.slice(2)}`;
  return TESTS_OF_RINGS.includes(name) ? `${name}${INSTEAD}` : deviatingName(name);
}

describe('the conformance tests of the split driver', () => {
  const native = testsOf({
    name: 'the emulated provider',
    open: () => sessionOf(openVerbs({ provider: 'emulated', emulated: { devices, placement: 'inline' } })),
    capabilities,
    deviations,
  });
  const expectations = { basic: nameInBasic, bypass: deviatingName };

  it('are many, each has its own name, and those that are named here are among them', () => {
    expect(native).to.have.length.above(500);
    expect(new Set(native).size).to.equal(native.length);
    expect(native).to.include.members([...DEVIATING, ...TESTS_OF_RINGS]);
  });

  for (const mode of ['basic', 'bypass'] as const) {
    it(`xen:${mode} has those of the device itself, but for the ones that are named`, () => {
      const own = testsOf(xenSubject(mode, { dom0: 'inline', device: 'inline' })).map((name) =>
        name.replace(/ \(deviates: .*\)$/, ' (deviates)'),
      );
      const expected = [...new Set(native.map(expectations[mode]))];
      expect(
        own.filter((name) => !expected.includes(name)),
        'more',
      ).to.deep.equal([]);
      expect(
        expected.filter((name) => !own.includes(name)),
        'fewer',
      ).to.deep.equal([]);
      expect(own).to.have.length(expected.length);
    });
  }
});
