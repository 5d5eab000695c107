/** `docs/provider-guide.md`: its code is the minimal provider's, its commands run, its steps end as it says. */
import { expect } from 'chai';
import { StandaloneRunner, conforms, runConformance, suites, testKey } from '@openverbs/conformance';
import type { ConformanceReport } from '@openverbs/conformance';
import type { CapabilityManifest, ContextOps, EventSource, ProviderDefinition } from '@openverbs/verbs/driver';
import { openVerbs } from 'openverbs';
import { provider, type LoopbackConfig } from '../src/minimal-provider/provider.ts';
import { blocks, describeCommands, read } from './provider-guide.ts';

const SOURCES = 'examples/src/minimal-provider/';

type Claims = CapabilityManifest['supports'];

/** The provider as it is after a step: with this manifest, and without what comes later. */
function providerOf(supports: Claims, later: readonly (keyof ContextOps)[] = []): ProviderDefinition<LoopbackConfig> {
  return {
    ...provider,
    open: (environment, config) => {
      const instance = provider.open(environment, config);
      const devices = instance.devices.map((device) => ({
        ...device,
        capabilities: { ...device.capabilities, supports },
        open: (): ContextOps => without(device.open(), later),
      }));
      return { ...instance, devices };
    },
  };
}

function without(ops: ContextOps, names: readonly (keyof ContextOps)[]): ContextOps {
  const events: EventSource = { next: () => false, setInterruptHandler() {}, hold() {}, release() {} };
  for (const name of names) Object.defineProperty(ops, name, { value: name === 'events' ? events : undefined });
  return ops;
}

async function run(
  supports: Claims,
  later: readonly (keyof ContextOps)[] = [],
  only?: readonly string[],
): Promise<ConformanceReport> {
  const runner = new StandaloneRunner();
  const definition = providerOf(supports, later) as ProviderDefinition;
  const report = runConformance({
    name: 'the provider of the guide',
    open: () => openVerbs({ provider: definition }),
    capabilities: supports,
    interface: runner.interface,
    ...(only !== undefined && { only }),
  });
  await runner.run();
  return report;
}

const QP_OPS = ['createQp', 'modifyQp', 'queryQp', 'destroyQp'] as const;
const ALL: Claims = { rc: true, rdmaWrite: true, completionEvents: true, vendorErrors: true, registersAnyMemory: true };

describe('the provider guide', () => {
  it('shows code of the minimal provider, and none that is older', () => {
    const shown = blocks('ts').filter((block) => /^\/\/ \S+\.ts\n/.test(block));
    expect(shown).to.have.length.greaterThan(10);
    for (const block of shown) {
      const [, file, code] = /^\/\/ (\S+)\n(.*)/s.exec(block)!;
      const source = read(SOURCES + file);
      let end = 0;
      for (const piece of code.split(/^ *\/\/ …\n/m)) {
        const text = piece.replace(/^\n+|\n+$/g, '');
        // Put one behind the other, the pieces of a block are the file, but for what `// …` stands for.
        const at = source.indexOf(text, end);
        expect(at, `${file} has, behind what came before\n${piece}`).to.be.at.least(0);
        end = at + text.length;
      }
    }
  });

  it('shows no other code but what this file runs, and a list of deviations that names a test', () => {
    const [events, deviations, ...rest] = blocks('ts').filter((block) => !/^\/\/ \S+\.ts\n/.test(block));
    expect(rest).to.deep.equal([]);
    expect(read('examples/test/provider-guide.test.ts')).to.contain(events.trim());
    const [, key] = /^ {4}'(.+)': '.+',$/m.exec(deviations)!;
    const keys = suites.flatMap(({ name, tests }) => tests.map(({ title }) => testKey(name, title)));
    expect(keys).to.include(key);
  });

  // The others are in provider-guide.exhaustive.ts: minimal-provider.test.ts runs the same suites in this process.
  describeCommands((line) => !line.includes('conformance'));

  it('step 1: the device can be looked at', () => {
    const later = ['events', 'allocPd', 'regMr', 'createCq', ...QP_OPS] as const;
    using verbs = openVerbs({ provider: providerOf({}, later) as ProviderDefinition });
    const context = verbs.device().open();
    expect(context.queryDevice().maxQp).to.equal(1024);
    expect(context.queryGidTable()).to.have.lengthOf(1);
    expect(context.queryPkey(1, 0)).to.equal(0xffff);
  });

  it('step 2: it conforms without queue pairs', async () => {
    const report = await run({ registersAnyMemory: true }, ['events', ...QP_OPS]);
    expect(report.failed).to.deep.equal([]);
    expect(conforms(report)).to.equal(true);
  });

  it('step 3: it conforms without events', async () => {
    const report = await run({ ...ALL, completionEvents: false }, ['events']);
    expect(report.failed).to.deep.equal([]);
    expect(conforms(report)).to.equal(true);
  }).timeout(60_000);

  for (const [index, [what, claims]] of (
    [
      ['claimed, and not there', { ...ALL, rdmaRead: true }],
      ['there, and not claimed', { ...ALL, rdmaWrite: false }],
    ] as const
  ).entries()) {
    it(`a wrong claim looks as it says: ${what}`, async () => {
      const { failed } = await run(claims, [], ['device', 'rdma-read', 'rdma-write']);
      const found = failed.map(({ key, failure }) => `FAIL ${key}\n     ${failure}\n`);
      for (const failure of blocks('text')[index].split(/\n(?=FAIL)/)) {
        expect(
          found.some((one) => one.startsWith(failure.trim())),
          failure,
        ).to.equal(true);
      }
    }).timeout(60_000);
  }
});
