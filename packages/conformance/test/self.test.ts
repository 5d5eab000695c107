/** The suite, run against fakes that are in order and fakes that lie: what it must not miss, and what it must not complain of. */
import { expect } from 'chai';
import { Capability, type CapabilityName } from '@openverbs/verbs/driver';
import { StandaloneRunner, conforms, runConformance, suites } from '../src/index.ts';
import type { ConformanceReport, ConformanceSubject } from '../src/index.ts';
import { fakeDevice, type FakeOptions } from './fake-provider.ts';

/** The suites that the fake can do something with. */
const SUITES = ['device', 'context', 'pd', 'mr'] as const;

const sound: FakeOptions = {
  claims: { dmaBuffers: true, registersAnyMemory: true },
  hasBuffers: true,
};

/** Runs the suite against a fake; its own runner must agree with the report about what failed. */
async function run(fake: FakeOptions, subject: Partial<ConformanceSubject> = {}): Promise<ConformanceReport> {
  const runner = new StandaloneRunner();
  const report = runConformance({
    name: 'a fake',
    open: () => ({ devices: [fakeDevice(fake)], close() {} }),
    capabilities: fake.claims,
    only: SUITES,
    interface: runner.interface,
    ...subject,
  });
  const failures = await runner.run();
  expect(failures.map(({ error }) => (error as Error).message)).to.deep.equal(
    report.failed.map(({ failure }) => failure),
  );
  return report;
}

function failedKeys(report: ConformanceReport): string[] {
  return report.failed.map(({ key }) => key);
}

describe('the conformance suite itself', () => {
  it('names each suite and each test once', () => {
    expect(new Set(suites.map(({ name }) => name)).size).to.equal(suites.length);
    for (const { name, tests } of suites) expect(tests, name).to.not.have.lengthOf(0);
  });

  it('checks every capability that the manifest leaves out', async () => {
    const { passed, failed } = await run(sound);
    const tried = [...passed, ...failed.map(({ key }) => key)].filter((key) => key.endsWith('is refused'));
    for (const name of Object.keys(Capability) as CapabilityName[]) {
      const claimed = sound.claims[name] === true;
      expect(
        tried.some((key) => key.includes(name)),
        name,
      ).to.equal(!claimed);
    }
  });

  it('finds nothing wrong with a fake that is in order', async () => {
    const report = await run(sound);
    expect(failedKeys(report)).to.deep.equal([]);
    expect(report.passed).to.include('mr › allocates zeroed, aligned buffers');
    expect(report.excluded).to.deep.include({ key: 'pd › is busy while a QP is in it', capability: 'rc' });
  });

  it('finds nothing wrong with one that has events either', async () => {
    const report = await run({ ...sound, claims: { ...sound.claims, completionEvents: true, asyncEvents: true } });
    expect(failedKeys(report)).to.deep.equal([]);
  });

  it('fails a device that claims what it lacks', async () => {
    const report = await run({ ...sound, hasBuffers: false });
    expect(failedKeys(report)).to.include('mr › allocates zeroed, aligned buffers');
  });

  it('fails a device that does what its manifest excludes', async () => {
    const report = await run({ ...sound, claims: { ...sound.claims, dmaBuffers: false } });
    const key = 'mr › allocates zeroed, aligned buffers: excluded by the manifest, so using dmaBuffers is refused';
    expect(failedKeys(report)).to.include(key);
  });

  it('fails a manifest that queryDevice contradicts', async () => {
    const report = await run({ ...sound, claims: { ...sound.claims, srq: true } });
    expect(failedKeys(report)).to.deep.equal(['device › says the same as the manifest']);
  });

  it('fails a manifest that is not the device’s', async () => {
    const report = await run(sound, { capabilities: { ...sound.claims, srq: false, uc: true } });
    expect(failedKeys(report)).to.deep.equal(['lists › the manifest is the device’s own']);
    expect(report.failed[0]?.failure).to.contain('uc');
  });

  it('takes a listed deviation that fails, with its reason', async () => {
    const key = 'mr › allocates zeroed, aligned buffers';
    const fake = { ...sound, hasBuffers: false };
    const report = await run(fake, { deviations: { [key]: 'no memory today' } });
    expect(report.deviating).to.have.lengthOf(1);
    expect(report.deviating[0]).to.include({ key, reason: 'no memory today' });
    expect(failedKeys(report)).not.to.include(key);
  });

  it('fails a listed deviation that passes', async () => {
    const key = 'pd › is deallocated once';
    const report = await run(sound, { deviations: { [key]: 'was broken once' } });
    expect(failedKeys(report)).to.deep.equal([key]);
  });

  it('fails a deviation and a selection that name nothing', async () => {
    const report = await run(sound, { deviations: { 'pd › flies': 'it has no wings' }, only: ['pd', 'birds'] });
    expect(failedKeys(report)).to.deep.equal(['lists › every deviation and every selected suite exists']);
    expect(report.failed[0]?.failure).to.contain('pd › flies').and.contain('birds');
  });

  it('does not call a part of the suite conformance', async () => {
    const report = await run(sound);
    expect(report.notSelected).to.include('rdma-write');
    expect(conforms(report)).to.equal(false);
    expect(conforms({ ...report, notSelected: [] })).to.equal(true);
  });

  it('tells when it is done, and closes what it opened', async () => {
    const told: unknown[] = [];
    const report = await run(sound, {
      open: () => ({ devices: [fakeDevice(sound)], close: () => void told.push('closed') }),
      onReport: (complete) => told.push(complete),
    });
    expect(told).to.deep.equal(['closed', report]);
  });

  it('fails every test of a subject that does not open, and still tears down', async () => {
    const runner = new StandaloneRunner();
    const open = (): never => {
      throw new Error('no such device');
    };
    runConformance({ name: 'nothing', open, capabilities: {}, interface: runner.interface });
    const failures = await runner.run();
    expect(failures.map(({ error }) => (error as Error).message)).to.deep.equal(['no such device']);
  });
});
