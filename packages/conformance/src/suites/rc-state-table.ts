/**
 * The RC part of the QP state table, written down a second time on purpose: the suite must not ask the implementation what is
 * right. Source: Linux, drivers/infiniband/core/verbs.c, `qp_state_table`; InfiniBand specification, 11.2.5.2.
 */
import { MigState, QpState, type QpAttrInit, type QueuePair } from '@openverbs/verbs';
import { initAttr, rtrAttr, rtsAttr } from '../bench/connect.ts';

type AttrName = keyof QpAttrInit;

/** A modify that is allowed: beside the state, what it must and what it may set. */
export interface Transition {
  readonly from: QpState;
  readonly to: QpState;
  readonly required: readonly AttrName[];
  readonly optional: readonly AttrName[];
}

const { RESET, INIT, RTR, RTS, SQD, ERR } = QpState;

/** States that a test can bring an RC QP to. */
export const STATES = [RESET, INIT, RTR, RTS, SQD, ERR] as const;

/**
 * What may be set besides. The alternate path and the migration state are left out: a device without automatic path migration
 * refuses them, whatever the table says.
 */
const RUNNING: readonly AttrName[] = ['curQpState', 'qpAccessFlags', 'minRnrTimer'];
const DRAINED: readonly AttrName[] = [
  'portNum',
  'ahAttr',
  'timeout',
  'retryCnt',
  'rnrRetry',
  'maxRdAtomic',
  'maxDestRdAtomic',
  'qpAccessFlags',
  'pkeyIndex',
  'minRnrTimer',
];

export const transitions: readonly Transition[] = [
  { from: RESET, to: INIT, required: ['pkeyIndex', 'portNum', 'qpAccessFlags'], optional: [] },
  { from: INIT, to: INIT, required: [], optional: ['pkeyIndex', 'portNum', 'qpAccessFlags'] },
  {
    from: INIT,
    to: RTR,
    required: ['ahAttr', 'pathMtu', 'destQpNum', 'rqPsn', 'maxDestRdAtomic', 'minRnrTimer'],
    optional: ['qpAccessFlags', 'pkeyIndex'],
  },
  {
    from: RTR,
    to: RTS,
    required: ['timeout', 'retryCnt', 'rnrRetry', 'sqPsn', 'maxRdAtomic'],
    optional: RUNNING,
  },
  { from: RTS, to: RTS, required: [], optional: RUNNING },
  { from: RTS, to: SQD, required: [], optional: ['enSqdAsyncNotify'] },
  { from: SQD, to: RTS, required: [], optional: RUNNING },
  { from: SQD, to: SQD, required: [], optional: DRAINED },
  ...STATES.map((from) => ({ from, to: RESET, required: [], optional: [] })),
  // RESET to ERR was allowed until Linux 5.x and is not any more, so a device may do either and no test asks.
  ...STATES.filter((from) => from !== RESET).map((from) => ({ from, to: ERR, required: [], optional: [] })),
];

/** Pairs of states that no modify leads along. */
export function illegalPairs(): { from: QpState; to: QpState }[] {
  const pairs = STATES.flatMap((from) => STATES.map((to) => ({ from, to })));
  return pairs.filter(
    ({ from, to }) =>
      !(from === RESET && to === ERR) && !transitions.some((legal) => legal.from === from && legal.to === to),
  );
}

/** A valid value for every attribute, so that only its presence can be wrong. */
export function allAttributes(qp: QueuePair, remote: QueuePair, from: QpState): QpAttrInit {
  const { qpState: _rtr, ...rtr } = rtrAttr(qp, remote);
  const { qpState: _rts, ...rts } = rtsAttr(qp);
  const { qpState: _init, ...init } = initAttr();
  return {
    ...init,
    ...rtr,
    ...rts,
    curQpState: from,
    qkey: 0x1111,
    enSqdAsyncNotify: true,
    pathMigState: MigState.MIGRATED,
    rateLimit: 1,
  };
}

/** A modify along a transition, with the attributes named. */
export function attrFor(transition: Transition, all: QpAttrInit, names: readonly AttrName[]): QpAttrInit {
  const chosen = Object.fromEntries(names.map((name) => [name, all[name]]));
  return { qpState: transition.to, ...chosen };
}
