/** The second thread of the ping-pong: it joins the device of the first one, and answers. */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { openVerbs } from 'openverbs';
import { FloorWriter } from '../floor/floor-writer.ts';
import { VerbsWriter } from '../verbs-writer.ts';
import type { WriterAddress } from '../verbs-writer.ts';
import { Control, Program } from './control.ts';

/** What the first thread hands over. */
export interface PeerData {
  /** Read by floor.ts. */
  readonly floorMemory: unknown;
  readonly machine: unknown;
  readonly size: number;
  readonly control: Int32Array;
  readonly remote: WriterAddress;
}

const STDERR = 2;

function serve({ machine, size, control, remote }: PeerData): void {
  const floor = new FloorWriter(1, size);
  using verbs = openVerbs({ machine });
  const ours = new VerbsWriter(verbs.device().open(), size);
  ours.connect(remote);
  parentPort?.postMessage(ours.address);
  new Control(control).serve((program, rounds) => {
    if (program === Program.FLOOR) floor.pong(rounds);
    else ours.pong(rounds);
  });
}

try {
  serve(workerData as PeerData);
} catch (error) {
  // The first thread spins and hears of nothing.
  writeSync(STDERR, `${error instanceof Error ? error.stack : String(error)}\n`);
  process.kill(process.pid);
}
