/** Runs the conformance suite against the first device of a provider, in each placement that it has. */
import { StandaloneRunner, runConformance } from '@openverbs/conformance';
import type { ConformanceReport, ConformanceSession, ConformanceSubject } from '@openverbs/conformance';
import { Capability, type CapabilityName, type Device } from '@openverbs/verbs';
import { type OpenVerbs, openVerbs } from 'openverbs';
import { type FaultOptions, faultsOf } from '../cli/faults.ts';
import { openFor } from '../cli/open.ts';

/** What to run. */
export interface ConformanceOptions extends FaultOptions {
  readonly provider?: string | undefined;
  /** Names of suites; all when left out. */
  readonly only?: readonly string[] | undefined;
  /** Tests that are known to fail, with the reason. */
  readonly deviations?: Readonly<Record<string, string>> | undefined;
}

/** A way to open the devices. */
interface Subject {
  /** What tells it from others of the provider; empty where there are none. */
  readonly what: string;
  readonly open: () => OpenVerbs;
}

/** Ways to have emulated devices: who executes them, and how messages travel. */
const DEVICES = 2;
const EMULATED = {
  inline: { placement: 'inline' },
  thread: { placement: 'thread' },
  packets: { placement: 'inline', packets: true },
} as const;

const XEN = { xen: { placement: 'thread' } } as const;

/** Runs the suites in this process, one subject after the other. Throws if devices can't be opened or closed. */
export async function runSuites(options: ConformanceOptions): Promise<ConformanceReport[]> {
  const reports: ConformanceReport[] = [];
  for (const subject of subjectsOf(options)) reports.push(await runSubject(subject, options));
  return reports;
}

function subjectsOf(options: ConformanceOptions): readonly Subject[] {
  // The other end of a connection is on a device of its own.
  const config = options.partition === undefined ? {} : { emulated: { devices: DEVICES } };
  using verbs = openFor(options, config);
  // In a thread of its own a device domain can be joined by the thread of the suite.
  if (verbs.device().provider === 'xen') return [{ what: '', open: () => openFor(options, XEN) }];
  if (verbs.device().provider !== 'emulated') return [{ what: '', open: () => openFor(options) }];
  const faults = faultsOf(options);
  // With faults all messages are packets.
  const ways = Object.entries(EMULATED).filter(([what]) => faults === undefined || what !== 'packets');
  return ways.map(([what, way]) => ({
    what,
    open: () => openVerbs({ provider: 'emulated', emulated: { ...way, devices: DEVICES, ...(faults && { faults }) } }),
  }));
}

async function runSubject({ what, open }: Subject, options: ConformanceOptions): Promise<ConformanceReport> {
  const { only, deviations } = options;
  const { name, provider, capabilities } = described(open);
  const runner = new StandaloneRunner();
  const report = runConformance({
    name: `${name} of provider ${provider}${what === '' ? '' : `, ${what}`}`,
    open: () => sessionOf(open(), provider),
    capabilities,
    interface: runner.interface,
    ...(only !== undefined && { only }),
    ...(deviations !== undefined && { deviations }),
  });
  const failures = await runner.run();
  // A failed test is in the report; what fails around the tests is not.
  const around = failures.find(({ path }) => ['before', 'after'].includes(path.at(-1)!));
  if (around) throw around.error;
  return report;
}

/** What stands in the report of the first device. */
function described(
  open: () => OpenVerbs,
): Pick<Device, 'name' | 'provider'> & Pick<ConformanceSubject, 'capabilities'> {
  using verbs = open();
  const device = verbs.device();
  return { name: device.name, provider: device.provider, capabilities: capabilitiesOf(device) };
}

function sessionOf(verbs: OpenVerbs, provider: string): ConformanceSession {
  return {
    devices: verbs.devices.filter((each) => each.provider === provider),
    machine: verbs.machine,
    join: (machine) => sessionOf(openVerbs({ provider, machine }), provider),
    close: () => {
      verbs[Symbol.dispose]();
    },
  };
}

function capabilitiesOf(device: Device): Partial<Record<CapabilityName, boolean>> {
  const names = Object.keys(Capability) as CapabilityName[];
  return Object.fromEntries(names.map((name) => [name, device.supports(name)]));
}
