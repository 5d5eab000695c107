import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { applyEdits, parse, readMutations, ROOT } from './mutation.ts';

const MUTATIONS_MIN = 20;
/** Mutations of each part of the device, at least; a part is all files that end so. */
const PARTS_MIN = { requester: 5, responder: 5, completer: 5, tpt: 3 };
const PATCH = [
  'It is broken.',
  'Missed because: it looks right.',
  'Caught by: simulation seeds 1-20',
  '--- a/x.ts',
  '+++ b/x.ts',
  '@@ -1,2 +1,2 @@',
  ' a',
  '-b',
  '+c',
  '',
].join('\n');

describe('the mutations', () => {
  const mutations = readMutations();

  it('are many, and of all parts of the device', () => {
    expect(mutations.length).to.be.at.least(MUTATIONS_MIN);
    for (const [part, least] of Object.entries(PARTS_MIN)) {
      const own = mutations.filter(({ file }) => path.basename(file, '.ts').endsWith(part));
      expect(own.length, part).to.be.at.least(least);
    }
  });

  for (const mutation of mutations) {
    it(`${mutation.name} still applies, and what notices it is there`, () => {
      const { file, caughtBy } = mutation;
      const text = readFileSync(path.join(ROOT, file), 'utf8');
      expect(applyEdits(mutation, text)).not.to.equal(text);
      if (caughtBy.kind === 'test') expect(existsSync(path.join(ROOT, caughtBy.file)), caughtBy.file).to.equal(true);
      else expect(caughtBy.last).to.be.at.least(caughtBy.first);
    });
  }

  it('have lines in front that say what, why and who', () => {
    const { what, missedBecause, caughtBy, file } = parse('it', PATCH);
    expect([what, missedBecause, file]).to.deep.equal(['It is broken.', 'it looks right.', 'x.ts']);
    expect(caughtBy).to.deep.equal({ kind: 'seeds', first: 1, last: 20 });
    const inTest = parse('it', PATCH.replace('simulation seeds 1-20', 'packages/hca/test/tpt.test.ts'));
    expect(inTest.caughtBy).to.deep.equal({ kind: 'test', file: 'packages/hca/test/tpt.test.ts' });
    expect(() => parse('it', PATCH.replace('Missed because', 'Because'))).to.throw(
      "it: what it breaks, 'Missed because",
    );
    expect(() => parse('it', PATCH.replace('simulation seeds 1-20', 'luck'))).to.throw("it: 'luck' is neither");
    expect(() => parse('it', `${PATCH}--- a/y.ts\n+++ b/y.ts\n@@ -1 +1 @@\n-b\n+c\n`)).to.throw('more files than one');
  });

  it('are refused when their place is gone, or there twice', () => {
    const mutation = parse('it', PATCH);
    expect(applyEdits(mutation, '0\na\nb\n')).to.equal('0\na\nc\n');
    expect(applyEdits(mutation, 'a\nb\n1\n')).to.equal('a\nc\n1\n');
    expect(() => applyEdits(mutation, 'a\nbb\n')).to.throw('it no longer applies: x.ts has no such lines');
    expect(() => applyEdits(mutation, 'a\nb\na\nb\n')).to.throw('these lines twice');
  });
});
