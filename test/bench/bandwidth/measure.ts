/** Measures transfers, and the bare copy between the same buffers. */
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { openVerbs } from 'openverbs';
import { alternate, stopwatch, Subject } from '../alternate.ts';
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import type { Samples } from '../samples.ts';
import { TransferPair } from './transfer-pair.ts';

/** Nanoseconds a message. */
export function measure({ fields: { size } }: BenchCase, options: BenchOptions): Samples {
  using verbs = openVerbs();
  const pair = new TransferPair(verbs.device().open(), size);
  const machine = Machine.attach(verbs.machine as MachineHandle);
  const { copy } = machine.dma;
  const { source, destination } = pair;
  const timed = (run: (operations: number) => void): Subject =>
    new Subject((operations) => {
      const took = stopwatch();
      run(operations);
      return took();
    }, options);
  const subjects = [
    timed((operations) => {
      for (let n = 0; n < operations; n++) copy(destination, source, size);
    }),
    timed((operations) => {
      pair.write(operations);
    }),
    timed((operations) => {
      pair.read(operations);
    }),
    timed((operations) => {
      pair.send(operations);
    }),
  ];
  const { rounds, control } = alternate(subjects, subjects[1], options);
  machine.detach();
  return { 'memory-copy': rounds[0], write: rounds[1], read: rounds[2], send: rounds[3], control };
}
