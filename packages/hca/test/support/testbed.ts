/** A machine with devices under a virtual clock, and the host's half of its rings written by hand. */
import { expect } from 'chai';
import { Machine, PAGE_BYTES, VirtualClock } from '@openverbs/machine';
import type { Faults } from '@openverbs/netdev';
import { createAh } from '../../src/address-handles.ts';
import { CommandInterface } from '../../src/command-interface.ts';
import { DeviceError } from '../../src/device-error.ts';
import { Engine } from '../../src/engine.ts';
import { COMPLETION, takeEvent } from '../../src/event-queue.ts';
import type { Hca } from '../../src/hca.ts';
import { Cqc, Eqc, HcaHeader, Qpc, QpcState, UarControl } from '../../src/layout.ts';
import { modifyQp } from '../../src/modify-qp.ts';
import type { AddressVector } from '../../src/modify-qp.ts';
import { TestCq } from './test-cq.ts';
import { TestQp } from './test-qp.ts';
import { TestSrq } from './test-srq.ts';
import type { SrqOptions } from './test-srq.ts';
import { Region } from './region.ts';

const MiB = 1048576;
/** Enough for the tables of two HCAs; pages that nobody touches cost nothing. */
const MEMORY_BYTES = 256 * MiB;

/** All access flags of the software HCA that peers use, and FLUSH_GLOBAL. */
export const ALL_ACCESS = 0b1_0000_1111;

export interface QpOptions {
  /** One of {@link QpcType}; RC when left out. */
  readonly type?: number;
  readonly pd?: number;
  readonly uar?: number;
  readonly sendCq?: TestCq;
  readonly recvCq?: TestCq;
  readonly srq?: TestSrq;
  readonly xrcdn?: number;
  readonly sqLog2Count?: number;
  readonly rqLog2Count?: number;
  readonly sqLog2Bytes?: number;
  readonly maxSendSge?: number;
  readonly maxRecvSge?: number;
  readonly maxInline?: number;
}

/** Attributes of both ends, by word of {@link Qpc}. */
export type QpWords = ReadonlyMap<number, number>;

/** The default partition, which most tests use, and others as full and as limited members. */
export const PKEYS = [0xffff, 0x7fff, 0x8001, 0x0001, 0x0001, 0, 0x8002];

/** What {@link Testbed.connect} sets, unless a test says otherwise. */
export const RTS_WORDS: QpWords = new Map<number, number>([
  [Qpc.PORT, 1],
  [Qpc.ACCESS_FLAGS, ALL_ACCESS],
  [Qpc.PATH_MTU, 3],
  [Qpc.MAX_RD_ATOMIC, 16],
  [Qpc.MAX_DEST_RD_ATOMIC, 16],
  [Qpc.MIN_RNR_TIMER, 12],
  [Qpc.TIMEOUT, 14],
  [Qpc.RETRY_CNT, 7],
  [Qpc.RNR_RETRY, 7],
]);

export class Testbed {
  readonly clock = new VirtualClock(1e9);
  readonly machine: Machine;
  readonly engine: Engine;
  readonly hca: Hca;
  readonly commands: CommandInterface;
  readonly uar: number;
  readonly pd: number;

  /**
   * @param machine - one that another testbed made, for a thread of its own
   * @param packets - whether messages travel as packets
   */
  constructor(memoryBytes = MEMORY_BYTES, machine?: Machine, packets = false) {
    this.machine = machine ?? Machine.create({ memoryBytes, name: 'test' });
    this.engine = new Engine(this.machine, 'inline', this.clock, packets);
    const gids = [1, 2, 3].map((last) => ({
      port: 2,
      gid: Uint8Array.of(0x20, ...new Array<number>(14).fill(0), last),
    }));
    const init = { name: 'hca0', guidHi: 0x02000000, guidLo: 0x100, ports: 2, gids, pkeys: PKEYS };
    this.hca = machine === undefined ? this.engine.createHca(init) : this.engine.hcas[0];
    this.commands = new CommandInterface(this.engine, this.hca);
    this.uar = this.commands.openUar();
    this.pd = this.commands.allocPd(this.uar);
  }

  /** A second thread of the same machine, as far as the machine can tell. */
  join(): Testbed {
    return Testbed.attach(Machine.attach(this.machine.handle));
  }

  /** A bed whose messages travel as packets, with faults. */
  static withPackets(faults: Partial<Faults> = {}): Testbed {
    const bed = new Testbed(undefined, undefined, true);
    bed.engine.faults!.set(faults);
    return bed;
  }

  static attach(machine: Machine): Testbed {
    return new Testbed(undefined, machine);
  }

  get i32(): Int32Array {
    return this.machine.i32;
  }

  /** A buffer and its registration. */
  region(length: number, options: { access?: number; pd?: number; above?: number } = {}): Region {
    const { access = ALL_ACCESS, pd = this.pd, above = 0 } = options;
    const addr = this.alloc(length, above);
    return Region.inOneRun(this, addr, length, access, pd);
  }

  /** A region whose pages lie scattered: every other page of a larger buffer, from the last to the first. */
  pagedRegion(length: number, firstOffset = 0, access = ALL_ACCESS): Region {
    const pages = Math.ceil((firstOffset + length) / PAGE_BYTES);
    const addr = this.alloc(pages * 2 * PAGE_BYTES);
    const list = Array.from({ length: pages }, (_, n) => addr + (2 * (pages - 1 - n) + 1) * PAGE_BYTES);
    return Region.inPages(this, list, firstOffset, length, access, this.pd);
  }

  alloc(length: number, above = 0): number {
    const addr = this.machine.pages.alloc(length, PAGE_BYTES, this.machine.threadIndex, { above });
    expect(addr, `${length} bytes of machine memory`).to.not.equal(0);
    return addr;
  }

  /** Ring memory, registered under the driver's PD. */
  ringKey(bytes: number, uar = this.uar): { readonly addr: number; readonly key: number } {
    const addr = this.alloc(bytes);
    const key = this.commands.createMpt({
      uar,
      pd: 0,
      access: 0,
      startLo: addr,
      startHi: 1,
      length: bytes,
      base: addr,
    });
    return { addr, key };
  }

  cq(log2Count = 6, flags = 0): TestCq {
    return new TestCq(this, log2Count, flags);
  }

  srq(options: SrqOptions = {}): TestSrq {
    return new TestSrq(this, options);
  }

  qp(options: QpOptions = {}): TestQp {
    return new TestQp(this, options);
  }

  /** An address handle to port 1 of the HCA, unless `av` says otherwise. */
  ah(av: Partial<AddressVector> = {}, pd = this.pd): number {
    const vector = { ...NO_PATH, dgid: this.hca.gid(1), ...av };
    return this.engine.command(() => createAh(this.engine, this.hca, this.uar, pd, vector));
  }

  /** Moves a QP to a state by the command. */
  modify(qp: TestQp, state: number | undefined, words: QpWords = new Map(), dgid?: Uint8Array, sgidIndex = 0): void {
    const av = dgid === undefined ? {} : { av: { ...NO_PATH, dgid, sgidIndex } };
    this.engine.command(() => {
      modifyQp(this.engine, this.hca, qp.context, { words, ...av, ...(state === undefined ? {} : { state }) });
    });
  }

  toInit(qp: TestQp, words: QpWords = new Map()): void {
    this.modify(qp, QpcState.INIT, new Map([...RTS_WORDS, ...words]));
  }

  toRtr(qp: TestQp, destQpn: number, words: QpWords = new Map(), dgid: Uint8Array = this.hca.gid(1)): void {
    const merged = new Map([...RTS_WORDS, [Qpc.DEST_QPN, destQpn], [Qpc.RQ_PSN, 0], ...words] as [number, number][]);
    this.modify(qp, QpcState.RTR, merged, dgid);
  }

  toRts(qp: TestQp, words: QpWords = new Map()): void {
    this.modify(qp, QpcState.RTS, words);
  }

  /** Both to RTS, facing each other. `words` go to the requester, `peerWords` to its peer. */
  connect(qp: TestQp, peer: TestQp, words: QpWords = new Map(), peerWords: QpWords = new Map()): void {
    this.toInit(qp, words);
    this.toRtr(qp, peer.number, words);
    this.toRts(qp, words);
    if (qp === peer) return;
    this.toInit(peer, peerWords);
    this.toRtr(peer, qp.number, peerWords);
    this.toRts(peer, peerWords);
  }

  /** Two connected QPs. */
  pair(options: QpOptions = {}, words: QpWords = new Map(), peerWords: QpWords = new Map()): [TestQp, TestQp] {
    const pair: [TestQp, TestQp] = [this.qp(options), this.qp(options)];
    this.connect(...pair, words, peerWords);
    return pair;
  }

  /** Takes all events of the UAR's queue, as [type, id], and lets their CQs raise the next. */
  events(uar = this.uar): [type: number, id: number][] {
    const eq = this.i32[this.engine.uars.control(uar) + UarControl.EQ];
    const entry = { type: 0, id: 0 };
    const events: [number, number][] = [];
    while (takeEvent(this.i32, eq, entry)) {
      events.push([entry.type, entry.id]);
      if (entry.type === COMPLETION) this.i32[this.commands.cqs.context(entry.id) + Cqc.EVENT_QUEUED] = 0;
    }
    return events;
  }

  eqWord(word: keyof typeof Eqc): number {
    return this.i32[this.engine.uars.control(this.uar) + UarControl.EQ] + Eqc[word];
  }

  hcaWord(word: keyof typeof HcaHeader): number {
    return this.i32[this.hca.header + HcaHeader[word]];
  }

  /** Lets time pass as a sleeper would: from deadline to deadline. */
  advance(ns: number): void {
    const endNs = this.clock.nowNs() + ns;
    while (this.engine.timers.earliestNs <= endNs) {
      const dueNs = this.engine.timers.earliestNs;
      this.clock.advanceTo(Math.max(dueNs, this.clock.nowNs()));
      this.engine.runDue();
    }
    this.clock.advanceTo(endNs);
  }
}

const NO_PATH = {
  flowLabel: 0,
  sgidIndex: 0,
  hopLimit: 1,
  trafficClass: 0,
  dlid: 0,
  sl: 0,
  srcPathBits: 0,
  staticRate: 0,
  portNum: 1,
};

/** Expects a {@link DeviceError} of a code whose message and hint match. */
export function expectDeviceError(action: () => unknown, code: DeviceError['code'], text = /./): void {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  expect(caught).to.be.instanceOf(DeviceError);
  const error = caught as DeviceError;
  expect(error.code).to.equal(code);
  expect(`${error.message} ${error.hint}`).to.match(text);
}
