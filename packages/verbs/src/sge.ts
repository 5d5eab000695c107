/** Scatter/gather elements. */
import { checkU32, checkU53, show } from './check.ts';
import { invalid } from './errors.ts';
import { DOUBLE } from './words.ts';

/** Anything with the three fields of an {@link Sge}. An `Sge` itself is faster. */
export interface SgeLike {
  /** Verbs address of the first byte. */
  readonly addr: number;
  /** Bytes. */
  readonly length: number;
  /** Local key of the memory region. */
  readonly lkey: number;
}

/**
 * A piece of registered local memory (`struct ibv_sge`). `mr.sge(offset, length)` makes one. Reuse it: the fields may be set
 * again between posts.
 */
export class Sge implements SgeLike {
  /** Verbs address of the first byte, a safe integer. */
  addr = DOUBLE;
  /** Bytes, 0 to 2^32 - 1. */
  length = DOUBLE;
  /** Local key of the memory region, an unsigned 32-bit number. */
  lkey = DOUBLE;

  constructor(addr = 0, length = 0, lkey = 0) {
    this.addr = addr;
    this.length = length;
    this.lkey = lkey;
  }
}

/**
 * Makes `target` equal to `source`, reusing the elements that are there.
 *
 * @internal
 */
export function assignSgList(verb: string, target: Sge[], source: readonly SgeLike[]): void {
  checkSgList(verb, source);
  for (let i = 0; i < source.length; i++) {
    if (typeof source[i] !== 'object' || source[i] === null)
      throw invalid(verb, `sgList[${i}] is ${show(source[i])}, not an SGE`);
    const { addr, length, lkey } = source[i];
    checkU53(verb, 'addr of an SGE', addr);
    checkU32(verb, 'length of an SGE', length);
    checkU32(verb, 'lkey of an SGE', lkey);
    if (i === target.length) target.push(new Sge());
    const sge = target[i];
    sge.addr = addr;
    sge.length = length;
    sge.lkey = lkey;
  }
  target.length = source.length;
}

/**
 * Makes `target` equal to `source` without a look at the fields, which the post checks; reuses the elements that are there.
 *
 * @internal
 */
export function copySgList(target: Sge[], source: readonly SgeLike[]): void {
  checkSgList('', source);
  while (target.length < source.length) target.push(new Sge());
  target.length = source.length;
  for (let i = 0; i < source.length; i++) {
    const sge = target[i];
    sge.addr = source[i].addr;
    sge.length = source[i].length;
    sge.lkey = source[i].lkey;
  }
}

/**
 * Refuses what only looks like an array: it can claim any length.
 *
 * @internal
 */
export function checkSgList(verb: string, source: unknown): void {
  if (!Array.isArray(source)) throw invalid(verb, `sgList is ${show(source)}, not an array`);
}
