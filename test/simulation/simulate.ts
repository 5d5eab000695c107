/** Runs one program and judges it. */
import { createHash } from 'node:crypto';
import { EventType, WcStatus } from 'openverbs';
import type { AsyncEvent } from 'openverbs';
import { Driver } from './driver.ts';
import { readU64 } from './ledger.ts';
import { checkCounter } from './model-atomics.ts';
import type { AtomicRecord } from './model-atomics.ts';
import { checkCompletions, isTroubled, orderReceives } from './model-completions.ts';
import { settleDatagrams } from './model-datagrams.ts';
import { MemoryModel } from './model-memory.ts';
import { settleUnreliable } from './model-unreliable.ts';
import { isAtomic } from './operations.ts';
import { place } from './placement.ts';
import type { Program } from './program.ts';
import type { RoundRecord } from './record.ts';
import { Deviation, lanesOf } from './record.ts';
import type { Totals } from './totals.ts';
import { emptyTotals, readCounters } from './totals.ts';
import { COUNTERS, World } from './world.ts';

/** What came of a run. */
export interface Outcome {
  /** Of all frames, completions, events, memory and counters, with their times: two runs of a program have the same. */
  readonly digest: string;
  readonly totals: Totals;
  /** What was wrong; null for nothing. */
  readonly failure: Failure | null;
}

/** What was wrong. */
export interface Failure {
  /** A word that stays the same when the program is made smaller. */
  readonly kind: string;
  readonly message: string;
}

/** Events that a QP may raise; all others are failures of the device. */
const EVENTS: readonly number[] = [
  EventType.COMM_EST,
  EventType.QP_ACCESS_ERR,
  EventType.QP_REQ_ERR,
  EventType.SQ_DRAINED,
  EventType.QP_LAST_WQE_REACHED,
  EventType.SRQ_LIMIT_REACHED,
  EventType.PATH_MIG,
  EventType.PATH_MIG_ERR,
];

/** Runs a program from beginning to end. */
export function simulate(program: Program): Outcome {
  const run = new Run(program);
  try {
    run.execute();
    return run.outcome(null);
  } catch (error) {
    return run.outcome(failureOf(error));
  } finally {
    run.dispose();
  }
}

class Run {
  readonly #program: Program;
  readonly #world: World;
  readonly #driver: Driver;
  readonly #memory: MemoryModel;
  readonly #hash = createHash('sha256');
  readonly #totals = emptyTotals();
  readonly #atomics = new Map<string, AtomicRecord[]>();
  readonly #isLossy: boolean;
  #isClosed = false;
  /** Whether anything failed a queue pair that may have waited for an answer. */
  #isTroubled = false;

  constructor(program: Program) {
    const placement = place(program);
    const { drop, corrupt, duplicate, reorder } = program.weather;
    this.#program = program;
    // A network that is cut in two for a while loses packets too, and a queue pair with one retry may not outlast that.
    const isCut = program.steps.some((step) => step.do === 'cut');
    // A path that changes loses what is under way on the old one.
    const hasPaths = program.connections.some(({ paths }) => paths === true);
    this.#isLossy = isCut || hasPaths || drop + corrupt + duplicate + reorder > 0;
    this.#world = new World(program, placement);
    this.#world.onEvent = (event) => this.#event(event);
    this.#world.traffic.onFrame = (frame, source, destination, nowNs) => {
      this.#note([nowNs, source, destination]);
      this.#hash.update(frame);
    };
    this.#memory = new MemoryModel(this.#world.contents);
    this.#driver = new Driver(program, placement, this.#world, {
      completed: (completion, nowNs) => {
        this.#note([nowNs, JSON.stringify(completion)]);
        const name = Object.entries(WcStatus).find(([, value]) => value === completion.status)?.[0] ?? '?';
        this.#totals.completions[name] = (this.#totals.completions[name] ?? 0) + 1;
      },
      roundOver: (record) => this.#judge(record),
      datagramsOver: (sockets) => settleDatagrams(this.#world, sockets, this.#memory, program.weather, this.#isLossy),
    });
  }

  execute(): void {
    this.#driver.run();
    this.#memory.check(this.#world.contents, 'at the end');
    this.#checkAtomics();
    this.#digestAll();
    this.#checkPatience();
    for (const shared of this.#world.shared) shared.check();
    this.#isClosed = true;
    this.#world.close();
  }

  outcome(failure: Failure | null): Outcome {
    this.#totals.programs = 1;
    return { digest: this.#hash.digest('hex'), totals: this.#totals, failure };
  }

  dispose(): void {
    if (!this.#isClosed) this.#world.dispose();
  }

  #judge(record: RoundRecord): void {
    this.#isTroubled ||= isTroubled(record, this.#isLossy);
    if (record.plan.transport === 'UC') {
      const { contents } = this.#world;
      for (const lane of lanesOf(record)) settleUnreliable(lane, this.#memory, contents, this.#program.weather);
    } else this.#judgeReliable(record);
    this.#memory.check(this.#inTheirPlaces(record), `after round ${record.round} of connection ${record.connection}`);
  }

  #judgeReliable(record: RoundRecord): void {
    if (record.plan.transport === 'XRC') orderReceives(lanesOf(record)[0]);
    const lanes = lanesOf(record).map((lane) => ({ lane, known: checkCompletions(lane, this.#isLossy) }));
    for (const { lane, known } of lanes) {
      this.#memory.settle(lane, known, this.#world.contents, this.#program.packets);
      const { device } = record.plan.ends[1 - lane.side];
      lane.requester.sends.forEach((send, index) => {
        const { opcode } = send.operation;
        if (!isAtomic(opcode) || index >= known.possible) return;
        const { operation, compare, postedAt, completedAt } = send;
        const returned = index < known.succeeded ? readU64(this.#world.contents, send.placed) : null;
        const atomic = { opcode, operand: BigInt(`0x${operation.operand}`), compare, returned, postedAt, completedAt };
        const counter = `${device} ${operation.counter}`;
        this.#atomics.set(counter, [...(this.#atomics.get(counter) ?? []), atomic]);
      });
    }
  }

  /** The regions of a connection that is quiet, and of the others what they should be: those are at work. */
  #inTheirPlaces({ connection }: RoundRecord): readonly Uint8Array[] {
    return this.#world.contents.map((bytes, region) =>
      region >> 1 === connection ? bytes : this.#memory.expected[region],
    );
  }

  #checkAtomics(): void {
    this.#world.devices.forEach(({ name }, device) => {
      for (let index = 0; index < COUNTERS; index++) {
        const { firstCounter: first, counter: last } = {
          firstCounter: this.#world.firstCounter(device, index),
          counter: this.#world.counter(device, index),
        };
        checkCounter(`counter ${index} of ${name}`, first, last, this.#atomics.get(`${device} ${index}`) ?? []);
      }
    });
  }

  /** On a good network every answer comes in time, so nobody has to ask twice. */
  #checkPatience(): void {
    const { completer_retry_err: timeouts } = this.#totals.counters;
    if (this.#isLossy || this.#isTroubled || !timeouts) return;
    throw new Deviation('timeout', `${timeouts} times no answer came in time, although nothing was lost`);
  }

  #event(event: AsyncEvent): void {
    this.#note([this.#world.clock.nowNs(), event.type, event.qp?.qpNum]);
    if (event.srq !== undefined) this.#world.shared.find(({ srq }) => srq === event.srq)!.limitReached();
    if (event.type === EventType.SQ_DRAINED && !this.#world.drained(event.qp!)) {
      throw new Deviation('drained', 'a send queue was drained that nobody had drained');
    }
    if (event.type === EventType.PATH_MIG && !this.#world.migrated(event.qp!)) {
      throw new Deviation('migrated', 'a queue pair migrated that was not armed');
    }
    if (event.type === EventType.PATH_MIG_ERR && !this.#world.refused(event.qp!)) {
      throw new Deviation('refused', 'a queue pair did not follow its peer to the alternate path');
    }
    if (!EVENTS.includes(event.type)) throw new Deviation('async-event', `the event '${event.toString()}'`);
  }

  #digestAll(): void {
    for (const bytes of this.#world.contents) this.#hash.update(bytes.slice());
    readCounters(this.#world, this.#totals);
    this.#note([this.#world.clock.nowNs(), JSON.stringify(this.#world.counters), JSON.stringify(this.#totals.faults)]);
  }

  #note(values: readonly unknown[]): void {
    this.#hash.update(`${values.join(' ')}\n`);
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof Deviation) return { kind: error.kind, message: error.message };
  if (error instanceof Error) return { kind: error.name, message: error.stack ?? error.message };
  return { kind: 'thrown', message: String(error) };
}
