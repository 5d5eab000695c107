/** What the worker threads of the tests do. Each role attaches to the machine of `workerData` and reports by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import { hostClock, Machine, waitUntil, wakeAll, Xoshiro128 } from '../../src/index.ts';
import type { MachineHandle } from '../../src/index.ts';
import type { Role } from './threads.ts';

const { handle, role, argument } = workerData as { handle: MachineHandle; role: Role; argument: number };

function report(message: unknown): void {
  parentPort?.postMessage(message);
}

/** Adds one to a word without atomics, `argument` times: only the lock makes the sum right. */
function count(machine: Machine, word: number): void {
  for (let i = 0; i < argument; i++) {
    machine.lock.acquire();
    const before = machine.i32[word];
    machine.i32[word + 1] = machine.threadIndex;
    if (machine.i32[word + 1] !== machine.threadIndex) throw new Error('two threads hold the lock');
    machine.i32[word] = before + 1;
    machine.lock.release();
  }
}

/** Allocates and frees, `argument` times, and looks whether anybody else writes into its buffers. */
function churn(machine: Machine): void {
  const random = new Xoshiro128(machine.threadIndex);
  const live: number[] = [];
  for (let i = 0; i < argument; i++) {
    if (live.length < 12 && random.nextInt(5) !== 0) {
      const addr = machine.pages.alloc(1 + random.nextInt(20000), 4096, machine.threadIndex);
      if (addr === 0) continue;
      if (machine.i32[addr / 4] !== 0) throw new Error('a new buffer is not zeroed');
      machine.i32[addr / 4] = machine.threadIndex;
      live.push(addr);
    } else if (live.length > 0) {
      const [addr] = live.splice(random.nextInt(live.length), 1);
      if (machine.i32[addr / 4] !== machine.threadIndex) throw new Error('a buffer was handed out twice');
      machine.pages.free(addr);
    }
  }
  for (const addr of live) machine.pages.free(addr);
}

const machine = Machine.attach(handle);
const word = machine.root(0) / 4;
switch (role) {
  case 'hold':
    machine.lock.acquire();
    report(machine.threadIndex);
    for (;;); // as an engine that loops when it is terminated
  case 'linger':
    report(machine.threadIndex);
    Atomics.wait(machine.i32, word, 0);
    machine.detach();
    break;
  case 'count':
    count(machine, word);
    machine.detach();
    report('done');
    break;
  case 'churn':
    if (argument === Infinity) report(machine.threadIndex);
    churn(machine);
    machine.detach();
    report('done');
    break;
  case 'clock':
    report(hostClock.nowNs());
    machine.detach();
    break;
  case 'answer':
    report(machine.threadIndex);
    waitUntil(machine, () => Atomics.load(machine.i32, word) === 1, hostClock.nowNs() + 30e9);
    Atomics.store(machine.i32, word, 2);
    wakeAll(machine);
    machine.detach();
    break;
}
