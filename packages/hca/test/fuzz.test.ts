import { expect } from 'chai';
import fc from 'fast-check';
import { SendWqe } from '@openverbs/verbs/rings';
import { DeviceError } from '../src/device-error.ts';
import { QpcState } from '../src/layout.ts';
import { Opcode, SendFlag } from '../src/opcode.ts';
import { audit } from './support/audit.ts';
import { cutOff } from './support/cut.ts';
import type { Region } from './support/region.ts';
import { Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';
import type { TestSrq } from './support/test-srq.ts';

const QPS_MAX = 5;
const CQS = 3;
const RUNS = 30;

/** One thing that happens; numbers choose among what exists at the time. */
type Action =
  | { readonly kind: 'create'; readonly sendCq: number; readonly recvCq: number }
  | { readonly kind: 'connect'; readonly a: number; readonly b: number }
  | { readonly kind: 'modify'; readonly qp: number; readonly state: number }
  | { readonly kind: 'destroy' | 'ring' | 'recv'; readonly qp: number }
  | {
      readonly kind: 'send';
      readonly qp: number;
      readonly opcode: number;
      readonly length: number;
      readonly bad: boolean;
      readonly rings: boolean;
    }
  | { readonly kind: 'garbage'; readonly qp: number; readonly words: readonly number[] }
  | { readonly kind: 'poll' | 'resize'; readonly cq: number; readonly log2Count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cut'; readonly qp: number; readonly call: number };

const n = fc.nat({ max: 30 });
const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: kind('create'), sendCq: n, recvCq: n }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('connect'), a: n, b: n }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('modify'), qp: n, state: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('destroy'), qp: n }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('ring'), qp: n }) },
  { weight: 8, arbitrary: fc.record({ kind: kind('recv'), qp: n }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: kind('send'),
      qp: n,
      opcode: fc.nat({ max: 6 }),
      length: fc.nat({ max: 64 }),
      bad: fc.integer({ min: 0, max: 15 }).map((die) => die === 0),
      rings: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('garbage'),
      qp: n,
      words: fc.array(fc.integer(), { minLength: 16, maxLength: 16 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: kind('poll'), cq: n, log2Count: n }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('resize'), cq: n, log2Count: fc.nat({ max: 7 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('wait'), ms: fc.integer({ min: 1, max: 2000 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('cut'), qp: n, call: fc.nat({ max: 40 }) }) },
);

/** What the program knows of a queue: which WQEs have not completed yet. */
interface Expected {
  send: { index: number; signalled: boolean }[];
  recv: number[];
}

/** Devices and the program beside them, which knows what may complete. */
class World {
  readonly bed = new Testbed();
  readonly cqs = Array.from({ length: CQS }, (_, index) => this.bed.cq(3 + index));
  readonly qps: TestQp[] = [];
  readonly #srq: TestSrq = this.bed.srq({ log2Count: 3 });
  /** Slots of the SRQ that are posted or not polled. */
  readonly #shared = new Set<number>();
  readonly #expected = new Map<number, Expected>();
  readonly #region: Region = this.bed.pagedRegion(5000, 8);
  readonly #foreign: Region = this.bed.region(256, { pd: this.bed.commands.allocPd(this.bed.uar) });

  /** Begins with a pair whose second QP has the SRQ, and a QP that talks to itself. */
  constructor() {
    this.#foreign.fill(5);
    for (let cq = 0; cq < CQS; cq++) this.#create(this.cqs[cq], this.cqs[(cq + 1) % CQS], cq === 1);
    this.#connect(this.qps[0], this.qps[1]);
    this.#connect(this.qps[2], this.qps[2]);
  }

  run(step: Action): void {
    switch (step.kind) {
      case 'create':
        if (this.qps.length === QPS_MAX) break;
        this.#create(this.cqs[step.sendCq % CQS], this.cqs[step.recvCq % CQS], step.recvCq % 2 === 0);
        break;
      case 'poll':
        this.#poll(step.cq % CQS);
        break;
      case 'resize':
        this.#refusable(() => this.cqs[step.cq % CQS].resize(step.log2Count));
        break;
      case 'wait':
        this.bed.advance(step.ms * 1e6);
        break;
      case 'connect':
        this.#connect(this.#pick(step.a), this.#pick(step.b));
        break;
      default: {
        const qp = this.#pick(step.qp);
        if (qp !== undefined) this.#runOn(qp, step);
      }
    }
  }

  #runOn(qp: TestQp, step: Exclude<Action, { kind: 'create' | 'poll' | 'resize' | 'wait' | 'connect' }>): void {
    const expected = this.#expected.get(qp.number)!;
    switch (step.kind) {
      case 'modify':
        if (step.state === QpcState.RESET) this.#reset(qp);
        else this.#refusable(() => this.bed.modify(qp, step.state));
        break;
      case 'destroy':
        this.#forget(qp);
        qp.destroy();
        this.qps.splice(this.qps.indexOf(qp), 1);
        break;
      case 'ring':
        qp.ring();
        break;
      case 'cut': // the thread that executes the doorbell dies on the way
        cutOff(this.bed, step.call, () => qp.ring());
        break;
      case 'recv':
        if (qp.srq !== undefined) {
          if (this.#srq.free.length > 0) this.#shared.add(this.#srq.recv([this.#region.sge(1000, 64)]));
          break;
        }
        if (qp.state === QpcState.RESET || expected.recv.length === 1 << qp.rqLog2Count) break;
        expected.recv.push(qp.recv([this.#region.sge(1000, 64)]));
        if (qp.state === QpcState.ERR) this.bed.engine.ringRq(this.bed.uar, qp.number);
        break;
      case 'send':
      case 'garbage':
        if (qp.state < QpcState.RTS || this.#outstanding(expected) === 1 << qp.sqLog2Count) break;
        this.#send(qp, expected, step);
    }
  }

  #send(qp: TestQp, expected: Expected, step: Extract<Action, { kind: 'send' | 'garbage' }>): void {
    if (step.kind === 'garbage') {
      const words = Object.fromEntries(step.words.map((word, index) => [index, word]));
      const signalled = (step.words[SendWqe.FLAGS] & SendFlag.SIGNALED) !== 0;
      expected.send.push({ index: qp.send({ words }), signalled });
      return;
    }
    const flags = step.length % 3 === 0 ? 0 : SendFlag.SIGNALED;
    const isAtomic = step.opcode > Opcode.RDMA_READ;
    const sges = [this.#region.sge(4096 - 20, isAtomic ? 8 : step.length)];
    const remote = step.bad ? this.#foreign.at() : this.#region.at(2000);
    const index = qp.writeSend({ opcode: step.opcode, flags, sges, ...remote, compareAdd: 1n });
    expected.send.push({ index, signalled: flags !== 0 });
    if (step.rings) qp.ring();
  }

  #create(sendCq: World['cqs'][number], recvCq: World['cqs'][number], shares: boolean): void {
    const srq = shares ? { srq: this.#srq } : {};
    const qp = this.bed.qp({ sendCq, recvCq, sqLog2Count: 3, rqLog2Count: 2, ...srq });
    this.qps.push(qp);
    this.#expected.set(qp.number, { send: [], recv: [] });
  }

  #connect(a: TestQp | undefined, b: TestQp | undefined): void {
    if (a === undefined || b === undefined) return;
    for (const qp of new Set([a, b])) this.#reset(qp);
    this.bed.connect(a, b);
  }

  #reset(qp: TestQp): void {
    this.#forget(qp);
    this.bed.modify(qp, QpcState.RESET);
    qp.sent = qp.received = 0;
    this.#expected.set(qp.number, { send: [], recv: [] });
  }

  /** The program takes what is in the CQs, so that nothing of an earlier life of the QP comes later. */
  #forget(qp: TestQp): void {
    for (let cq = 0; cq < CQS; cq++) this.#poll(cq);
    this.#expected.delete(qp.number);
  }

  /** Every completion is of a WQE that is outstanding, the oldest one of its queue or one behind unsignalled ones. */
  #poll(index: number): void {
    for (const cqe of this.cqs[index].poll()) {
      const expected = this.#expected.get(cqe.qpn);
      expect(expected, 'a completion of a QP that is gone').to.not.equal(undefined);
      if (cqe.opcode >= 128 && this.qps.find(({ number }) => number === cqe.qpn)?.srq !== undefined) {
        expect(this.#shared.delete(cqe.index), 'a receive of the SRQ completes once').to.equal(true);
        this.#srq.free.push(cqe.index);
        continue;
      }
      if (cqe.opcode >= 128) {
        expect(cqe.index, 'receives complete in order').to.equal(expected!.recv.shift());
        continue;
      }
      const position = expected!.send.findIndex((wqe) => wqe.index === cqe.index);
      expect(position, `send ${cqe.index} completes once`).to.be.at.least(0);
      const skipped = expected!.send.splice(0, position + 1).slice(0, -1);
      expect(
        skipped.every(({ signalled }) => !signalled),
        'a signalled send was skipped',
      ).to.equal(true);
    }
  }

  #outstanding(expected: Expected): number {
    return expected.send.length;
  }

  /** A QP in error owes a completion for everything, a CQ that overran apart. */
  checkEnd(): void {
    for (const qp of this.qps) this.#refusable(() => this.bed.modify(qp, QpcState.ERR));
    for (let cq = 0; cq < CQS; cq++) this.#poll(cq);
    for (const qp of this.qps) {
      if (qp.sendCq.word('STATE') !== 1 || qp.recvCq.word('STATE') !== 1) continue;
      const { send, recv } = this.#expected.get(qp.number)!;
      expect(
        send.filter(({ signalled }) => signalled),
        'sends that never completed',
      ).to.deep.equal([]);
      expect(recv, 'receives that never completed').to.deep.equal([]);
    }
    expect(
      this.#foreign.read().every((byte, at) => byte === this.#foreignAt(at)),
      'memory of others',
    ).to.equal(true);
  }

  #foreignAt(at: number): number {
    return (at * 31 + (at >> 8) * 17 + 5 * 101 + 1) & 0xff;
  }

  #pick(choice: number): TestQp | undefined {
    return this.qps.length === 0 ? undefined : this.qps[choice % this.qps.length];
  }

  #refusable(command: () => void): void {
    try {
      command();
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
    }
  }
}

describe('the device, whatever is done to it', () => {
  it('keeps its tables whole and completes each WQE once, in order', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 40, maxLength: 200, size: 'max' }), (actions) => {
        const world = new World();
        for (const step of actions) {
          world.run(step);
          audit(world.bed);
        }
        world.checkEnd();
        audit(world.bed);
      }),
      { numRuns: RUNS },
    );
  });
});
