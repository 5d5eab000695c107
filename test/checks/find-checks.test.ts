import { expect } from 'chai';
import type { Check } from './check.ts';
import { findChecks } from './find-checks.ts';

/** What each check is and becomes, as `guard a -> false`. */
function found(source: string): string[] {
  return findChecks('x.ts', source).map(({ kind, text, removed }) => `${kind} ${text} -> ${removed}`);
}

describe('finding checks', () => {
  it('takes the condition of an if that leaves, by whichever branch', () => {
    for (const leaving of ['throw e;', 'return;', '{ log(); return 1; }']) {
      expect(found(`function f() { if (a) ${leaving} }`), leaving).to.deep.equal(['guard a -> false']);
      expect(found(`function f() { if (a) b(); else ${leaving} }`), leaving).to.deep.equal(['guard a -> true']);
    }
    expect(found('for (;;) { if (a) continue; if (b) break; }')).to.deep.equal([
      'guard a -> false',
      'guard b -> false',
    ]);
    expect(found('if (a) b(); if (c) { throw e; d(); } if (e) {}')).to.deep.equal([]);
  });

  it('takes each operand of a condition, and leaves the others in force', () => {
    expect(found('x = a || (b || c);')).to.deep.equal(['a', 'b', 'c'].map((text) => `operand ${text} -> false`));
    expect(found('while (a && (b || c)) d();')).to.deep.equal([
      'operand a -> true',
      'operand (b || c) -> true',
      'operand b -> false',
      'operand c -> false',
    ]);
    const [, first] = findChecks('x.ts', 'if (a\n  || b) return;');
    expect([first.text, first.whole, first.line]).to.deep.equal(['a', 'a || b', 1]);
  });

  it('takes calls by their name: a statement goes, and what is given back is the argument', () => {
    expect(found('checkRoom(a, b); this.#requireLife(); await guest.verify(c);')).to.deep.equal([
      'call checkRoom(a, b) -> undefined',
      'call this.#requireLife() -> undefined',
      'call guest.verify(c) -> undefined',
    ]);
    expect(found('x = checkIndex(i + 1, n);')).to.deep.equal(['call checkIndex(i + 1, n) -> i + 1']);
    expect(found('checksum(a); requirements(b); x = expectation(c) + check();')).to.deep.equal([]);
  });

  it('takes each bound of a minimum or a maximum', () => {
    expect(found('Math.min(a, 5); Math.max(0, ...b);')).to.deep.equal([
      'bound a -> Infinity',
      'bound 5 -> Infinity',
      'bound 0 -> -Infinity',
    ]);
    expect(found('Math.max(...a); Math.min(b); Math.abs(c);')).to.deep.equal([]);
  });

  it('says in which function each stands', () => {
    const source = `
      class Guest { take() { const look = () => a && b; } constructor() { check(); } }
      const U32 = { read: (x) => check(x), write(x) { check(x); } };
      function list() { return { draw: () => { check(c); } }; }`;
    const functions = findChecks('x.ts', source).map(({ fn }: Check) => fn);
    expect(functions).to.deep.equal([
      'Guest.take.look',
      'Guest.take.look',
      'Guest.constructor',
      'U32.read',
      'U32.write',
      'list.draw',
    ]);
  });
});
