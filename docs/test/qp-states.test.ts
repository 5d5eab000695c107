/** `docs/qp-states.md`, and the table that it is made of. */
import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { renderQpStates } from '../qp-states/render.ts';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the page of the states of queue pairs', () => {
  it('is what docs/qp-states.md shows', () => {
    expect(read('docs/qp-states.md'), 'npm run qp-states writes it anew').to.equal(renderQpStates());
  });

  it('has every transition of the table of verbs', () => {
    const snapshot = read('packages/verbs/test/snapshots/qp-state-table.txt');
    const transitions = Array.from(snapshot.matchAll(/^(\w+) -> (\w+) /gm), ([, from, to]) => `${from} ${to}`);
    const shown = Array.from(
      renderQpStates().matchAll(/^\| ([A-Z]+) +\| ([A-Z]+) +\|/gm),
      ([, from, to]) => `${from} ${to}`,
    );
    expect([...new Set(shown)]).to.deep.equal([...new Set(transitions)]);
  });
});
