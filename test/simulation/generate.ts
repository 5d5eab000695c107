/** From a seed to a program. */
import { Xoshiro128 } from '@openverbs/machine';
import { WrOpcode } from 'openverbs';
import type { ConnectionPlan, CqPlan, EndPlan, Mistake, Operation, Program, Side, Step, Weather } from './program.ts';
import { lengthOf } from './program.ts';

const BYTES_MAX = 65536;
const INLINE_BYTES_MAX = 64;
const OPERATIONS_MAX = 28;
const COUNTERS = 3;

const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND, SEND_WITH_IMM, RDMA_READ } = WrOpcode;
const { ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD } = WrOpcode;

const MESSAGES = [
  ...[RDMA_WRITE, RDMA_WRITE, RDMA_WRITE, RDMA_WRITE_WITH_IMM, RDMA_WRITE_WITH_IMM],
  ...[SEND, SEND, SEND, SEND_WITH_IMM, SEND_WITH_IMM],
];
/** What each transport can do, each as often as it stands here. */
const OPCODES = {
  RC: [...MESSAGES, RDMA_READ, RDMA_READ, RDMA_READ, ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD],
  UC: MESSAGES,
} as const;

/** What can be wrong with what. */
const MISTAKES: Readonly<Record<number, readonly Mistake[]>> = {
  [RDMA_WRITE]: ['rkey', 'range', 'access', 'lkey'],
  [RDMA_WRITE_WITH_IMM]: ['rkey', 'range', 'access', 'lkey'],
  [SEND]: ['lkey', 'short', 'recvKey'],
  [SEND_WITH_IMM]: ['lkey', 'short', 'recvKey'],
  [RDMA_READ]: ['rkey', 'range', 'access', 'lkey'],
  [ATOMIC_CMP_AND_SWP]: ['rkey', 'range', 'access', 'lkey', 'unaligned'],
  [ATOMIC_FETCH_AND_ADD]: ['rkey', 'range', 'access', 'lkey', 'unaligned'],
};

/** The program of a seed. */
export function generate(seed: number): Program {
  return new Generator(seed).program();
}

class Generator {
  readonly #seed: number;
  readonly #prng: Xoshiro128;

  constructor(seed: number) {
    this.#seed = seed;
    this.#prng = new Xoshiro128(seed);
  }

  program(): Program {
    const devices = this.#between(1, 4);
    const packets = this.#chance(0.85);
    const timeout = this.#between(5, 9);
    const cqs = Array.from({ length: devices * 2 }, (_, n) => this.#cq(n % devices));
    const connections = Array.from({ length: this.#between(1, 4) }, () => this.#connection(devices, timeout));
    const lists = connections.map((plan, index) => this.#rounds(plan, index));
    const steps = this.#merge(lists);
    if (packets && devices > 1 && this.#chance(0.2)) {
      const lastsNs = this.#chance(0.5) ? timeoutNs(timeout) * 2 : timeoutNs(timeout) * 40;
      const cut = { do: 'cut', waitNs: 0, devices: [this.#below(devices)], lastsNs } as const;
      steps.splice(this.#below(steps.length + 1), 0, cut);
    }
    const weather = this.#weather(timeout, packets);
    return { seed: this.#seed, devices, packets, weather, cqs, connections, steps };
  }

  /** `timeout` is the least of all connections. */
  #weather(timeout: number, packets: boolean): Weather {
    const isCalm = !packets || this.#chance(0.15);
    const some = (most: number): number => (!isCalm && this.#chance(0.6) ? this.#below(most * 1000) / 1000 : 0);
    return {
      drop: some(0.1),
      duplicate: some(0.2),
      reorder: some(0.2),
      corrupt: some(0.1),
      delay: packets && this.#chance(0.5) ? this.#below(20) : 0,
      badNs: timeoutNs(timeout) * 3,
      goodNs: timeoutNs(timeout + 1) * 3 + 300_000,
    };
  }

  #cq(device: number): CqPlan {
    return { device, events: this.#pick(['none', 'none', 'next', 'solicited']) };
  }

  #connection(devices: number, timeout: number): ConnectionPlan {
    const ends = [this.#end(devices), this.#end(devices)] as const;
    return {
      transport: this.#chance(0.2) ? 'UC' : 'RC',
      ends,
      mtu: this.#between(1, 5),
      timeout: timeout + this.#below(2),
      retryCnt: this.#pick([7, 7, 7, 6, 1]),
      rnrRetry: this.#pick([7, 7, 7, 7, 2]),
      minRnrTimer: this.#between(1, 12),
      renews: this.#chance(0.3),
    };
  }

  #end(devices: number): EndPlan {
    const device = this.#below(devices);
    const cq = (): number => device + devices * this.#below(2);
    return {
      device,
      sendCq: cq(),
      recvCq: cq(),
      psn: this.#chance(0.5) ? 0xffffff - this.#below(200) : this.#below(0x1000000),
      maxSendWr: this.#between(2, 32),
      maxRecvWr: this.#between(1, 32),
      maxSge: this.#between(1, 5),
      maxInlineData: this.#pick([0, INLINE_BYTES_MAX]),
      maxRdAtomic: this.#pick([1, 2, 4, 16]),
      sqSigAll: this.#chance(0.2),
    };
  }

  /** All steps of a connection, round after round. */
  #rounds(plan: ConnectionPlan, connection: number): Step[] {
    const steps: Step[] = [];
    const rounds = this.#between(1, 3);
    for (let round = 0; round < rounds; round++) {
      const first = steps.length;
      const count = this.#between(1, OPERATIONS_MAX);
      for (let n = 0; n < count; n++) steps.push(this.#operation(plan, connection, round));
      if (!this.#chance(0.35)) continue;
      const at = first + this.#below(count);
      if (plan.transport === 'RC' && this.#chance(0.7)) steps[at] = this.#spoil(steps[at] as Operation, plan);
      else {
        const side = this.#below(2) as Side;
        const how = this.#chance(0.5) ? 'error' : 'destroy';
        steps.splice(at, 0, { do: how, connection, round, side, waitNs: this.#waitNs() });
      }
    }
    return steps;
  }

  #operation(plan: ConnectionPlan, connection: number, round: number): Operation {
    const side = this.#below(2) as Side;
    const end = plan.ends[side];
    const opcode = this.#pick(OPCODES[plan.transport]);
    const isAtomic = opcode === ATOMIC_CMP_AND_SWP || opcode === ATOMIC_FETCH_AND_ADD;
    const length = isAtomic ? 8 : this.#length(128 << plan.mtu);
    const pieces = isAtomic ? [8] : this.#split(length, end.maxSge);
    const takes = opcode === SEND || opcode === SEND_WITH_IMM || opcode === RDMA_WRITE_WITH_IMM;
    const room = opcode === RDMA_WRITE_WITH_IMM ? 0 : length + (this.#chance(0.5) ? this.#below(100) : 0);
    const { maxSge } = plan.ends[1 - side];
    return {
      do: 'post',
      connection,
      round,
      side,
      waitNs: this.#waitNs(),
      opcode,
      pieces,
      inline: opcode < RDMA_READ && length <= end.maxInlineData && this.#chance(0.6),
      signaled: this.#chance(0.6),
      fence: this.#chance(0.15),
      solicited: this.#chance(0.3),
      imm: this.#prng.nextUint32(),
      again: plan.transport === 'RC' && this.#chance(0.3) ? this.#between(1, 4) : 0,
      counter: this.#below(COUNTERS),
      operand: `${this.#prng.nextUint32().toString(16)}${this.#prng.nextUint32().toString(16).padStart(8, '0')}`,
      receive: takes
        ? { pieces: this.#split(room, maxSge), lateNs: this.#chance(0.6) ? -1 : this.#below(200_000) }
        : null,
      mistake: null,
    };
  }

  /** Gives an operation a mistake. Empty messages have none to make: their keys are not looked at. */
  #spoil(operation: Operation, plan: ConnectionPlan): Operation {
    const mistake = this.#pick(MISTAKES[operation.opcode]);
    const isEmpty = lengthOf(operation.pieces) === 0;
    const pieces = isEmpty ? [INLINE_BYTES_MAX] : operation.pieces;
    const inline = operation.inline && !isEmpty && mistake !== 'lkey';
    const spoiled = { ...operation, mistake, pieces, inline, again: 0 };
    const { receive } = operation;
    if (receive === null || operation.opcode === RDMA_WRITE_WITH_IMM) return spoiled;
    const length = lengthOf(pieces);
    const room = mistake === 'short' ? this.#below(length) : length;
    return { ...spoiled, receive: { ...receive, pieces: this.#split(room, plan.ends[1 - operation.side].maxSge) } };
  }

  /** Often at the edges of packets. */
  #length(mtu: number): number {
    const kind = this.#below(20);
    if (kind === 0) return 0;
    if (kind < 7) return this.#between(1, 64);
    if (kind < 11) return Math.min(mtu * this.#between(1, 3) + this.#between(-1, 1), BYTES_MAX);
    if (kind < 17) return this.#between(1, 4096);
    return this.#between(1, BYTES_MAX);
  }

  #split(length: number, piecesMax: number): number[] {
    if (length === 0) return this.#chance(0.5) ? [] : [0];
    const pieces: number[] = [];
    let left = length;
    for (let n = this.#between(1, piecesMax); n > 1 && left > 1; n--) {
      const piece = this.#between(1, left - 1);
      pieces.push(piece);
      left -= piece;
    }
    return [...pieces, left];
  }

  #waitNs(): number {
    return this.#chance(0.6) ? 0 : this.#below(this.#chance(0.2) ? 1_000_000 : 20_000);
  }

  /** One list of all; each keeps its order. */
  #merge(lists: readonly Step[][]): Step[] {
    const queues = lists.map((list) => [...list]);
    const merged: Step[] = [];
    for (let left = queues.filter(({ length }) => length > 0); left.length > 0;) {
      merged.push(this.#pick(left).shift()!);
      left = left.filter(({ length }) => length > 0);
    }
    return merged;
  }

  #below(bound: number): number {
    return this.#prng.nextInt(bound);
  }

  #between(least: number, most: number): number {
    return least + this.#prng.nextInt(most - least + 1);
  }

  #chance(probability: number): boolean {
    return this.#prng.nextFloat() < probability;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)];
  }
}

/** IBTA 9.7.6.1.3. */
function timeoutNs(code: number): number {
  return 4096 * 2 ** code;
}
