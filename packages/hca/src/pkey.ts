/**
 * P_Keys: who may talk to whom (IBTA 10.9).
 *
 * A QP context holds its P_Key together with its transport service in one word, so that one comparison is enough where two full
 * members of a partition use the same service: {@link Qpc.SERVICE_PKEY} has the P_Key in its low 16 bits, the service above, and
 * full membership a second time as its sign.
 */
import { QpcType } from './layout.ts';

/** The P_Key of the default partition, full member (IBTA 10.9.1.2). */
export const PKEY_DEFAULT = 0xffff;

const MEMBERSHIP = 0x8000;
const PARTITION_MASK = 0x7fff;
const SERVICE_MASK = 0xff0000;

/** What a packet's opcode says of its service, by `ibv_qp_type`. */
const SERVICE: Readonly<Record<number, number>> = {
  [QpcType.RC]: 0x010000,
  [QpcType.UC]: 0x020000,
  [QpcType.UD]: 0x030000,
  [QpcType.XRC_SEND]: 0x040000,
  [QpcType.XRC_RECV]: 0x040000,
};

/** A P_Key and the service of a QP type, as {@link Qpc.SERVICE_PKEY}. */
export function servicePkey(type: number, pkey: number): number {
  return (pkey & 0xffff) | (SERVICE[type] ?? type << 16) | ((pkey & MEMBERSHIP) !== 0 ? 1 << 31 : 0);
}

/** Whether two of {@link Qpc.SERVICE_PKEY} are of one service. */
export function isSameService(a: number, b: number): boolean {
  return ((a ^ b) & SERVICE_MASK) === 0;
}

/** Whether a P_Key is one of a partition: 0 is none (IBTA 10.9.1.2). */
export function isPartition(pkey: number): boolean {
  return (pkey & PARTITION_MASK) !== 0;
}

/** IBTA 10.9.3: the same partition, which is not 0, and one of the two at least is a full member (Linux rxe_recv.c, pkey_match). */
export function pkeysMatch(a: number, b: number): boolean {
  const partition = a & PARTITION_MASK;
  return partition !== 0 && partition === (b & PARTITION_MASK) && ((a | b) & MEMBERSHIP) !== 0;
}
