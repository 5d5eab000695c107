/** The engine's own thread, in `thread` placement: spins for doorbells and deadlines, then sleeps until it is woken. */
import { EngineHeader, EngineSleep } from './layout.ts';
import { ENGINE_SLEEP_MS_MAX, ENGINE_SPINS_MAX } from './limits.ts';
import type { Engine } from './engine.ts';

const { STOP, RUNNING, ASLEEP, WAKE, DEADLINE, ENGINE_THREAD } = EngineHeader;

/** Serves until {@link stop}; the calling thread then ends. */
export function serve(engine: Engine): void {
  const { machine, header } = engine;
  const { i32 } = machine;
  engine.lends = true;
  i32[header + ENGINE_THREAD] = machine.threadIndex;
  Atomics.store(i32, header + ASLEEP, EngineSleep.AWAKE);
  Atomics.store(i32, header + RUNNING, 1);
  Atomics.notify(i32, header + RUNNING);
  try {
    run(engine);
  } finally {
    end(engine);
  }
}

function run(engine: Engine): void {
  const { machine, header } = engine;
  let spins = 0;
  while (Atomics.load(machine.i32, header + STOP) === 0) {
    if (engine.uars.marked || isDue(engine, spins)) {
      machine.lock.acquire();
      engine.work();
      engine.unlock();
      spins = 0;
    } else if (++spins >= ENGINE_SPINS_MAX) {
      sleep(engine);
      spins = 0;
    }
  }
}

/** Says that the engine thread has ended, or was seen to. The other threads then execute the devices themselves. */
export function end(engine: Engine): void {
  const { i32 } = engine.machine;
  i32[engine.header + ENGINE_THREAD] = 0;
  Atomics.store(i32, engine.header + ASLEEP, EngineSleep.ENDED);
  Atomics.store(i32, engine.header + RUNNING, 0);
  Atomics.notify(i32, engine.header + RUNNING);
}

/** Asks the engine thread to end. */
export function stop(engine: Engine): void {
  Atomics.store(engine.machine.i32, engine.header + STOP, 1);
  engine.wake();
}

function isDue(engine: Engine, spins: number): boolean {
  const deadlineNs = engine.machine.f64[(engine.header + DEADLINE) >>> 1];
  // The clock costs more than a look at the marks.
  return deadlineNs !== Infinity && (spins & 31) === 0 && deadlineNs <= engine.nowNs();
}

/** Says that it sleeps, looks once more, then sleeps: a doorbell in between either is seen or sees the word. */
function sleep(engine: Engine): void {
  const { machine, header } = engine;
  const { i32 } = machine;
  const ticket = Atomics.load(i32, header + WAKE);
  Atomics.store(i32, header + ASLEEP, EngineSleep.ASLEEP);
  if (!engine.uars.marked && Atomics.load(i32, header + STOP) === 0) {
    const deadlineNs = machine.f64[(header + DEADLINE) >>> 1];
    const untilMs = deadlineNs === Infinity ? ENGINE_SLEEP_MS_MAX : (deadlineNs - engine.nowNs()) / 1e6;
    if (untilMs > 0) Atomics.wait(i32, header + WAKE, ticket, Math.min(untilMs, ENGINE_SLEEP_MS_MAX));
  }
  Atomics.store(i32, header + ASLEEP, EngineSleep.AWAKE);
}
