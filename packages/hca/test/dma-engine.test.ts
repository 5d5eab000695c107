import { expect } from 'chai';
import { PAGE_BYTES } from '@openverbs/machine';
import { DmaEngine } from '../src/dma-engine.ts';
import { pattern } from './support/region.ts';
import { Testbed } from './support/testbed.ts';

const GiB = 2 ** 30;
/** Longer than a register, a cache line, and what is stored word by word. */
const LENGTH_MAX = 130;
const GUARD = 8;
const GUARD_BYTE = 0xee;

describe('DmaEngine', () => {
  const bed = new Testbed(4 * GiB);
  const { u8 } = bed.machine;
  const dma = new DmaEngine(bed.machine);
  const source = bed.alloc(PAGE_BYTES);
  u8.set(pattern(PAGE_BYTES, 3), source);

  /** Copies, and expects the bytes there, nothing before them and nothing behind them. */
  function check(to: number, from: number, length: number): void {
    u8.fill(GUARD_BYTE, to - GUARD, to + length + GUARD);
    dma.publish(to | 0, from | 0, length);
    const got = u8.slice(to - GUARD, to + length + GUARD);
    const want = new Uint8Array(length + 2 * GUARD).fill(GUARD_BYTE);
    want.set(u8.slice(from, from + length), GUARD);
    if (got.every((byte, n) => byte === want[n])) return;
    expect(got, `${length} bytes from ${from} to ${to}`).to.deep.equal(want);
  }

  it(`copies 1 to ${LENGTH_MAX} bytes at every alignment of both sides`, () => {
    const target = bed.alloc(PAGE_BYTES);
    for (let length = 1; length <= LENGTH_MAX; length++) {
      for (let skew = 0; skew < 64; skew++) check(target + 64 + (skew & 7), source + (skew >> 3), length);
    }
  });

  it('copies where addresses are negative as int32', () => {
    const target = bed.alloc(PAGE_BYTES, 3 * GiB);
    expect(target).to.be.at.least(3 * GiB);
    for (let length = 1; length <= LENGTH_MAX; length++) {
      for (let skew = 0; skew < 16; skew++) check(target + 64 + (skew & 3), source + (skew >> 2), length);
    }
    u8.set(pattern(256, 5), target);
    const low = bed.alloc(PAGE_BYTES);
    for (let length = 1; length <= LENGTH_MAX; length++) check(low + 64, target, length);
  });

  it('copies up to the last byte of a 4 GiB memory', () => {
    const last = bed.alloc(PAGE_BYTES, 4 * GiB - PAGE_BYTES) + PAGE_BYTES;
    expect(last).to.equal(4 * GiB);
    for (const length of [1, 3, 4, 5, 32, 36, 100]) {
      u8.fill(0, last - 128, last);
      dma.publish((last - length) | 0, source | 0, length);
      expect(u8.slice(last - length, last)).to.deep.equal(u8.slice(source, source + length));
      u8.fill(0, last - 128, last);
      u8.set(pattern(length, 9), last - length);
      check(source + 2048, last - length, length);
    }
  });

  it('stores the last word, or byte, after everything before it', () => {
    const target = bed.alloc(PAGE_BYTES);
    const { copy } = bed.machine.dma;
    /** How far the target is written when all but the end was copied. */
    const written: number[] = [];
    let length = 0;
    const watch = (to: number, from: number, bytes: number): void => {
      copy(to, from, bytes);
      written.push(u8.slice(target, target + length).findLastIndex((byte) => byte !== GUARD_BYTE) + 1);
    };
    const machine = Object.create(bed.machine, { dma: { value: { copy: watch } } }) as typeof bed.machine;
    const watched = new DmaEngine(machine);
    for (const [bytes, skew] of [
      [100, 0],
      [101, 0],
      [100, 1],
    ]) {
      length = bytes;
      u8.fill(GUARD_BYTE, target, target + length);
      watched.publish(target, source + skew, length);
      expect(u8.slice(target, target + length)).to.deep.equal(u8.slice(source + skew, source + skew + length));
    }
    expect(written).to.deep.equal([96, 100, 96]);
  });
});
