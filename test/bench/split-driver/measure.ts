/** Measures the paths by turns. The parts of the benchmark are told apart by `part`. */
import { Engine, EngineState } from '@openverbs/hca';
import { hostClock, Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { openVerbs } from 'openverbs';
import type { OpenVerbs, OpenVerbsConfig } from 'openverbs';
import { guestCounters } from 'openverbs/testing';
import { stopwatch, Subject, warmUp } from '../alternate.ts';
import type { BenchCase, BenchOptions } from '../benchmark.ts';
import type { Samples } from '../samples.ts';
import { PATHS, STARTS } from './benchmark.ts';
import type { Path } from './benchmark.ts';
import { Exchange, WINDOW } from './exchange.ts';

/** So many rounds at least, in all processes together: fewer give no interval to speak of. */
const ROUNDS_MIN = 30;
/** Operations that are counted. */
const COUNTED = 100;
/** The guest of each mode, and the lower device in the device domain: the emulated provider joins the machine of the split driver. */
const SHARED: OpenVerbsConfig = {
  providers: ['xen', 'emulated'],
  xen: { guests: [{ mode: 'bypass' }, { mode: 'basic' }] },
};

type Placement = 'inline' | 'thread';

interface Counts {
  readonly ringRequests: number;
  /** Of the split driver's event channels, both ways. */
  readonly events: number;
  readonly deviceWakes: number;
}

export function measure(bench: BenchCase, options: BenchOptions): Samples {
  if (bench.part === 'speed') return speed(bench.fields['size'], options);
  if (bench.part === 'counts') return counts(bench.fields['size']);
  return buffering(bench.fields['burst']);
}

/** Rounds of one process. */
export function roundsOf({ quick, pairs, starts }: BenchOptions): number {
  return quick ? pairs : Math.max(pairs, Math.ceil(ROUNDS_MIN / starts));
}

/** Nanoseconds of a round trip and of a message, by path. */
function speed(size: number, options: BenchOptions): Samples {
  using alone = openVerbs({ provider: 'emulated' });
  using shared = openVerbs(SHARED);
  const [bypass, basic, idd] = shared.devices.map((device) => new Exchange(device, size));
  const native = new Exchange(alone.device(), size);
  // Compared with itself this is another pair of the same kind, as the others are.
  const again = new Exchange(alone.device(), size);
  const exchanges = { native, idd, bypass, basic, again };
  const samples: Record<string, number[]> = {};
  const rounds = roundsOf(options);
  const play = (metric: string, run: (exchange: Exchange, count: number) => void, each: number): void => {
    const subjects = Object.entries(exchanges).map(([path, exchange]) => {
      const subject = new Subject((count) => {
        const took = stopwatch();
        run(exchange, count);
        return took();
      }, options);
      return { path, subject };
    });
    warmUp(subjects.map(({ subject }) => subject));
    for (let round = 0; round < rounds; round++) {
      for (const { path, subject } of shuffled(subjects))
        (samples[`${metric} ${path}`] ??= []).push(subject.block() / each);
    }
  };
  play('round-trip', (exchange, count) => exchange.roundTrips(count), 1);
  play('bandwidth', (exchange, count) => exchange.windows(count), WINDOW);
  const over = (path: string): number[] =>
    samples[`round-trip ${path}`].map((ns, round) => ns / samples['round-trip native'][round]);
  return { ...samples, [STARTS]: [1], 'bypass-over-native': over('bypass'), 'native-over-native': over('again') };
}

/**
 * What a round trip costs: in requests and events with everything on one thread, where no poll waits for another thread; in wake-ups of the
 * device with the device and the device domain each on a thread of its own, since there is nobody to wake otherwise.
 */
function counts(size: number): Samples {
  const samples: Record<string, number[]> = {};
  for (const path of PATHS) {
    const inline = counted(path, 'inline', size);
    const onThreads = counted(path, 'thread', size);
    samples[`ring-requests ${path}`] = [inline.ringRequests];
    samples[`events ${path}`] = [inline.events];
    samples[`device-wakes ${path}`] = [onThreads.deviceWakes];
  }
  return samples;
}

function counted(path: Path, placement: Placement, size: number): Counts {
  using verbs = openVerbs(configOf(path, placement));
  const inGuest = path === 'bypass' || path === 'basic';
  const device = verbs.devices.find(({ provider }) => (provider === 'xen') === inGuest)!;
  const exchange = new Exchange(device, size);
  exchange.roundTrips(1);
  const before = count(verbs, placement);
  exchange.roundTrips(COUNTED);
  const after = count(verbs, placement);
  exchange.close();
  const each = (of: keyof Counts): number => (after[of] - before[of]) / COUNTED;
  return { ringRequests: each('ringRequests'), events: each('events'), deviceWakes: each('deviceWakes') };
}

function configOf(path: Path, placement: Placement): OpenVerbsConfig {
  const emulated = { placement };
  if (path === 'native') return { provider: 'emulated', emulated };
  const mode = path === 'basic' ? 'basic' : 'bypass';
  return { providers: ['xen', 'emulated'], xen: { mode, placement }, emulated };
}

function count(verbs: OpenVerbs, placement: Placement): Counts {
  const machine = Machine.attach(verbs.machine as MachineHandle);
  try {
    const { deviceWakes } = new EngineState(new Engine(machine, placement, hostClock, false));
    const guests = guestCounters(verbs);
    const sum = (of: (guest: (typeof guests)[number]) => number): number =>
      guests.reduce((all, guest) => all + of(guest), 0);
    return {
      ringRequests: sum(({ ringRequests }) => ringRequests),
      events: sum(({ notifications, events }) => notifications + events),
      deviceWakes,
    };
  } finally {
    machine.detach();
  }
}

/** Requests a completion while bursts are polled, one by one, with the buffer and without. */
function buffering(burst: number): Samples {
  const trips = (cqeBuffering: boolean): number[] => {
    using verbs = openVerbs({ provider: 'xen:basic', xen: { cqeBuffering } });
    const exchange = new Exchange(verbs.device(), 8, burst);
    const requests = (): number => guestCounters(verbs)[0].ringRequests;
    const samples: number[] = [];
    let posted = 0;
    exchange.bursts(
      COUNTED,
      () => {
        posted = requests();
      },
      () => {
        samples.push((requests() - posted) / burst);
      },
    );
    return samples;
  };
  return { on: trips(true), off: trips(false) };
}

/** In an order that chance makes (R. Durstenfeld, "Algorithm 235", 1964). */
function shuffled<T>(list: readonly T[]): T[] {
  const all = [...list];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [all[last], all[other]] = [all[other], all[last]];
  }
  return all;
}
