/**
 * Finds the checks of a source:
 *
 * - the condition of an `if`, one branch of which leaves (throw, return, continue, break);
 * - each operand of `||` and of `&&`;
 * - calls of what is named `check…`, `require…`, `validate…`, `verify…`, `assert…` or `expect…`;
 * - each bound of `Math.min` and `Math.max`.
 */
import ts from 'typescript';
import type { Check, CheckKind } from './check.ts';

const CHECKING = /^#?(?:check|require|validate|verify|assert|expect)(?![a-z])/;
/** What removes a bound is the bound that never binds. */
const UNBOUNDED = new Map([
  ['Math.min', 'Infinity'],
  ['Math.max', '-Infinity'],
]);

/** A check and the nodes that it was found by. */
interface Found {
  readonly kind: CheckKind;
  readonly node: ts.Node;
  readonly whole: ts.Node;
  readonly removed: string;
}

/** All checks of a source, in the order in which they begin; of two that begin together, the longer one first. */
export function findChecks(file: string, source: string): Check[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    found.push(...guardsOf(node), ...operandsOf(node), ...callsOf(node), ...boundsOf(node));
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const checks = found.map(({ kind, node, whole, removed }) => ({
    file,
    line: tree.getLineAndCharacterOfPosition(node.getStart()).line + 1,
    fn: functionAround(node),
    kind,
    text: inOneLine(node),
    whole: inOneLine(whole),
    removed,
    start: node.getStart(),
    end: node.end,
  }));
  return checks.sort((a, b) => a.start - b.start || b.end - a.end);
}

function guardsOf(node: ts.Node): Found[] {
  if (!ts.isIfStatement(node)) return [];
  const guard = (removed: string): Found[] => [{ kind: 'guard', node: node.expression, whole: node, removed }];
  if (leaves(node.thenStatement)) return guard('false');
  return node.elseStatement !== undefined && leaves(node.elseStatement) ? guard('true') : [];
}

function leaves(statement: ts.Statement): boolean {
  if (ts.isBlock(statement)) return statement.statements.length > 0 && leaves(statement.statements.at(-1)!);
  return (
    ts.isThrowStatement(statement) ||
    ts.isReturnStatement(statement) ||
    ts.isContinueStatement(statement) ||
    ts.isBreakStatement(statement)
  );
}

/** `a || b || c` has three, of one whole. */
function operandsOf(node: ts.Node): Found[] {
  const operator = logicalOperator(node);
  if (operator === undefined) return [];
  const whole = wholeCondition(node);
  const removed = operator === ts.SyntaxKind.BarBarToken ? 'false' : 'true';
  const { left, right } = node as ts.BinaryExpression;
  const operands = [left, right].filter((side) => logicalOperator(unwrap(side)) !== operator);
  return operands.map((operand) => ({ kind: 'operand', node: operand, whole, removed }));
}

function logicalOperator(node: ts.Node): ts.SyntaxKind | undefined {
  if (!ts.isBinaryExpression(node)) return undefined;
  const { kind } = node.operatorToken;
  return kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.AmpersandAmpersandToken ? kind : undefined;
}

function unwrap(node: ts.Node): ts.Node {
  return ts.isParenthesizedExpression(node) ? unwrap(node.expression) : node;
}

function wholeCondition(node: ts.Node): ts.Node {
  const { parent } = node;
  return logicalOperator(parent) !== undefined || ts.isParenthesizedExpression(parent) ? wholeCondition(parent) : node;
}

/** A statement is left out; an expression is taken for one that gives back what it checks, its first argument. */
function callsOf(node: ts.Node): Found[] {
  if (!ts.isCallExpression(node) || !CHECKING.test(calledName(node))) return [];
  const waited = ts.isAwaitExpression(node.parent) ? node.parent : node;
  if (ts.isExpressionStatement(waited.parent)) return [{ kind: 'call', node, whole: node, removed: 'undefined' }];
  if (node.arguments.length === 0) return [];
  return [{ kind: 'call', node, whole: waited.parent, removed: node.arguments[0].getText() }];
}

function calledName({ expression }: ts.CallExpression): string {
  if (ts.isPropertyAccessExpression(expression)) return expression.name.text;
  return ts.isIdentifier(expression) ? expression.text : '';
}

function boundsOf(node: ts.Node): Found[] {
  if (!ts.isCallExpression(node)) return [];
  const removed = UNBOUNDED.get(node.expression.getText());
  if (removed === undefined || node.arguments.length < 2) return [];
  const bounds = node.arguments.filter((argument) => !ts.isSpreadElement(argument));
  return bounds.map((bound) => ({ kind: 'bound', node: bound, whole: node, removed }));
}

/** `Quota.take`, or `list.draw`: all that has a name around it, from the outside. */
function functionAround(node: ts.Node): string {
  const names: string[] = [];
  for (let around = node.parent; around !== undefined; around = around.parent) {
    const name = nameOf(around);
    if (name !== undefined) names.unshift(name);
  }
  return names.join('.');
}

function nameOf(node: ts.Node): string | undefined {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (ts.isFunctionLike(node) || ts.isClassDeclaration(node)) return node.name?.getText();
  if (!ts.isVariableDeclaration(node) && !ts.isPropertyAssignment(node) && !ts.isPropertyDeclaration(node))
    return undefined;
  const { initializer } = node;
  const isAround =
    initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isObjectLiteralExpression(initializer));
  return isAround ? node.name.getText() : undefined;
}

function inOneLine(node: ts.Node): string {
  return node.getText().replace(/\s+/g, ' ');
}
