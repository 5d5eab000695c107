/** FETH: what a FLUSH reaches, and how far (IBTA annex A19). */
import type { Packet } from './packet.ts';

export const FETH_BYTES = 4;

const Feth = { RESERVED: 0, SELECTIVITY_AND_PLACEMENT: 3 } as const;

const SELECTIVITY_SHIFT = 4;
const SELECTIVITY_MASK = 0x3;
const PLACEMENT_MASK = 0xf;

/** `ib_flush_selectivity_level`, by number. */
const SELECTIVITY_NAMES = ['range', 'mr', '2', '3'];
/** `ib_flush_type`, by bit. */
const PLACEMENT_NAMES = ['global visibility', 'persistence'];

export function encodeFeth(u8: Uint8Array, at: number, packet: Packet): void {
  u8[at + Feth.RESERVED] = 0;
  u8[at + Feth.RESERVED + 1] = 0;
  u8[at + Feth.RESERVED + 2] = 0;
  u8[at + Feth.SELECTIVITY_AND_PLACEMENT] =
    ((packet.selectivity & SELECTIVITY_MASK) << SELECTIVITY_SHIFT) | (packet.placement & PLACEMENT_MASK);
}

export function decodeFeth(u8: Uint8Array, at: number, packet: Packet): void {
  const bits = u8[at + Feth.SELECTIVITY_AND_PLACEMENT];
  packet.selectivity = (bits >>> SELECTIVITY_SHIFT) & SELECTIVITY_MASK;
  packet.placement = bits & PLACEMENT_MASK;
}

export function formatFeth(packet: Packet): string {
  const placement = PLACEMENT_NAMES.filter((_, bit) => (packet.placement & (1 << bit)) !== 0);
  return `flush ${SELECTIVITY_NAMES[packet.selectivity]}, ${placement.join(' and ') || 'no placement'}`;
}
