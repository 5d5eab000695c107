/** A thread that raises events in the queue of another one. */
import { workerData } from 'node:worker_threads';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { AsyncEvent } from '../../src/async-event.ts';
import { Engine } from '../../src/engine.ts';

const { handle, eq, count } = workerData as { handle: MachineHandle; eq: number; count: number };
const machine = Machine.attach(handle);
const engine = new Engine(machine, 'inline');
for (let id = 0; id < count; id++) {
  engine.command(() => engine.events.raise(eq, AsyncEvent.PORT_ACTIVE, id, engine.hcas[0].header));
}
machine.detach();
