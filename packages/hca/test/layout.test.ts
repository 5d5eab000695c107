import { expect } from 'chai';
import * as layout from '../src/layout.ts';
import * as packetLayout from '../src/packets/layout.ts';

/** Names of sizes, not of places. */
const SIZES = new Set(['WORDS', 'NAME_BYTES', 'ENTRY_WORDS']);

describe('the tables in machine memory', () => {
  it('have a place of its own for each word', () => {
    for (const [table, words] of [...Object.entries(layout), ...Object.entries(packetLayout)]) {
      if (typeof words !== 'object') continue;
      const names = new Map<number, string>();
      for (const [name, place] of Object.entries(words as Record<string, number>)) {
        if (SIZES.has(name)) continue;
        expect(names.get(place), `${table}.${name} is at ${place}, as is`).to.equal(undefined);
        names.set(place, name);
      }
    }
  });
});
