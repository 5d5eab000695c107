/** `docs/compatibility.md`, and the table that it is made of. */
import { readFileSync } from 'node:fs';

import { expect } from 'chai';
import { LEFT_OUT, VerbsError } from 'openverbs';
import * as gen2 from 'openverbs/gen2';
import * as kernel from 'openverbs/kernel';

import { KERNEL_VERB_GROUPS } from '../compatibility/kernel-verbs.ts';
import { isExported, renderCompatibility } from '../compatibility/render.ts';
import { VERB_GROUPS } from '../compatibility/verbs.ts';

const names = VERB_GROUPS.flatMap(({ verbs }) => verbs.map(([name]) => name));

describe('the table of compatibility', () => {
  it('names each verb of libibverbs once', () => {
    expect(new Set(names).size).to.equal(names.length);
    expect(names).to.have.length(177);
  });

  it('has a function for each of them', () => {
    expect(names.filter((name) => !isExported(name))).to.deep.equal([]);
  });

  it('names every function that gen2 exports', () => {
    // WorkCompletion is no verb: it makes what ibv_poll_cq fills.
    const exported = Object.keys(gen2).filter((name) => isExported(name) && name !== 'WorkCompletion');
    expect(exported.filter((name) => !names.includes(name))).to.deep.equal([]);
  });

  it('names every function that kernel exports, and no other', () => {
    // What functions fill and throw are no functions.
    const classes: readonly unknown[] = [VerbsError, kernel.WorkCompletion];
    const exported = Object.entries(kernel).filter(
      ([, value]) => typeof value === 'function' && !classes.includes(value),
    );
    const kernelNames = KERNEL_VERB_GROUPS.flatMap(({ verbs }) => verbs.map(([name]) => name));
    expect(kernelNames.toSorted()).to.deep.equal(exported.map(([name]) => name).sort());
  });

  it('is what docs/compatibility.md shows', () => {
    const page = readFileSync(new URL('../../compatibility.md', import.meta.url), 'utf8');
    expect(page, 'npm run compatibility writes it anew').to.equal(renderCompatibility());
  });

  for (const { what, verbs } of Object.values(LEFT_OUT)) {
    it(`has every verb of ${what}, refused with a hint`, () => {
      for (const name of verbs) {
        const verb = (gen2 as Readonly<Record<string, unknown>>)[name] as () => unknown;
        let caught: unknown;
        try {
          verb();
        } catch (error) {
          caught = error;
        }
        expect(VerbsError.is(caught), name).to.equal(true);
        const { code, verb: inVerb, hint } = caught as VerbsError;
        expect([code, inVerb], name).to.deep.equal(['EOPNOTSUPP', name]);
        expect(hint, name).to.not.equal('');
      }
    });
  }
});
