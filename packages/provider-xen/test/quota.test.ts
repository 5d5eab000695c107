import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { QUOTAS } from '../src/index.ts';

const README = new URL('../../README.md', import.meta.url);

describe('the quotas of a guest', () => {
  it('are those of the README', () => {
    const rows = readFileSync(README, 'utf8').matchAll(/^\| `(\w+)` +\| [^|]+ \| (\d+) +\|$/gm);
    const told = Object.fromEntries([...rows].map(([, kind, limit]) => [kind, Number(limit)]));
    expect(told).to.deep.equal(QUOTAS);
  });
});
