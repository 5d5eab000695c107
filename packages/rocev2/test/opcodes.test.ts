import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Opcode, OPCODE_INFO, opcodeName, OpcodeFlag, operationOf, Transport, transportOf } from '../src/opcodes.ts';
import { headerBytes } from '../src/transport-headers.ts';

const SNAPSHOT = new URL('../../test/snapshots/opcodes.txt', import.meta.url);

/** All opcodes: number, name, bytes of headers, flags. */
function printTable(): string {
  const lines: string[] = [];
  for (let opcode = 0; opcode < 256; opcode++) {
    const info = OPCODE_INFO[opcode];
    if (info === 0) continue;
    const flags = Object.entries(OpcodeFlag).filter(([name, flag]) => name !== 'VALID' && (info & flag) !== 0);
    const number = opcode.toString(16).padStart(2, '0');
    lines.push(`${number} ${opcodeName(opcode)} (${headerBytes(opcode)}): ${flags.map(([name]) => name).join(' ')}`);
  }
  return `${lines.join('\n')}\n`;
}

describe('opcodes', () => {
  it('are those of the snapshot', () => {
    expect(printTable()).to.equal(readFileSync(SNAPSHOT, 'utf8'));
  });

  it('have a transport, by their top three bits', () => {
    for (const [name, opcode] of Object.entries(Opcode)) {
      const prefix = name.split('_')[0] as keyof typeof Transport;
      expect(transportOf(opcode), name).to.equal(Transport[prefix]);
      expect(transportOf(opcode) | operationOf(opcode), name).to.equal(opcode);
    }
  });

  it('have a name; what is no opcode is called by its number', () => {
    expect(opcodeName(Opcode.RC_RDMA_WRITE_LAST_WITH_IMMEDIATE)).to.equal('RC_RDMA_WRITE_LAST_WITH_IMMEDIATE');
    expect(opcodeName(0x15)).to.equal('0x15');
    expect(opcodeName(0xff)).to.equal('0xff');
  });
});
