/** The first thread of the ping-pong: it makes the device, starts its peer, and measures. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { openVerbs } from 'openverbs';
import { alternate, stopwatch, Subject } from '../alternate.ts';
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import { createFloor, floorMemory } from '../floor/floor.ts';
import { FloorWriter } from '../floor/floor-writer.ts';
import type { Samples } from '../samples.ts';
import { VerbsWriter } from '../verbs-writer.ts';
import type { WriterAddress } from '../verbs-writer.ts';
import { Control, Program } from './control.ts';
import type { PeerData } from './peer.ts';

/** A round has two ways. */
const WAYS = 2;

/** Nanoseconds one way. */
export async function measure({ fields: { size } }: BenchCase, options: BenchOptions): Promise<Samples> {
  createFloor();
  const floor = new FloorWriter(0, size);
  using verbs = openVerbs();
  const ours = new VerbsWriter(verbs.device().open(), size);
  const control = new Control();
  const data: PeerData = { floorMemory, machine: verbs.machine, size, control: control.words, remote: ours.address };
  const peer = new Worker(new URL('./peer.js', import.meta.url), { workerData: data });
  const [remote] = (await once(peer, 'message')) as [WriterAddress];
  ours.connect(remote);

  const oneWay = subject(options, control, Program.OPENVERBS, (rounds) => {
    ours.ping(rounds);
  });
  const floorOneWay = subject(options, control, Program.FLOOR, (rounds) => {
    floor.ping(rounds);
  });
  const { rounds, control: same } = alternate([floorOneWay, oneWay], oneWay, options);
  control.command(Program.STOP, 0);
  await once(peer, 'exit');
  const half = (ns: number): number => ns / WAYS;
  return { floor: rounds[0].map(half), 'one-way': rounds[1].map(half), control: same };
}

/** The peer runs the other side of the same program. */
function subject(options: BenchOptions, control: Control, program: Program, ping: (rounds: number) => void): Subject {
  return new Subject((rounds) => {
    control.command(program, rounds);
    const took = stopwatch();
    ping(rounds);
    return took();
  }, options);
}
