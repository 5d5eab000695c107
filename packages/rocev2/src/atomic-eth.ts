/** AtomicETH: the operands of an atomic (IBTA 9.3.4). The 64-bit fields are not aligned. */
import { load32, store32 } from './big-endian.ts';
import { hex, hex64 } from './hex.ts';
import { Opcode } from './opcodes.ts';
import type { Packet } from './packet.ts';

export const ATOMIC_ETH_BYTES = 28;

const AtomicEth = {
  VA_HI: 0,
  VA_LO: 4,
  RKEY: 8,
  SWAP_HI: 12,
  SWAP_LO: 16,
  COMPARE_HI: 20,
  COMPARE_LO: 24,
} as const;

export function encodeAtomicEth(u8: Uint8Array, at: number, packet: Packet): void {
  store32(u8, at + AtomicEth.VA_HI, packet.vaHi);
  store32(u8, at + AtomicEth.VA_LO, packet.vaLo);
  store32(u8, at + AtomicEth.RKEY, packet.rkey);
  store32(u8, at + AtomicEth.SWAP_HI, packet.swapHi);
  store32(u8, at + AtomicEth.SWAP_LO, packet.swapLo);
  store32(u8, at + AtomicEth.COMPARE_HI, packet.compareHi);
  store32(u8, at + AtomicEth.COMPARE_LO, packet.compareLo);
}

export function decodeAtomicEth(u8: Uint8Array, at: number, packet: Packet): void {
  packet.vaHi = load32(u8, at + AtomicEth.VA_HI);
  packet.vaLo = load32(u8, at + AtomicEth.VA_LO);
  packet.rkey = load32(u8, at + AtomicEth.RKEY);
  packet.swapHi = load32(u8, at + AtomicEth.SWAP_HI);
  packet.swapLo = load32(u8, at + AtomicEth.SWAP_LO);
  packet.compareHi = load32(u8, at + AtomicEth.COMPARE_HI);
  packet.compareLo = load32(u8, at + AtomicEth.COMPARE_LO);
}

export function formatAtomicEth(packet: Packet): string {
  const { opcode, vaHi, vaLo, rkey, swapHi, swapLo, compareHi, compareLo } = packet;
  const target = `va ${hex64(vaHi, vaLo)}, rkey ${hex(rkey)}`;
  if (opcode === Opcode.RC_FETCH_ADD || opcode === Opcode.XRC_FETCH_ADD) {
    return `${target}, add ${hex64(swapHi, swapLo)}`;
  }
  return `${target}, compare ${hex64(compareHi, compareLo)}, swap ${hex64(swapHi, swapLo)}`;
}
