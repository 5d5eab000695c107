/** Binds of memory windows, as WQEs. */
import { SendWqe } from '@openverbs/verbs/rings';
import { Access, Opcode } from '../../src/opcode.ts';
import { type Region, split } from './region.ts';
import type { SendSpec } from './test-qp.ts';

const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, MW_BIND } = Access;

/** What a window can give. */
export const ALL = REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC;
/** What a region needs for any window. */
export const BINDABLE = LOCAL_WRITE | ALL | MW_BIND;

/** BIND_MW of a part of a region. `words` come last. */
export function bind(window: number, rkey: number, region: Region, offset = 0, length = 64, access = ALL): SendSpec {
  const [lo, hi] = split(region.start + BigInt(offset));
  return {
    opcode: Opcode.BIND_MW,
    words: {
      [SendWqe.BIND_MW]: window,
      [SendWqe.BIND_RKEY]: rkey,
      [SendWqe.BIND_LKEY]: region.key,
      [SendWqe.BIND_ACCESS]: access,
      [SendWqe.BIND_ADDR_LO]: lo,
      [SendWqe.BIND_ADDR_HI]: hi,
      [SendWqe.BIND_LENGTH_LO]: length,
    },
  };
}
