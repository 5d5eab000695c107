import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import ts from 'typescript';
import { findChecks } from './find-checks.ts';
import { addSwitches, instrument, type NumberedCheck } from './instrument.ts';

const SOURCE = `
function take(limit: number, list: number[], count: number): string {
  if (count < 0 || (count > limit && limit > 0)) return 'refused';
  for (const item of list) {
    checkItem(item);
    if (item === 7) continue;
    count = Math.min(count + checkItem(item)!, 9);
  }
  return String(count);
}
function checkItem(item: number): number {
  if (item > 5) throw new Error('too much');
  return item;
}
take(LIMIT, LIST, COUNT);`;

function numbered(source: string): NumberedCheck[] {
  return findChecks('x.ts', source).map((check, id) => ({ ...check, id }));
}

describe('instrumenting checks', () => {
  const checks = numbered(SOURCE);
  const compiled = instrument(SOURCE, checks, './switch.js', { target: ts.ScriptTarget.ES2023 });

  /** What comes out while a check is removed; null for none. */
  function run(removed: string | null, limit: number, list: number[], count: number): string {
    const [, body] = compiled.split("from './switch.js';\n");
    const values = `const LIMIT = ${limit}, LIST = ${JSON.stringify(list)}, COUNT = ${count};\n`;
    const isCheckRemoved = (id: number): boolean => checks[id].text === removed;
    return String(runInNewContext(values + body, { __isCheckRemoved: isCheckRemoved }));
  }

  it('changes nothing while all are in their places', () => {
    expect(run(null, 3, [1, 2], 2)).to.equal('5');
    expect(run(null, 3, [1, 5], 3)).to.equal('9');
    expect(run(null, 3, [1], 4)).to.equal('refused');
    expect(run(null, 3, [1], -1)).to.equal('refused');
    expect(() => run(null, 3, [6], 0)).to.throw('too much');
  });

  it('removes one, and no other', () => {
    expect(run('count < 0', 3, [1], -1)).to.equal('0');
    expect(run('count < 0', 3, [1], 4)).to.equal('refused');
    expect(run('count > limit', 3, [1], 2)).to.equal('refused');
    expect(run('limit > 0', 0, [], 1)).to.equal('refused');
    expect(run('count < 0 || (count > limit && limit > 0)', 3, [1], 4)).to.equal('5');
    expect(run('item > 5', 3, [6], 1)).to.equal('7');
    expect(run('9', 30, [5, 5], 2)).to.equal('12');
    expect(run('count + checkItem(item)!', 3, [1], 2)).to.equal('9');
  });

  it('removes a call where it is a statement, and where its argument is given back', () => {
    const [statement, expression] = checks.filter(({ kind }) => kind === 'call');
    const switched = addSwitches(SOURCE, [statement, expression]);
    expect(switched).to.include(`(__isCheckRemoved(${statement.id}) ? undefined : (checkItem(item)));`);
    expect(switched).to.include(`count + (__isCheckRemoved(${expression.id}) ? item : (checkItem(item)))!`);
  });

  it('nests those that begin or end together', () => {
    const source = 'if (check(a) && b) return;';
    const [guard, operand, call, last] = numbered(source).map(({ text }) => text);
    expect([guard, operand, call, last]).to.deep.equal(['check(a) && b', 'check(a)', 'check(a)', 'b']);
    const removable = (id: number, removed: string, text: string) =>
      `(__isCheckRemoved(${id}) ? ${removed} : (${text}))`;
    const first = removable(1, 'true', removable(2, 'a', 'check(a)'));
    const inner = `${first} && ${removable(3, 'true', 'b')}`;
    expect(addSwitches(source, numbered(source))).to.equal(`if (${removable(0, 'false', inner)}) return;`);
  });
});
