/** The device domain's own thread, in `thread` placement. Needs nothing of any event loop after its start. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { DOM0, EmulatedHypervisor } from '@openverbs/hypervisor';
import { hostClock, Machine, wakeAll } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import type { ProviderDefinition } from '@openverbs/verbs/driver';
import { Backend } from '../backend/backend.ts';
import type { QuotaKind } from '../backend/quota.ts';
import { closeEach } from '../close-each.ts';
import { lowerDevices } from './lower-devices.ts';
import { Dom0State } from './dom0-state.ts';
import { serve } from './serve.ts';
import { forwardTraces } from './traces.ts';
import type { TraceRequest } from './traces.ts';

/** What the thread is started with. */
export interface Dom0WorkerData {
  readonly machine: MachineHandle;
  /** Module of the lower provider. */
  readonly modulePath: string;
  readonly config: unknown;
  readonly quotas: Partial<Record<QuotaKind, number>>;
  readonly bandwidthBytesPerS: number;
  /** One word, a {@link Dom0State}. */
  readonly state: Int32Array;
  /** Whether somebody listens to what the back-end tells. */
  readonly traces: TraceRequest;
}

const { machine: handle, modulePath, config, quotas, bandwidthBytesPerS, state, traces } = workerData as Dom0WorkerData;
const { provider } = createRequire(import.meta.url)(modulePath) as { readonly provider: ProviderDefinition };
const machine = Machine.attach(handle);
const hypervisor = EmulatedHypervisor.join({ kind: 'openverbs-hypervisor', machine: handle }, machine);
const dom0 = hypervisor.domain(DOM0);
const instance = provider.open({ machine: handle, clock: undefined, prng: undefined }, config);
const devices = lowerDevices(instance.devices, provider.name, () => undefined);
const backend = new Backend({ dom0, devices, clock: hostClock, quotas, bandwidthBytesPerS });

forwardTraces(traces, (message) => {
  parentPort!.postMessage(message);
});
Atomics.store(state, 0, Dom0State.RUNNING);
wakeAll(machine);
serve({ backend, dom0, clock: hostClock, isStopping: () => Atomics.load(state, 0) === Dom0State.STOPPING });
closeEach([
  () => backend.close(),
  // Before the devices: what is left of a UAR that a guest does not unmap ends here.
  () => dom0.close(),
  () => instance.close(),
  () => {
    Atomics.store(state, 0, Dom0State.STOPPED);
    wakeAll(machine);
    machine.detach();
  },
]);
