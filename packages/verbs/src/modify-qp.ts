/** Checks what a modify asks for, and explains what is wrong with it. */
import { checkFlags } from './check.ts';
import type { QpAttr, QpAttrInit } from './attributes/qp.ts';
import type { Context } from './context.ts';
import { namedBits } from './enums/named-bits.ts';
import { QpAttrMask, qpStateStr, qpTypeStr } from './enums/qp.ts';
import { invalid, VerbsError } from './errors.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { maskOfQpAttr, namesOfQpAttrMask, QP_ATTR_RULES, type QpAttrScope } from './qp-attr-rules.ts';
import { qpModifyFault, qpStatesAfter } from './qp-state-table.ts';

const VERB = 'ibv_modify_qp';
/** The state of a drain is told, and not set; an attribute that a query gave may be handed back. */
const ATTR_KEYS = literalKeys(
  Object.fromEntries([...QP_ATTR_RULES.map(({ key }) => key), 'sqDraining'].map((key) => [key, true])),
);
const MASK_KNOWN = namedBits(QpAttrMask);

/** A QP, as far as a check of its modify needs it. */
export interface QpToModify {
  readonly context: Context;
  readonly label: string;
  readonly qpType: number;
  /** The state that it is in. */
  readonly state: number;
  /** The port that it is on. */
  readonly portNum: number;
}

/** A modify that was found right. */
export interface CheckedModify {
  /** Complete, and without what the mask leaves out. */
  readonly attr: QpAttr;
  readonly mask: number;
  readonly to: number;
}

/** Throws EINVAL with `details` of `from`, `to`, `missing`, `superfluous` and `invalid` attributes. */
export function checkModify(qp: QpToModify, attr: QpAttrInit, onlyMask?: number): CheckedModify {
  checkLiteral(VERB, 'attr', attr, ATTR_KEYS);
  if (onlyMask !== undefined) checkFlags(VERB, 'mask', onlyMask, QpAttrMask, MASK_KNOWN);
  const given = maskOfQpAttr(attr);
  const mask = onlyMask ?? given;
  const from = (mask & QpAttrMask.CUR_STATE) !== 0 ? (attr.curQpState ?? qp.state) : qp.state;
  const to = (mask & QpAttrMask.STATE) !== 0 ? (attr.qpState ?? from) : from;
  const fault = qpModifyFault(qp.qpType, from, to, mask);
  if (fault !== undefined) {
    const missing = namesOfQpAttrMask(fault.missing);
    throw refusal(qp, from, to, fault.possible, missing, namesOfQpAttrMask(fault.superfluous));
  }
  // A mask of the caller's own may name what it does not give. An alternate path is four attributes in one.
  const missing = QP_ATTR_RULES.filter((rule) => (mask & rule.mask) !== 0 && attr[rule.key] === undefined);
  if (missing.length > 0) {
    const keys = missing.map((rule) => rule.key);
    throw refusal(qp, from, to, true, keys, []);
  }
  return { attr: checkValues(qp, attr, mask, from, to), mask, to };
}

function checkValues(qp: QpToModify, attr: QpAttrInit, mask: number, from: number, to: number): QpAttr {
  const { portNum = qp.portNum, altPortNum = portNum } = attr;
  const scope: QpAttrScope = { verb: VERB, context: qp.context, portNum, altPortNum };
  const checked: Record<string, unknown> = {};
  for (const { key, mask: bit, check } of rulesInOrder()) {
    if ((mask & bit) === 0) continue;
    const value = attr[key];
    try {
      checked[key] = check(scope, key, value as never) ?? value;
    } catch (error) {
      if (!VerbsError.is(error)) throw error;
      const { hint, details } = error;
      const message = error.message.replace(`${VERB}: `, '');
      const where = { from: qpStateStr(from), to: qpStateStr(to), missing: [], superfluous: [], invalid: [key] };
      throw invalid(VERB, `${qp.label}: ${message}`, hint, { ...where, ...details });
    }
  }
  return checked;
}

/** Ports first: other rules look at the port that was given. */
function rulesInOrder(): typeof QP_ATTR_RULES {
  const isPort = (key: string): boolean => key === 'portNum' || key === 'altPortNum';
  return [...QP_ATTR_RULES.filter(({ key }) => isPort(key)), ...QP_ATTR_RULES.filter(({ key }) => !isPort(key))];
}

function refusal(
  qp: QpToModify,
  from: number,
  to: number,
  possible: boolean,
  missing: readonly string[],
  superfluous: readonly string[],
): VerbsError {
  const [fromName, toName] = [qpStateStr(from), qpStateStr(to)];
  const details = { from: fromName, to: toName, missing, superfluous, invalid: [] };
  const what = `${qp.label} (${qpTypeStr(qp.qpType)}) from ${fromName} to ${toName}`;
  if (!possible) {
    const next = qpStatesAfter(from).map(qpStateStr).join(', ');
    return invalid(VERB, `${what} is not a transition`, `from ${fromName} it goes to ${next}`, details);
  }
  const needs = missing.length > 0 ? ` needs ${missing.join(', ')}` : '';
  const rejects = superfluous.length > 0 ? ` can't take ${superfluous.join(', ')}` : '';
  const both = needs !== '' && rejects !== '' ? ' and' : '';
  return invalid(VERB, `${what}${needs}${both}${rejects}`, '', details);
}
