/** What each opcode of a send WQE is: a table, by `ibv_wr_opcode` (source: libibverbs/verbs.h). */

import { QpcType } from './layout.ts';

/** Opcodes of send WQEs. */
export const Opcode = {
  RDMA_WRITE: 0,
  RDMA_WRITE_WITH_IMM: 1,
  SEND: 2,
  SEND_WITH_IMM: 3,
  RDMA_READ: 4,
  ATOMIC_CMP_AND_SWP: 5,
  ATOMIC_FETCH_AND_ADD: 6,
  LOCAL_INV: 7,
  BIND_MW: 8,
  SEND_WITH_INV: 9,
  FLUSH: 14,
  ATOMIC_WRITE: 15,
} as const;

/**
 * Opcodes that a send queue executes, as a bit mask, by `ibv_qp_type` (source: Linux rxe_opcode.c, rxe_wr_opcode_info).
 *
 * XRC, which rxe lacks: `ibv_wr_post`(3) names FLUSH. That page knows ATOMIC_WRITE of no type; it is of the same annex as FLUSH (IBTA A19), so
 * XRC takes it as RC does. Windows not, though the page names them: one of type 2B is of the QP that bound it, and of the two halves of XRC the
 * one that binds receives nothing.
 */
export const SEND_OPCODES: Readonly<Record<number, number>> = {
  [QpcType.RC]: 0b1100_0011_1111_1111,
  [QpcType.UC]: 0b01_1000_1111,
  [QpcType.UD]: 0b00_0000_1100,
  [QpcType.XRC_SEND]: 0b1100_0000_0111_1111,
  [QpcType.XRC_RECV]: 0,
};

/** Whether a send queue that executes `opcodes`, a bit mask, executes this one. */
export function executes(opcodes: number, opcode: number): boolean {
  return opcode >>> 0 <= 31 && ((opcodes >>> opcode) & 1) !== 0;
}

/** `ibv_wc_opcode` of each. */
export const WC_OPCODE: Readonly<Uint8Array> = Uint8Array.of(1, 1, 0, 0, 2, 3, 4, 6, 5, 0, 0, 0, 0, 0, 8, 9);

/** `IBV_WC_SEND`, of every kind of SEND. */
export const WC_SEND = 0;

/** `ibv_wc_opcode` on the receiving side. */
export const WC_RECV = 128;
export const WC_RECV_RDMA_WITH_IMM = 129;

/** `ibv_wc_flags`. */
export const WC_GRH = 1;
export const WC_WITH_IMM = 2;
export const WC_WITH_INV = 8;

/** `ibv_send_flags`. */
export const SendFlag = { FENCE: 1, SIGNALED: 2, SOLICITED: 4, INLINE: 8 } as const;

/** `ibv_access_flags`. */
export const Access = {
  LOCAL_WRITE: 1,
  REMOTE_WRITE: 2,
  REMOTE_READ: 4,
  REMOTE_ATOMIC: 8,
  MW_BIND: 16,
  ZERO_BASED: 32,
  FLUSH_GLOBAL: 256,
  FLUSH_PERSISTENT: 512,
} as const;

/** `ibv_placement_type`: what a FLUSH asks for, as bits, and the right that each needs (IBTA annex A19). */
export const Placement = { GLOBAL: 1, PERSISTENT: 2 } as const;
/** `ibv_selectivity_level`: whether a FLUSH is for a range, or for all of the region. */
export const Selectivity = { RANGE: 0, MR: 1 } as const;
