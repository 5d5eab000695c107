import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { QpAttrMask, QpState } from '../src/enums/qp.ts';
import { flagNames } from '../src/enums/name-of.ts';
import { qpModifyFault, qpStatesAfter, QpTableType, qpTransition } from '../src/qp-state-table.ts';

const SNAPSHOT = new URL('../../test/snapshots/qp-state-table.txt', import.meta.url);
const STATES = Object.entries(QpState).filter(([name]) => name !== 'UNKNOWN');

/** Every transition of every type on a line; types that agree share one. */
function printTable(): string {
  const lines: string[] = [];
  for (const [fromName, from] of STATES) {
    for (const [toName, to] of STATES) {
      const byMasks = new Map<string, string[]>();
      for (const [typeName, type] of Object.entries(QpTableType)) {
        const transition = qpTransition(type, from, to);
        if (transition === undefined) continue;
        const { required, optional } = transition;
        const masks = `required ${flagNames(QpAttrMask, required)}, optional ${flagNames(QpAttrMask, optional)}`;
        byMasks.set(masks, [...(byMasks.get(masks) ?? []), typeName]);
      }
      for (const [masks, types] of byMasks) lines.push(`${fromName} -> ${toName}  ${types.join(' ')}: ${masks}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

describe('QP state table', () => {
  it('is the one of the snapshot', () => {
    expect(printTable()).to.equal(readFileSync(SNAPSHOT, 'utf8'));
  });

  it('is the same for every type as to which transitions there are', () => {
    for (const [, from] of STATES) {
      for (const [, to] of STATES) {
        const there = Object.values(QpTableType).map((type) => qpTransition(type, from, to) !== undefined);
        expect(new Set(there).size, `${from} -> ${to}`).to.equal(1);
      }
    }
  });

  it('never requires what it lists as optional', () => {
    for (const type of Object.values(QpTableType)) {
      for (const [, from] of STATES) {
        for (const [, to] of STATES) {
          const { required, optional } = qpTransition(type, from, to) ?? { required: 0, optional: 0 };
          expect(required & optional).to.equal(0);
        }
      }
    }
  });

  it('lists where a state leads', () => {
    expect(qpStatesAfter(QpState.RESET)).to.deep.equal([QpState.RESET, QpState.INIT]);
    expect(qpStatesAfter(QpState.SQE)).to.deep.equal([QpState.RESET, QpState.RTS, QpState.ERR]);
    expect(qpStatesAfter(QpState.UNKNOWN)).to.deep.equal([]);
  });

  it('finds what is missing and what is superfluous', () => {
    const { STATE, PKEY_INDEX, PORT, ACCESS_FLAGS, QKEY, CUR_STATE } = QpAttrMask;
    const { RESET, INIT, RTR, RTS } = QpState;
    const { RC, UD } = QpTableType;
    expect(qpModifyFault(RC, RESET, INIT, STATE | PKEY_INDEX | PORT | ACCESS_FLAGS)).to.equal(undefined);
    expect(qpModifyFault(RC, RESET, INIT, STATE | PKEY_INDEX | QKEY)).to.deep.equal({
      possible: true,
      missing: PORT | ACCESS_FLAGS,
      superfluous: QKEY,
    });
    expect(qpModifyFault(RC, INIT, RTS, STATE)?.possible).to.equal(false);
    expect(qpModifyFault(UD, RTR, RTS, STATE | QpAttrMask.SQ_PSN | CUR_STATE)).to.equal(undefined);
    expect(qpModifyFault(UD, INIT, RTR, STATE | CUR_STATE)?.superfluous).to.equal(CUR_STATE);
  });
});
