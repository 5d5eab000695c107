/**
 * Random numbers from a seed, so that a failing run can be repeated.
 *
 * @packageDocumentation
 */
import { MachineError } from './errors.ts';

/** A source of pseudo-random numbers; not for secrets. */
export interface Prng {
  /** 0 to 2^32 - 1. */
  nextUint32(): number;
  /** 0 to `bound - 1`, each equally likely; `bound` is 1 to 2^32. */
  nextInt(bound: number): number;
  /** 0 (included) to 1 (excluded), a multiple of 2^-32. */
  nextFloat(): number;
  /** A generator of its own whose numbers overlap with none of this one's: one for each part that draws in its own order. */
  fork(): Prng;
}

/** The polynomial by which `jump` advances 2^64 steps (Blackman and Vigna, xoshiro128starstar.c). */
const JUMP = [0x8764000b, 0xf542d2d3, 0x6fa035c3, 0x77f2db5b] as const;

/** xoshiro128**: 128 bits of state, a period of 2^128 - 1, a few shifts and multiplications a number. */
export class Xoshiro128 implements Prng {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** @param seed - a safe integer, of which all 53 bits count, or the four words of the state, not all 0 */
  constructor(seed: number | readonly [number, number, number, number]) {
    const [a, b, c, d] = typeof seed === 'number' ? expandSeed(seed) : seed;
    if ((a | b | c | d) === 0) {
      throw new MachineError({ code: 'EINVAL', message: 'the state of a generator must not be all 0' });
    }
    this.a = a | 0;
    this.b = b | 0;
    this.c = c | 0;
    this.d = d | 0;
  }

  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.b, 5), 7), 9);
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = rotateLeft(this.d, 11);
    return result >>> 0;
  }

  nextInt(bound: number): number {
    if (!(bound >= 1 && bound <= 4294967296 && Number.isInteger(bound))) {
      throw new MachineError({ code: 'EINVAL', message: `bound ${bound} is not an integer from 1 to 2^32` });
    }
    // Numbers beyond the last whole multiple would make small results likelier.
    const limit = 4294967296 - (4294967296 % bound);
    let value = this.nextUint32();
    while (value >= limit) value = this.nextUint32();
    return value % bound;
  }

  nextFloat(): number {
    return this.nextUint32() / 4294967296;
  }

  fork(): Xoshiro128 {
    const child = new Xoshiro128([this.a, this.b, this.c, this.d]);
    this.jump();
    return child;
  }

  /** Advances by 2^64 numbers. */
  private jump(): void {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (const word of JUMP) {
      for (let bit = 0; bit < 32; bit++) {
        if ((word >>> bit) & 1) {
          a ^= this.a;
          b ^= this.b;
          c ^= this.c;
          d ^= this.d;
        }
        this.nextUint32();
      }
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Spreads a seed over the state: two words by splitmix32 of its low half, two of its high half. */
function expandSeed(seed: number): [number, number, number, number] {
  if (!Number.isSafeInteger(seed)) {
    throw new MachineError({ code: 'EINVAL', message: `seed ${seed} is not a safe integer` });
  }
  const low = seed | 0;
  const high = Math.floor(seed / 4294967296) ^ 0x5bf03635;
  return [splitmix32(low, 1), splitmix32(low, 2), splitmix32(high, 1), splitmix32(high, 2)];
}

/** The n-th output of splitmix32. For one input no two are alike, so a state is never all 0. */
function splitmix32(seed: number, n: number): number {
  let z = (seed + Math.imul(n, 0x9e3779b9)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
