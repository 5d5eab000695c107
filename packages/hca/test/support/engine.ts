/** The engine's own thread, as the emulated provider has it. */
import { workerData } from 'node:worker_threads';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { Engine } from '../../src/engine.ts';
import { serve } from '../../src/serve.ts';

const machine = Machine.attach(workerData as MachineHandle);
serve(new Engine(machine, 'thread'));
machine.detach();
