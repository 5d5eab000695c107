/**
 * The states of a UC queue pair. The table stands here a second time on purpose: the suite must not ask the implementation what is
 * right. Source: Linux, drivers/infiniband/core/verbs.c, `qp_state_table`; InfiniBand specification, 11.2.5.2.
 */
import { expect } from 'chai';
import { QpState, QpType, qpStateStr, type QpAttrInit } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import { bringTo, initAttr, rtrAttr, rtsAttr } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { ucPair } from './uc.ts';

type AttrName = keyof QpAttrInit;

const { RESET, INIT, RTR, RTS, SQD, ERR } = QpState;

/** From, to, what has to be set and what may be. Attributes of an alternate path are left out, which a device may lack. */
const transitions: readonly (readonly [QpState, QpState, readonly AttrName[], readonly AttrName[]])[] = [
  [RESET, INIT, ['pkeyIndex', 'portNum', 'qpAccessFlags'], []],
  [INIT, INIT, [], ['pkeyIndex', 'portNum', 'qpAccessFlags']],
  [INIT, RTR, ['ahAttr', 'pathMtu', 'destQpNum', 'rqPsn'], ['qpAccessFlags', 'pkeyIndex']],
  [RTR, RTS, ['sqPsn'], ['curQpState', 'qpAccessFlags']],
  [RTS, RTS, [], ['curQpState', 'qpAccessFlags']],
  [RTS, SQD, [], ['enSqdAsyncNotify']],
  [SQD, RTS, [], ['curQpState', 'qpAccessFlags']],
  [SQD, SQD, [], ['ahAttr', 'qpAccessFlags', 'pkeyIndex']],
  ...[INIT, RTR, RTS, SQD, ERR].flatMap((from) => [[from, RESET, [], []] as const, [from, ERR, [], []] as const]),
];

/** A valid value of every attribute, so that only its presence can be wrong. */
function allAttributes({ qp }: Side, remote: Side, from: QpState): Record<string, unknown> {
  return {
    ...initAttr(),
    ...rtrAttr(qp, remote.qp),
    ...rtsAttr(qp, {}, QpType.RC),
    curQpState: from,
    enSqdAsyncNotify: true,
    qkey: 0x1111,
    maxDestRdAtomic: 1,
    minRnrTimer: 1,
  };
}

export const ucStateSuite = defineSuite('uc-state', ['uc'], (suite) => {
  for (const [from, to, required, optional] of transitions) {
    const name = `${qpStateStr(from)} to ${qpStateStr(to)}`;
    const needs: CapabilityName[] = from === SQD || to === SQD ? ['sqDrain'] : [];
    const modify = (a: Side, b: Side, names: readonly string[]): void => {
      const all = allAttributes(a, b, from);
      a.qp.modify({ ...Object.fromEntries(names.map((key) => [key, all[key]])), qpState: to });
    };
    const start = (a: Side, b: Side): void => {
      a.qp.modify({ qpState: RESET });
      bringTo(from, a.qp, b.qp);
    };

    suite.works(`${name} with what it needs, and with each attribute that it may have`, needs, (bench) => {
      const { a, b } = ucPair(bench, { connected: false });
      for (const extra of [[], ...optional.map((key) => [key])]) {
        start(a, b);
        modify(a, b, [...required, ...extra]);
        expect(a.qp.query().attr.qpState, `with ${extra.join()}`).to.equal(to);
      }
    });

    suite.provokes(`${name} with too little or too much`, needs, (bench) => {
      const { a, b } = ucPair(bench, { connected: false });
      start(a, b);
      const known = [...required, ...optional, 'qpState'] as readonly string[];
      const superfluous = Object.keys(allAttributes(a, b, from)).filter((key) => !known.includes(key));
      const wrong = [
        ...required.map((missing) => ['missing', missing, required.filter((key) => key !== missing)] as const),
        ...superfluous.map((extra) => ['superfluous', extra, [...required, extra]] as const),
      ];
      for (const [what, key, names] of wrong) {
        const error = expectError('EINVAL', () => {
          modify(a, b, names);
        });
        expect(JSON.stringify(error.details?.[what]), `${what} ${key}`).to.contain(key);
        expect(a.qp.query().attr.qpState, 'state').to.equal(from);
      }
    });
  }
});
