/** The engine's own thread, in `thread` placement. */
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, serve } from '@openverbs/hca';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import type { TraceRequest } from './traces.ts';

/** What the thread is started with. */
export interface EngineWorkerData {
  readonly machine: MachineHandle;
  readonly traces: TraceRequest;
}

const { machine: handle, traces } = workerData as EngineWorkerData;
const machine = Machine.attach(handle);
const engine = new Engine(machine, 'thread');
// What tells is half of what this thread would load, so it is loaded only if somebody listens.
if (traces.traced.packets || traces.traced.hca) {
  const [{ traceEngine }, { forwardTraces }] = await Promise.all([
    import('@openverbs/hca/driver'),
    import('./traces.ts'),
  ]);
  traceEngine(
    engine,
    forwardTraces(traces, (trace) => parentPort!.postMessage(trace)),
  );
}
serve(engine);
machine.detach();
