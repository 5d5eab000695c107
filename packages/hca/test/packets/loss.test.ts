import { expect } from 'chai';
import { Xoshiro128 } from '@openverbs/machine';
import type { Faults } from '@openverbs/netdev';
import { QpcState } from '../../src/layout.ts';
import { Opcode } from '../../src/opcode.ts';
import type { Cqe } from '../support/test-cq.ts';
import { Testbed } from '../support/testbed.ts';

const OPERATIONS = 40;
const SLOT_BYTES = 8192;
const FAULTS: Partial<Faults>[] = [
  { drop: 0.1 },
  { duplicate: 0.3 },
  { reorder: 0.3 },
  { corrupt: 0.1 },
  { drop: 0.05, duplicate: 0.1, reorder: 0.1, corrupt: 0.05, delay: 5 },
];

const OPCODES = [0, 1, 2, 3, 4, 5, 6, Opcode.FLUSH, Opcode.ATOMIC_WRITE];

function isAtomic(opcode: number): boolean {
  return opcode === Opcode.ATOMIC_CMP_AND_SWP || opcode === Opcode.ATOMIC_FETCH_AND_ADD;
}

/** One operation of each slot, its opcode drawn; what it must come to is known beforehand. */
function run(seed: number, faults: Partial<Faults>): Testbed {
  const prng = new Xoshiro128(seed);
  const bed = Testbed.withPackets({ seed, ...faults });
  const [a, b] = bed.pair({ sqLog2Count: 6, rqLog2Count: 6, sendCq: bed.cq(7), recvCq: bed.cq(7) });
  const here = bed.region(OPERATIONS * SLOT_BYTES);
  const there = bed.region(OPERATIONS * SLOT_BYTES);
  here.fill(1);
  there.fill(2);
  const expectedHere = here.read();
  const expectedThere = there.read();
  const opcodes: number[] = [];
  const received: number[] = [];
  let counter = new DataView(expectedThere.buffer).getBigUint64(0, true);
  for (let n = 1; n < OPERATIONS; n++) {
    const opcode = OPCODES[prng.nextInt(OPCODES.length)];
    const size = opcode >= Opcode.ATOMIC_CMP_AND_SWP ? 8 : prng.nextInt(SLOT_BYTES + 1);
    const at = n * SLOT_BYTES;
    opcodes.push(opcode);
    const sges = opcode === Opcode.FLUSH ? [] : [here.sge(at, size)];
    if (opcode === Opcode.SEND || opcode === Opcode.SEND_WITH_IMM) b.recv([there.sge(at, SLOT_BYTES)]);
    if (opcode === Opcode.RDMA_WRITE_WITH_IMM) b.recv([]);
    if (opcode !== Opcode.RDMA_WRITE && opcode < Opcode.RDMA_READ) received.push(opcode);
    if (opcode < Opcode.RDMA_READ) expectedThere.set(expectedHere.subarray(at, at + size), at);
    else if (opcode === Opcode.RDMA_READ) expectedHere.set(expectedThere.subarray(at, at + size), at);
    else if (opcode === Opcode.ATOMIC_WRITE) counter = new DataView(expectedHere.buffer).getBigUint64(at, true);
    else if (opcode !== Opcode.FLUSH) {
      new DataView(expectedHere.buffer).setBigUint64(at, counter, true);
      counter = opcode === Opcode.ATOMIC_FETCH_AND_ADD ? BigInt.asUintN(64, counter + 3n) : BigInt(n);
    }
    const compareAdd =
      opcode === Opcode.ATOMIC_FETCH_AND_ADD ? 3n : new DataView(expectedHere.buffer).getBigUint64(at, true);
    const remote = opcode >= Opcode.ATOMIC_CMP_AND_SWP ? there.at() : there.at(at);
    const operands = isAtomic(opcode) ? { compareAdd, swap: BigInt(n) } : {};
    a.send({ opcode, sges, ...remote, imm: opcode === Opcode.FLUSH ? 1 : n, ...operands });
  }
  new DataView(expectedThere.buffer).setBigUint64(0, counter, true);
  const cqes: Cqe[] = [];
  const recvCqes: Cqe[] = [];
  for (let turn = 0; turn < 2000 && cqes.length < opcodes.length; turn++) {
    bed.advance(1e6);
    cqes.push(...a.sendCq.poll());
    recvCqes.push(...b.recvCq.poll());
  }
  bed.advance(1e9);
  cqes.push(...a.sendCq.poll());
  recvCqes.push(...b.recvCq.poll());
  expect(cqes.map(({ syndrome, index }) => [syndrome, index])).to.deep.equal(opcodes.map((_, n) => [0, n]));
  expect(recvCqes.map(({ syndrome, index }) => [syndrome, index])).to.deep.equal(received.map((_, n) => [0, n]));
  expect(Buffer.compare(here.read(), expectedHere), 'memory of the requester').to.equal(0);
  expect(Buffer.compare(there.read(), expectedThere), 'memory of the responder').to.equal(0);
  expect([a.state, b.state]).to.deep.equal([QpcState.RTS, QpcState.RTS]);
  expect(bed.engine.faults!.frames.count, 'frames under way').to.equal(0);
  return bed;
}

describe('reliable connections on a bad network', () => {
  for (const faults of FAULTS) {
    it(`do everything once and in order with ${JSON.stringify(faults)}`, () => {
      const totals: Record<string, number> = {};
      for (let seed = 1; seed <= 4; seed++) {
        const bed = run(seed, faults);
        for (const [name, count] of Object.entries(bed.engine.counters.read(bed.hca.header, 1)))
          totals[name] = (totals[name] ?? 0) + count;
      }
      expect(totals['sent_pkts']).to.be.above(0);
      if (faults.drop !== undefined || faults.corrupt !== undefined)
        expect(totals['retransmitted_pkts']).to.be.above(0);
    });
  }

  it('are the same each time under one seed', () => {
    const faults = FAULTS.at(-1)!;
    const trace = (): unknown => {
      const bed = run(4711, faults);
      return [bed.clock.nowNs(), bed.engine.faults!.counters, bed.engine.counters.read(bed.hca.header, 1)];
    };
    expect(trace()).to.deep.equal(trace());
  });
});
