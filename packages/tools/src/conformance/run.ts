/** Runs the conformance suite against the first device of a provider. */
import { type ConformanceReport, StandaloneRunner, runConformance } from '@openverbs/conformance';
import { Capability, type CapabilityName, type Device } from '@openverbs/verbs';
import { openFor } from '../cli/open.ts';

/** What to run. */
export interface ConformanceOptions {
  readonly provider?: string | undefined;
  /** Names of suites; all when left out. */
  readonly only?: readonly string[] | undefined;
}

/** Runs the suite in this process. Throws if the devices can't be opened or closed. */
export async function runSuite({ provider, only }: ConformanceOptions): Promise<ConformanceReport> {
  using verbs = openFor({ provider });
  const { devices, machine } = verbs;
  const device = verbs.device();
  const runner = new StandaloneRunner();
  const report = runConformance({
    name: `${device.name} of provider ${device.provider}`,
    open: () => ({ devices: devices.filter((each) => each.provider === device.provider), machine, close: () => {} }),
    capabilities: capabilitiesOf(device),
    interface: runner.interface,
    ...(only !== undefined && { only }),
  });
  const failures = await runner.run();
  // A failed test is in the report; what fails around the tests is not.
  const around = failures.find(({ path }) => ['before', 'after'].includes(path.at(-1)!));
  if (around) throw around.error;
  return report;
}

function capabilitiesOf(device: Device): Partial<Record<CapabilityName, boolean>> {
  const names = Object.keys(Capability) as CapabilityName[];
  return Object.fromEntries(names.map((name) => [name, device.supports(name)]));
}
