/**
 * The suite notices every lie of a manifest, in both directions: a capability that is claimed and that the behaviour denies, and
 * one that is there and left out. For each, the emulated provider is given a manifest and a behaviour that differ in it.
 */
import { expect } from 'chai';
import { StandaloneRunner, runConformance, suites, testKey } from '@openverbs/conformance';
import type { ConformanceReport, TestInterface } from '@openverbs/conformance';
import { Capability, type CapabilityName } from '@openverbs/verbs';
import { capabilities } from './emulated.ts';
import { BEHAVIOURS, type Lie, type Ops } from './falsified/behaviours.ts';
import { openFalsified } from './falsified/falsified-provider.ts';

type Claims = typeof capabilities;

/** One run. */
interface Run {
  /** The manifest of the device. */
  readonly claims: Claims;
  /** The manifest as the author of the test gives it; the device's when left out. */
  readonly given?: Claims;
  readonly change?: (ops: Ops) => void;
  readonly lie?: Lie;
  /** Keys of the tests that run, until one fails. */
  readonly keys: readonly string[];
}

/** What is lost comes at no time. */
const WAIT_IN_VAIN_MS = 100;
/** What comes needs less. */
const WAIT_MS_MAX = 2000;

const names = Object.keys(Capability) as CapabilityName[];
const UNTRIED = testKey('lists', 'every capability that is claimed is tried by a test');
const refusalOf = (name: CapabilityName): string => testKey('absent', `${name} is refused`);

/** The tests that need `name`, and nothing else that `claims` leaves out. */
function testsOf(name: CapabilityName, claims: Claims): string[] {
  const all = suites.flatMap((suite) =>
    suite.tests.map(({ title, needs }) => ({ key: testKey(suite.name, title), needs: [...suite.needs, ...needs] })),
  );
  const ofName = all.filter(({ needs }) => needs.includes(name) && needs.every((need) => claims[need] === true));
  return ofName.map(({ key }) => key);
}

/** Registers some tests only, and lets none run after one has failed. */
function someTests(inner: TestInterface, keys: readonly string[]): TestInterface {
  const path: string[] = [];
  let isOver = false;
  return {
    ...inner,
    describe: (title, body) => {
      inner.describe(title, () => {
        path.push(title);
        body();
        path.pop();
      });
    },
    it: (title, body) => {
      if (!keys.includes(testKey(path.at(-1) ?? '', title))) return;
      inner.it(title, async () => {
        if (isOver) return;
        isOver = true;
        await body();
        isOver = false;
      });
    },
  };
}

async function run({ claims, given = claims, lie, change = lie?.deny ?? (() => {}), keys }: Run): Promise<string[]> {
  const runner = new StandaloneRunner();
  const report: ConformanceReport = runConformance({
    name: 'the emulated provider, falsified',
    open: () => openFalsified({ ...lie, claims, change }),
    capabilities: given,
    waitMsMax: lie === undefined ? WAIT_MS_MAX : WAIT_IN_VAIN_MS,
    only: suites.map(({ name }) => name).filter((name) => keys.some((key) => key.startsWith(testKey(name, '')))),
    interface: someTests(runner.interface, keys),
  });
  await runner.run();
  return report.failed.map(({ key }) => key);
}

describe('a manifest that lies', () => {
  for (const name of names) {
    const { deny, lend, askedByVerbs = false, with: besides = [] } = BEHAVIOURS[name];
    const { lies = [{ what: 'it is not there', deny }], parts = [] } = BEHAVIOURS[name];
    const hasIt = capabilities[name] === true;
    const others = Object.fromEntries(besides.map((other) => [other, true]));
    const claiming: Claims = { ...capabilities, ...others, [name]: true };
    const leaving: Claims = { ...capabilities, ...others, [name]: false };
    const does = (ops: Ops): void => {
      if (hasIt) return;
      for (const other of besides) BEHAVIOURS[other].lend?.(ops);
      lend?.(ops);
    };

    for (const lie of [...lies, ...parts]) {
      it(`claims ${name}, but ${lie.what}: the suite fails`, async () => {
        const keys = testsOf(name, claiming);
        const failed = await run({ claims: claiming, lie, keys: [...keys, UNTRIED] });
        const who =
          keys.length === 0 ? 'nothing needs it, and nobody says so' : `none of ${keys.length} tests misses it`;
        expect(failed, who).to.have.lengthOf(1);
      }).timeout(20_000);
    }

    it(`leaves ${name} out, which is there: the suite fails${askedByVerbs ? ', or verbs refuses it' : ''}`, async () => {
      expect(hasIt || lend !== undefined, 'the test can have it').to.equal(true);
      const keys = [refusalOf(name)];
      const failed = await run({ claims: leaving, change: does, keys });
      expect(failed, 'on a device that says it has it not').to.deep.equal(askedByVerbs ? [] : keys);
      // Where `verbs` asks the manifest nobody can have it. That the suite would notice shows on a device that claims it.
      const noticed = await run({ claims: claiming, given: leaving, change: does, keys });
      expect(noticed, 'on a device that says it has it').to.deep.equal(keys);
    });
  }

  it('the tests that falsify fail for what is falsified: unchanged, they pass', async () => {
    for (const name of names.filter((each) => capabilities[each] === true)) {
      const [key] = testsOf(name, capabilities);
      expect(await run({ claims: capabilities, keys: [key] }), name).to.deep.equal([]);
    }
  }).timeout(20_000);
});
