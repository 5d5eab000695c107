/**
 * The engine: executes the devices of a machine, one step at a time, under the machine's lock.
 *
 * `inline` placement: whoever rings the doorbell executes, on its own stack. It takes the lock, or leaves a mark and tries
 * again; the holder takes all marks, unlocks, and looks at the marks once more, so that none is left between two threads
 * (`test/doorbell-protocol.test.ts` walks through all interleavings). `thread` placement: a worker does it, see `serve.ts`.
 *
 * User code never runs under the lock: events are told after it was released.
 */
import { hostClock, MachineTimeoutError } from '@openverbs/machine';
import type { Clock, Machine, MachineLock } from '@openverbs/machine';
import { type FaultInjector, MemoryLink } from '@openverbs/netdev';
import { loadOrdered } from '@openverbs/verbs/rings';
import { Completer } from './completer.ts';
import { CqModeration } from './cq-moderation.ts';
import { Counters } from './counters.ts';
import { EventQueues } from './event-queue.ts';
import { findOrMakeEngine, makeParts, ROOT_ENGINE } from './engine-parts.ts';
import { Hca } from './hca.ts';
import type { HcaInit } from './hca-init.ts';
import { Cqc, DoorbellKind, EngineHeader, EngineSleep, Qpc, QpcState, UarControl } from './layout.ts';
import { CQS_MAX, QP_WR_MAX, QPS_MAX, WQE_BUDGET } from './limits.ts';
import { PacketTransport } from './packets/packet-transport.ts';
import { PathMigration } from './path-migration.ts';
import { QpStateMachine } from './qp-state.ts';
import { hasDied, reapDead } from './reap.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { recover } from './recovery.ts';
import { Requester } from './requester.ts';
import { NoteKind } from './tap.ts';
import { TimerQueue } from './timer-queue.ts';
import { Uars } from './uar.ts';

const { QPN, UAR, STATE, WORDS: QPC_WORDS } = Qpc;
const { DEADLINE, MARK_SUMMARY, ASLEEP, WAKE, DEVICE_WAKES, DOORBELLS_DROPPED } = EngineHeader;
const QP_MASK = QPS_MAX - 1;
const CQ_TABLE_WORDS = CQS_MAX * Cqc.WORDS;
const ERR = QpcState.ERR;

/** Empty polls before the poller waits for the lock if it is held, and so finds out whether its holder lives. */
const STARVED_POLLS_MAX = 1024;
/** How long that takes at most: some of the lock's own looks whether its holder lives. */
const TEND_WAIT_NS = 20e6;
/** Time between two looks whether all threads live; each costs a file read a thread. */
const REAP_INTERVAL_NS = 100e6;

/** Who executes the devices. */
export type Placement = 'inline' | 'thread';

/** The engine of each machine, as this thread has joined it. */
const engines = new WeakMap<Machine, Engine>();

export class Engine {
  readonly machine: Machine;
  /** Word index of {@link EngineHeader}. */
  readonly header: number;
  readonly events: EventQueues;
  readonly counters: Counters;
  readonly uars: Uars;
  readonly timers: TimerQueue;
  readonly receives: ReceiveQueue;
  readonly moderation: CqModeration;
  readonly migration: PathMigration;
  readonly completer: Completer;
  readonly states: QpStateMachine;
  readonly link: MemoryLink;
  readonly placement: Placement;
  /** What carries messages as packets; null where a message is one descriptor. @internal */
  readonly packets: PacketTransport | null;
  /** The link's faults; null where there are no packets. */
  readonly faults: FaultInjector | null;
  readonly nowNs: () => number;
  /** Called after the earliest deadline may have changed; for who sleeps until then. */
  readonly deadlineListeners = new Set<() => void>();
  /** Set in the engine's own thread: it lends the lock between the parts of a long queue of others. */
  lends = false;

  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #lock: MachineLock;
  readonly #requester: Requester;
  /** Whether another thread executes the devices. */
  #remote: boolean;
  readonly #hcas: Hca[] = [];
  readonly #serve = (uar: number, kind: number, number: number): void => {
    this.#serveDoorbell(uar, kind, number);
  };
  #starved = 0;
  /** In time of the host clock, since threads die in that. */
  #nextReapNs = 0;

  /** Finds the machine's engine, or makes it with the given placement; `packets` says whether messages then travel as packets. */
  constructor(machine: Machine, placement: Placement, clock: Pick<Clock, 'nowNs'> = hostClock, packets = false) {
    this.machine = machine;
    this.#i32 = machine.i32;
    this.#f64 = machine.f64;
    this.#lock = machine.lock;
    this.nowNs = () => clock.nowNs();
    machine.lock.acquire();
    try {
      this.header = findOrMakeEngine(machine, placement, packets);
      this.link = new MemoryLink(machine);
    } catch (error) {
      machine.lock.release();
      throw error;
    }
    this.placement = machine.i32[this.header + EngineHeader.PLACEMENT_THREAD] !== 0 ? 'thread' : 'inline';
    this.#remote = this.placement === 'thread' && !this.#engineEnded;
    this.events = new EventQueues(machine, this.nowNs);
    this.counters = new Counters(machine, this.events.tap);
    this.uars = new Uars(machine, this.header);
    this.timers = new TimerQueue(machine, this.header);
    this.receives = new ReceiveQueue(machine, this.events);
    this.moderation = new CqModeration(machine, this.events, this.timers, this.nowNs);
    this.completer = new Completer(machine, this.events, this.receives, this.moderation, this.nowNs);
    this.states = new QpStateMachine(machine, this.completer, this.events, this.timers, this.receives);
    this.migration = new PathMigration(this);
    const parts = makeParts(this);
    this.#requester = new Requester(parts);
    this.faults = parts.faults;
    this.packets = parts.faults === null ? null : new PacketTransport({ ...parts, faults: parts.faults });
    engines.set(machine, this);
    machine.pollers.push(() => this.#poll());
    machine.alarms.push(() => (clock === hostClock && !this.#remote ? this.timers.earliestNs : Infinity));
    machine.lock.onRecover(() => {
      recover(this);
    });
    // Whoever took the lock over without an engine, this thread above included, has left the device as it was.
    try {
      if (machine.i32[this.header + EngineHeader.TAKEOVERS] !== (machine.lock.takeovers | 0)) recover(this);
    } finally {
      this.unlock();
    }
  }

  /**
   * The engine of a machine in this thread: the one that is there, so that events of this thread reach who listens there; else a new
   * one. undefined on a machine without HCAs.
   */
  static of(machine: Machine, clock?: Pick<Clock, 'nowNs'>): Engine | undefined {
    if (machine.root(ROOT_ENGINE) === 0) return undefined;
    return engines.get(machine) ?? new Engine(machine, 'inline', clock);
  }

  /** The HCAs of the machine, also those that other threads made meanwhile. */
  get hcas(): readonly Hca[] {
    const count = Atomics.load(this.#i32, this.header + EngineHeader.HCA_COUNT);
    for (let index = this.#hcas.length; index < count; index++) {
      this.#hcas.push(new Hca(this.machine, this.#i32[this.header + EngineHeader.HCAS + index]));
    }
    return this.#hcas;
  }

  createHca(init: HcaInit): Hca {
    this.command(() => Hca.create(this.machine, this.header, this.link, init));
    return this.hcas.at(-1)!;
  }

  /** Runs a command under the lock. */
  command<T>(execute: () => T): T {
    this.#lock.acquire();
    try {
      return execute();
    } finally {
      this.unlock();
    }
  }

  /** Doorbell of a send queue, rung by the owner of `uar`, who has its page at the word `page`. */
  ringSq(uar: number, qpTable: number, qpn: number, page = this.uars.pageOf(uar)): void {
    if (!this.#remote && this.#lock.tryAcquire()) {
      const q = qpTable + (qpn & QP_MASK) * QPC_WORDS;
      if (this.#i32[q + QPN] === qpn && this.#i32[q + UAR] === uar) this.#runSq(q, qpn);
      else this.#drop();
      this.unlock();
    } else this.#leaveDoorbell(uar, page, DoorbellKind.SQ, qpn);
  }

  /** Doorbell of a receive queue; needed only in the error state, and where the doorbell record asks for it. */
  ringRq(uar: number, qpn: number, page = this.uars.pageOf(uar)): void {
    this.#leaveDoorbell(uar, page, DoorbellKind.RQ, qpn);
  }

  /** In a wait of this thread: whether there was anything to do. */
  #poll(): boolean {
    const found = !this.#remote && this.#hasWork();
    this.idle();
    return found;
  }

  /** A poll found nothing: takes what others left behind and runs what is due. */
  idle(): void {
    if (++this.#starved >= STARVED_POLLS_MAX) this.tend();
    else if (!this.#remote && this.#hasWork()) this.runDue();
  }

  /**
   * Looks whether a thread died that had taken this one's work, or that others still talk to; for those who wait for long. What it
   * had is reclaimed, as a kernel does at the end of a process.
   */
  tend(): void {
    this.#starved = 0;
    if (this.#remote && this.#engineEnded) this.#remote = false;
    const nowNs = hostClock.nowNs();
    const reaps = nowNs >= this.#nextReapNs && hasDied(this.machine);
    if (nowNs >= this.#nextReapNs) this.#nextReapNs = nowNs + REAP_INTERVAL_NS;
    if (!reaps && this.#lock.ownerIndex === 0 && (this.#remote || !this.#hasWork())) return;
    try {
      this.#lock.acquire(nowNs + TEND_WAIT_NS);
    } catch (error) {
      if (error instanceof MachineTimeoutError) return; // its holder lives
      throw error;
    }
    try {
      if (reaps) reapDead(this);
      if (!this.#remote) this.work();
    } finally {
      this.unlock();
    }
  }

  /** Whether there are doorbells that nobody has taken, or timers that are due. */
  #hasWork(): boolean {
    if (Atomics.load(this.#i32, this.header + MARK_SUMMARY) !== 0) return true;
    const due = this.#f64[(this.header + DEADLINE) >>> 1];
    return due !== Infinity && due <= this.nowNs();
  }

  /** The thread of `thread` placement has ended: the device goes on in those that use it. */
  get #engineEnded(): boolean {
    return Atomics.load(this.#i32, this.header + ASLEEP) === EngineSleep.ENDED;
  }

  /** Takes all doorbells and runs all timers that are due, if the lock is free; now and then it looks who holds it. */
  runDue(): void {
    if (this.#lock.tryAcquire()) {
      this.work();
      this.unlock();
    } else if (++this.#starved >= STARVED_POLLS_MAX) this.tend();
  }

  /** All marks, then all timers that are due. The lock must be held. */
  work(): void {
    this.uars.drain(this.#serve);
    if (this.timers.earliestNs === Infinity) return;
    const nowNs = this.nowNs();
    const { packets } = this;
    for (let q = this.timers.takeDue(nowNs); q !== 0; q = this.timers.takeDue(nowNs)) {
      if (this.#isCq(q)) this.moderation.raise(q);
      else if (packets !== null) packets.expire(q);
      else if (this.#requester.expire(q)) this.#runFound(q, this.#i32[q + QPN]);
    }
    packets?.pump();
  }

  /** Whether a context is one of a CQ, not of a QP. */
  #isCq(context: number): boolean {
    for (const { cqTable } of this.hcas) if (context >= cqTable && context < cqTable + CQ_TABLE_WORDS) return true;
    return false;
  }

  /** Executes the send queue of a QP as far as it goes. The lock must be held; it is lent to others in between. */
  runSq(q: number): void {
    this.#runSq(q, this.#i32[q + QPN]);
  }

  /** Executes all that the send queue of a QP holds, without lending the lock. */
  finishSq(q: number): void {
    if (this.packets !== null) this.packets.run(q);
    else this.#requester.run(q, QP_WR_MAX + 1);
  }

  /** Releases the lock, takes what was left meanwhile, and tells of events. */
  unlock(): void {
    this.#lock.release();
    if (loadOrdered(this.#i32, this.header + MARK_SUMMARY) !== 0 || this.events.pending || this.timers.moved) {
      this.#afterUnlock();
    }
  }

  #afterUnlock(): void {
    if (!this.#remote) {
      while (this.uars.marked && this.#lock.tryAcquire()) {
        this.work();
        this.#lock.release();
      }
    }
    if (this.timers.moved) {
      this.timers.moved = false;
      if (this.#remote) this.wake(); // it may sleep beyond the new deadline
      for (const listener of this.deadlineListeners) listener();
    }
    if (this.events.pending) this.events.flush();
  }

  #runSq(q: number, qpn: number): void {
    if (this.packets !== null) this.packets.run(q);
    else if (this.#requester.run(q, WQE_BUDGET)) this.#runOn(q, qpn);
  }

  /** The rest of a long queue; at most a ring of it, because what is posted meanwhile comes with its own doorbell. */
  #runOn(q: number, qpn: number): void {
    for (let left = QP_WR_MAX; left > 0; left -= WQE_BUDGET) {
      this.#lock.release();
      this.#lock.acquire();
      if (this.#i32[q + QPN] !== qpn) return; // destroyed meanwhile
      if (!this.#requester.run(q, WQE_BUDGET)) return;
    }
  }

  /**
   * A queue that this thread found, not its own. Only the engine's thread lends the lock here: one that died meanwhile would
   * hold nothing, so nobody would find out and look at the queues which it had taken over from others.
   */
  #runFound(q: number, qpn: number): void {
    if (this.lends) this.#runSq(q, qpn);
    else this.finishSq(q);
  }

  #leaveDoorbell(uar: number, page: number, kind: number, number: number): void {
    while (!this.uars.write(uar, kind, number, page)) {
      // The page is full: whoever is faster empties it. One whose counts are garbage is full without a mark.
      this.uars.mark(uar);
      this.#lock.acquire();
      this.work();
      this.unlock();
    }
    if (this.#remote) this.wake();
    else if (this.#lock.tryAcquire()) {
      this.work();
      this.unlock();
    }
  }

  /** Wakes the engine thread if it sleeps; takes over from it if it has ended. */
  wake(): void {
    const i32 = this.#i32;
    const asleep = Atomics.load(i32, this.header + ASLEEP);
    if (asleep === EngineSleep.AWAKE) return;
    if (asleep === EngineSleep.ENDED) {
      this.#remote = false;
      this.runDue();
      return;
    }
    Atomics.add(i32, this.header + WAKE, 1);
    Atomics.add(i32, this.header + DEVICE_WAKES, 1);
    Atomics.notify(i32, this.header + WAKE);
  }

  #serveDoorbell(uar: number, kind: number, number: number): void {
    const i32 = this.#i32;
    const hca = this.hcas[i32[this.uars.control(uar) + UarControl.HCA]];
    const q = hca.qpTable + (number & QP_MASK) * QPC_WORDS;
    if (i32[q + QPN] !== number || number === 0 || i32[q + UAR] !== uar) this.#drop();
    else if (kind === DoorbellKind.SQ) this.#runFound(q, number);
    else if (kind !== DoorbellKind.RQ) this.#drop();
    else if (i32[q + STATE] === ERR) this.states.flush(q);
    else this.packets?.receivePosted(q);
  }

  #drop(): void {
    this.#i32[this.header + DOORBELLS_DROPPED] = (this.#i32[this.header + DOORBELLS_DROPPED] + 1) | 0;
    this.events.tap.noteMachine(NoteKind.DOORBELL_DROPPED);
  }
}
