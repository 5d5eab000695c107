/** What the devices claim to do, by transport and opcode, and whether the programs of a run did it. */
import { SEND_OPCODES } from '@openverbs/hca';
import { QpType, WrOpcode } from 'openverbs';
import { isLocal, operates } from './operations.ts';
import type { Totals } from './totals.ts';

const TRANSPORTS: Readonly<Record<string, number>> = {
  RC: QpType.RC,
  UC: QpType.UC,
  UD: QpType.UD,
  XRC: QpType.XRC_SEND,
};

/** Claimed, and not drawn: with the reason. */
export const UNDRAWN: Readonly<Record<string, string>> = {
  'UC BIND_MW':
    'done as on RC, without a packet; what a write through a window leaves when packets are lost is that of any write',
  'UC LOCAL_INV': 'done as on RC, without a packet',
};

/** Programs of which none may be missing anything that is claimed. */
export const PROGRAMS_COVERING = 200;

/** Names of all that is claimed and drawn: `RC SEND`. */
export function claims(): string[] {
  const opcodes = Object.values(WrOpcode).filter((opcode): opcode is WrOpcode => typeof opcode === 'number');
  return Object.entries(TRANSPORTS)
    .flatMap(([transport, type]) =>
      opcodes
        .filter((opcode) => ((SEND_OPCODES[type] >>> opcode) & 1) !== 0)
        .map((opcode) => `${transport} ${operates(opcode).name}`),
    )
    .filter((name) => UNDRAWN[name] === undefined);
}

/** What was claimed and not driven: never posted, or, of what goes over the link, never sent. */
export function undriven({ traffic }: Pick<Totals, 'traffic'>): string[] {
  return claims().filter((name) => {
    const row = traffic[name];
    if (row === undefined || row.operations === 0) return true;
    return row.requests === 0 && !isLocal(opcodeOf(name));
  });
}

function opcodeOf(name: string): WrOpcode {
  const [, opcode] = name.split(' ');
  return WrOpcode[opcode as keyof typeof WrOpcode];
}
