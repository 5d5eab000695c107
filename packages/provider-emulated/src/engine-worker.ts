/** The engine's own thread, in `thread` placement. */
import { workerData } from 'node:worker_threads';
import { Engine, serve } from '@openverbs/hca';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';

const machine = Machine.attach(workerData as MachineHandle);
serve(new Engine(machine, 'thread'));
machine.detach();
