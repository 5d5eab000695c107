/** Whether the tables of a device agree with each other. */
import { expect } from 'chai';
import type { IndexAllocator } from '@openverbs/machine';
import { Ah, Cqc, EngineHeader, HcaHeader, Mpt, Qpc, Srqc, Waiting, Xrcdc } from '../../src/layout.ts';
import { cqs, cqsOf, hasSrq, mpts, qps, srqs } from '../../src/table-entries.ts';
import type { Testbed } from './testbed.ts';

/** Expects that every entry, count and list of the device's tables is what the others say it is. */
export function audit(bed: Testbed): void {
  expect(bed.machine.lock.ownerIndex, 'holder of the lock').to.equal(0);
  expect(bed.engine.uars.marked, 'doorbells left').to.equal(false);
  auditAllocators(bed);
  auditReferences(bed);
  auditTimers(bed);
}

function auditAllocators(bed: Testbed): void {
  const { i32, hca } = bed;
  const pdTable = i32[hca.header + HcaHeader.PD_TABLE];
  const tables: [name: string, allocator: IndexAllocator, exists: (index: number) => boolean][] = [
    ['QP', hca.qps, (index) => index < 2 || i32[hca.qpTable + index * Qpc.WORDS] !== 0],
    ['CQ', hca.cqs, (index) => i32[hca.cqTable + index * Cqc.WORDS] !== 0],
    ['SRQ', hca.srqs, (index) => i32[hca.srqTable + index * Srqc.WORDS] !== 0],
    ['XRC domain', hca.xrcds, (index) => i32[hca.xrcdTable + index * Xrcdc.WORDS] !== 0],
    ['MPT', hca.mpts, (index) => index === 0 || i32[hca.mptTable + index * Mpt.WORDS] !== 0],
    ['AH', hca.ahs, (index) => i32[hca.ahTable + index * Ah.WORDS] !== 0],
    ['PD', hca.pds, (index) => index === 0 || i32[pdTable + index] !== 0],
  ];
  for (const [name, allocator, exists] of tables) {
    let used = 0;
    for (let index = 0; index < allocator.highWater; index++) {
      expect(allocator.isUsed(index), `${name} ${index} is used`).to.equal(exists(index));
      if (exists(index)) used++;
    }
    expect(allocator.inUse, `${name}s in use`).to.equal(used);
  }
}

function auditReferences(bed: Testbed): void {
  const { i32, hca } = bed;
  const expected = new Map<number, number>();
  const count = (word: number): void => {
    expected.set(word, (expected.get(word) ?? 0) + 1);
  };
  for (const q of qps(i32, hca)) {
    for (const cq of cqsOf(i32, q)) count(cq + Cqc.REFERENCES);
    count(i32[q + Qpc.BUFFER_MPT] + Mpt.PINS);
    if (hasSrq(i32, q)) count(i32[q + Qpc.SRQ] + Srqc.REFERENCES);
  }
  for (const s of srqs(i32, hca)) count(i32[s + Srqc.BUFFER_MPT] + Mpt.PINS);
  for (const s of srqs(i32, hca)) if (i32[s + Srqc.CQ] !== 0) count(i32[s + Srqc.CQ] + Cqc.REFERENCES);
  for (const s of srqs(i32, hca)) {
    const word = s + Srqc.REFERENCES;
    expect(i32[word], 'references of an SRQ').to.equal(expected.get(word) ?? 0);
  }
  for (const c of cqs(i32, hca)) count(i32[c + Cqc.BUFFER_MPT] + Mpt.PINS);
  for (const c of cqs(i32, hca)) {
    const word = c + Cqc.REFERENCES;
    expect(i32[word], 'references of a CQ').to.equal(expected.get(word) ?? 0);
  }
  for (const window of mpts(i32, hca)) if (i32[window + Mpt.REGION] !== 0) count(i32[window + Mpt.REGION] + Mpt.PINS);
  for (const entry of mpts(i32, hca)) {
    const word = entry + Mpt.PINS;
    expect(i32[word], 'pins of a region').to.equal(expected.get(word) ?? 0);
  }
}

function auditTimers(bed: Testbed): void {
  const { i32, hca, engine } = bed;
  const heap = i32[engine.header + EngineHeader.TIMER_QUEUE];
  let running = 0;
  for (const q of qps(i32, hca)) {
    const waits = i32[q + Qpc.WAITING] !== Waiting.NOT;
    const forEver = i32[q + Qpc.WAITING] === Waiting.RESPONSE && i32[q + Qpc.TIMEOUT] === 0;
    const slot = i32[q + Qpc.TIMER_SLOT];
    expect(slot !== 0, 'a queue that waits has a timer').to.equal(waits && !forEver);
    if (slot === 0) continue;
    running++;
    expect(i32[heap + slot - 1], 'QP of a timer').to.equal(q);
  }
  for (const c of cqs(i32, hca)) {
    const slot = i32[c + Cqc.TIMER_SLOT];
    expect(slot !== 0, 'a CQ that holds an event back has a timer').to.equal(i32[c + Cqc.MODERATION_PENDING] !== 0);
    if (slot === 0) continue;
    running++;
    expect(i32[heap + slot - 1], 'CQ of a timer').to.equal(c);
  }
  expect(i32[engine.header + EngineHeader.TIMER_COUNT], 'timers').to.equal(running);
}
