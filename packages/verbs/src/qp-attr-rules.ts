/** Each attribute of a QP: the bit that stands for it, and what its values may be. One table. */
import type { AhAttr, AhAttrInit, QpAttr, QpAttrInit, QpCap, QpCapInit } from './attributes/qp.ts';
import { checkAhAttr } from './check-ah.ts';
import { checkFlags, checkInteger, show, U32_MAX } from './check.ts';
import type { Context } from './context.ts';
import { AccessFlags } from './enums/access-flags.ts';
import { mtuToBytes } from './enums/mtu.ts';
import { namedBits } from './enums/named-bits.ts';
import { QpAttrMask, QpState } from './enums/qp.ts';
import { invalid } from './errors.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';

const U24_MAX = 0xffffff;
const CAP_KEYS = literalKeys<QpCap>({
  maxSendWr: true,
  maxRecvWr: true,
  maxSendSge: true,
  maxRecvSge: true,
  maxInlineData: true,
});
const ACCESS_KNOWN = namedBits(AccessFlags);

/** What the rules need to know beside the value. */
export interface QpAttrScope {
  readonly verb: string;
  readonly context: Context;
  /** The port that the QP is on, or is about to be on. */
  readonly portNum: number;
  /** The alternate one. */
  readonly altPortNum: number;
}

type Check = (scope: QpAttrScope, what: string, value: never) => unknown;

/** An attribute. `check` throws EINVAL, and may return the value completed. */
export interface QpAttrRule {
  readonly key: keyof QpAttr;
  readonly mask: number;
  readonly check: Check;
}

/** An integer from `min` to `max`. */
function range(min: number, max: number, limit = ''): Check {
  return ({ verb }, what, value) => checkInteger(verb, what, value, min, max, limit);
}

const psn = range(0, U24_MAX, '24 bits');
const timer = range(0, 31, '5 bits');
const retries = range(0, 7, '3 bits');
const state = range(QpState.RESET, QpState.ERR, 'a QpState');
const port: Check = ({ verb, context }, what, value) =>
  checkInteger(verb, what, value, 1, context.queryDevice().physPortCnt, 'ports of the device');
const pkey =
  (of: 'portNum' | 'altPortNum'): Check =>
  (scope, what, value) => {
    const { pkeyTblLen } = scope.context.queryPort(scope[of]);
    checkInteger(scope.verb, what, value, 0, pkeyTblLen - 1, `pkeyTblLen of port ${scope[of]}`);
  };
const vector =
  (of: 'portNum' | 'altPortNum'): Check =>
  ({ verb, context, [of]: portNum }, what, value: AhAttrInit): AhAttr =>
    checkAhAttr(verb, context, what, { portNum, ...value });

function checkMtu({ verb, context, portNum }: QpAttrScope, what: string, value: number): void {
  checkInteger(verb, what, value, 1, 5, 'an Mtu');
  const { activeMtu } = context.queryPort(portNum);
  if (value <= activeMtu) return;
  const message = `${what} is ${mtuToBytes(value)} bytes; the limit is ${mtuToBytes(activeMtu)}, activeMtu of port ${portNum}`;
  throw invalid(verb, message, '', { what, value, min: 1, max: activeMtu });
}

function checkBoolean({ verb }: QpAttrScope, what: string, value: boolean): void {
  if (typeof value !== 'boolean') throw invalid(verb, `${what} is ${show(value)}, not a boolean`, '', { what, value });
}

/** Fills in what a literal of capacities leaves out, and checks it against the device. */
export function checkCap(verb: string, context: Context, cap: QpCapInit): QpCap {
  checkLiteral(verb, 'cap', cap, CAP_KEYS);
  const { maxQpWr, maxSge } = context.queryDevice();
  const { maxSendWr = 0, maxRecvWr = 0, maxSendSge = 1, maxRecvSge = 1, maxInlineData = 0 } = cap;
  checkInteger(verb, 'cap.maxSendWr', maxSendWr, 0, maxQpWr, 'maxQpWr of the device');
  checkInteger(verb, 'cap.maxRecvWr', maxRecvWr, 0, maxQpWr, 'maxQpWr of the device');
  checkInteger(verb, 'cap.maxSendSge', maxSendSge, 0, maxSge, 'maxSge of the device');
  checkInteger(verb, 'cap.maxRecvSge', maxRecvSge, 0, maxSge, 'maxSge of the device');
  // No attribute tells this limit; the provider does.
  checkInteger(verb, 'cap.maxInlineData', maxInlineData, 0, U32_MAX);
  return { maxSendWr, maxRecvWr, maxSendSge, maxRecvSge, maxInlineData };
}

/** All attributes that a modify can set. */
export const QP_ATTR_RULES: readonly QpAttrRule[] = [
  { key: 'qpState', mask: QpAttrMask.STATE, check: state },
  { key: 'curQpState', mask: QpAttrMask.CUR_STATE, check: state },
  { key: 'enSqdAsyncNotify', mask: QpAttrMask.EN_SQD_ASYNC_NOTIFY, check: checkBoolean },
  {
    key: 'qpAccessFlags',
    mask: QpAttrMask.ACCESS_FLAGS,
    check: ({ verb }, what, value) => checkFlags(verb, what, value, AccessFlags, ACCESS_KNOWN),
  },
  { key: 'pkeyIndex', mask: QpAttrMask.PKEY_INDEX, check: pkey('portNum') },
  { key: 'portNum', mask: QpAttrMask.PORT, check: port },
  { key: 'qkey', mask: QpAttrMask.QKEY, check: range(0, U32_MAX, '32 bits') },
  { key: 'ahAttr', mask: QpAttrMask.AV, check: vector('portNum') },
  { key: 'pathMtu', mask: QpAttrMask.PATH_MTU, check: checkMtu },
  { key: 'timeout', mask: QpAttrMask.TIMEOUT, check: timer },
  { key: 'retryCnt', mask: QpAttrMask.RETRY_CNT, check: retries },
  { key: 'rnrRetry', mask: QpAttrMask.RNR_RETRY, check: retries },
  { key: 'rqPsn', mask: QpAttrMask.RQ_PSN, check: psn },
  {
    key: 'maxRdAtomic',
    mask: QpAttrMask.MAX_QP_RD_ATOMIC,
    check: ({ verb, context }, what, value) =>
      checkInteger(verb, what, value, 0, context.queryDevice().maxQpInitRdAtom, 'maxQpInitRdAtom of the device'),
  },
  { key: 'altPortNum', mask: QpAttrMask.ALT_PATH, check: port },
  { key: 'altAhAttr', mask: QpAttrMask.ALT_PATH, check: vector('altPortNum') },
  { key: 'altPkeyIndex', mask: QpAttrMask.ALT_PATH, check: pkey('altPortNum') },
  { key: 'altTimeout', mask: QpAttrMask.ALT_PATH, check: timer },
  { key: 'minRnrTimer', mask: QpAttrMask.MIN_RNR_TIMER, check: timer },
  { key: 'sqPsn', mask: QpAttrMask.SQ_PSN, check: psn },
  {
    key: 'maxDestRdAtomic',
    mask: QpAttrMask.MAX_DEST_RD_ATOMIC,
    check: ({ verb, context }, what, value) =>
      checkInteger(verb, what, value, 0, context.queryDevice().maxQpRdAtom, 'maxQpRdAtom of the device'),
  },
  { key: 'pathMigState', mask: QpAttrMask.PATH_MIG_STATE, check: range(0, 2, 'a MigState') },
  {
    key: 'cap',
    mask: QpAttrMask.CAP,
    check: ({ verb, context }, _what, value: QpCapInit): QpCap => checkCap(verb, context, value),
  },
  { key: 'destQpNum', mask: QpAttrMask.DEST_QPN, check: range(0, U24_MAX, '24 bits') },
  { key: 'rateLimit', mask: QpAttrMask.RATE_LIMIT, check: range(0, U32_MAX, 'kb/s') },
];

/** The `QpAttrMask` bits of the attributes that are given. */
export function maskOfQpAttr(attr: QpAttrInit): number {
  let mask = 0;
  for (const rule of QP_ATTR_RULES) if (attr[rule.key] !== undefined) mask |= rule.mask;
  return mask;
}

/** Names of the attributes that `mask` stands for. */
export function namesOfQpAttrMask(mask: number): string[] {
  return QP_ATTR_RULES.filter((rule) => (mask & rule.mask) !== 0).map((rule) => rule.key);
}
