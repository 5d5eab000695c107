/** Writes a receive WQE. */
import type { Sge } from '../sge.ts';
import { RecvWqe, SGE_WORDS, SgeWords } from './layout.ts';

// Constants of this module: V8 folds them, and does not fold imported ones.
const { SGE_COUNT, SGE } = RecvWqe;
const { ADDR_LO, ADDR_HI, LENGTH, LKEY } = SgeWords;
const WORDS_PER_SGE = SGE_WORDS;
const TWO_32 = 4294967296;

/** Writes the WQE at the word `wqe`, which has room for all SGEs. Small, so that it is inlined. */
export function writeRecvWqe(i32: Int32Array, wqe: number, sgList: readonly Sge[]): void {
  const count = sgList.length;
  i32[wqe + SGE_COUNT] = count;
  for (let i = 0, w = wqe + SGE; i < count; i++, w += WORDS_PER_SGE) {
    const sge = sgList[i];
    const addr = sge.addr;
    i32[w + ADDR_LO] = addr | 0;
    i32[w + ADDR_HI] = addr / TWO_32;
    i32[w + LENGTH] = sge.length | 0;
    i32[w + LKEY] = sge.lkey | 0;
  }
}
