/** `docs/vendor-errors.md`, and what it is made of. */
import { readdirSync, readFileSync } from 'node:fs';

import { expect } from 'chai';
import { VendorErr } from 'openverbs';

import { meaningsOf, renderVendorErrors, sentenceOf } from '../vendor-errors/render.ts';

const ROOT = new URL('../../../', import.meta.url);
/** Where tests have the device fail, on its own and under the verbs. */
const TESTS = ['packages/hca/test', 'packages/provider-xen/test', 'packages/conformance/src/suites'];

const source = readFileSync(new URL('../../../packages/verbs/src/rings/vendor-err.ts', import.meta.url), 'utf8');

describe('the page of vendor errors', () => {
  it('is what docs/vendor-errors.md shows', () => {
    const page = readFileSync(new URL('../../vendor-errors.md', import.meta.url), 'utf8');
    expect(page, 'npm run vendor-errors writes it anew').to.equal(renderVendorErrors());
  });

  it('has a meaning for each number, and a number for one meaning', () => {
    const codes = Object.values(VendorErr);
    expect(new Set(codes).size).to.equal(codes.length);
    const meanings = meaningsOf(source);
    for (const name of Object.keys(VendorErr)) expect(meanings.get(name), name).to.match(/^[A-Z].+\.$/);
  });

  it('has no number that no test has the device say', () => {
    const texts = TESTS.flatMap((directory) =>
      readdirSync(new URL(directory, ROOT), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFileSync(new URL(`${directory}/${name}`, ROOT), 'utf8')),
    );
    const named = new Set(
      texts.flatMap((text) => Array.from(text.matchAll(/\bVendorErr\.(\w+)/g), ([, name]) => name)),
    );
    const untested = Object.keys(VendorErr).filter((name) => name !== 'NONE' && !named.has(name));
    expect(untested).to.deep.equal([]);
  });

  it('has a sentence for each number, and no two are the same', () => {
    const codes = Object.values(VendorErr).filter((code) => code !== VendorErr.NONE);
    const sentences = codes.map((code) => sentenceOf(code));
    for (const sentence of sentences) expect(sentence).to.not.match(/^general error/);
    expect(new Set(sentences).size).to.equal(sentences.length);
  });

  it('has sentences that show the key and the value where the meaning promises them', () => {
    const meanings = meaningsOf(source);
    for (const [name, code] of Object.entries(VendorErr)) {
      const meaning = meanings.get(name)!;
      if (meaning.includes('Key: ')) expect(sentenceOf(code), name).to.include('0x1a07');
      if (/[Vv]alue: /.test(meaning)) expect(sentenceOf(code), name).to.match(/0x1000|4096/);
    }
  });
});
