/** A thread that runs a program, and tells of each `openVerbs()` of it. */
import { subscribe } from 'node:diagnostics_channel';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { InstanceChannel, type InstanceMessage, type OpenVerbs } from 'openverbs';
import type { FromProgram, ProgramStart } from './program-protocol.ts';

const { path } = workerData as ProgramStart;
const tell = (message: FromProgram): void => {
  parentPort!.postMessage(message);
};

const ids = new Map<OpenVerbs, number>();
subscribe(InstanceChannel.OPEN, (message) => {
  const { openVerbs } = message as InstanceMessage;
  const id = ids.size + 1;
  ids.set(openVerbs, id);
  tell({ kind: 'opened', id, machine: openVerbs.machine, guests: openVerbs.guests().length });
});
subscribe(InstanceChannel.CLOSE, (message) => {
  const { openVerbs } = message as InstanceMessage;
  tell({ kind: 'closing', id: ids.get(openVerbs)!, guests: openVerbs.guests() });
});

process.argv[1] = path;
// What it throws ends the thread, which tells.
void import(pathToFileURL(path).href);
