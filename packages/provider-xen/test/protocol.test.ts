import { expect } from 'chai';
import fc from 'fast-check';
import type { Command } from '../src/protocol/command.ts';
import { Commands } from '../src/protocol/commands.ts';
import { readAll } from '../src/protocol/field.ts';
import { WordReader, WordWriter } from '../src/protocol/words.ts';
import type { Field } from '../src/protocol/field.ts';
import { BULK_WORDS } from '../src/protocol/limits.ts';

const commands = Object.entries(Commands) as [string, Command<unknown, unknown>][];

function drawer(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) ^ (state >>> 16);
}

function written<T>(field: Field<T>, value: T): { words: Int32Array; length: number } {
  const writer = new WordWriter(new Int32Array(BULK_WORDS));
  field.write(writer, value);
  return { words: writer.words, length: writer.length };
}

describe('the protocol of the device channel', () => {
  it('has a number for each command, and no number twice', () => {
    const numbers = commands.map(([, { number }]) => number);
    expect(new Set(numbers).size).to.equal(numbers.length);
  });

  for (const [name, command] of commands) {
    for (const kind of ['request', 'response'] as const) {
      it(`${name}: what a ${kind} says arrives`, () => {
        fc.assert(
          fc.property(fc.nat(), (seed) => {
            const next = drawer(seed);
            const value = command[kind].draw(() => next() >>> 0);
            const { words, length } = written(command[kind], value);
            expect(readAll(command[kind], new WordReader(words, length))).to.deep.equal(value);
          }),
          { numRuns: 50 },
        );
      });

      it(`${name}: a ${kind} that ends too early, or too late, is refused`, () => {
        const next = drawer(7);
        const { words, length } = written(
          command[kind],
          command[kind].draw(() => next() >>> 0),
        );
        for (const other of [length - 1, length + 1]) {
          if (other < 0) continue;
          const read = (): unknown => readAll(command[kind], new WordReader(words, other));
          // A shorter list may be a whole message by itself, but never one with what was cut off.
          try {
            expect(written(command[kind], read()).length).to.equal(other);
          } catch (error) {
            expect((error as { code?: string }).code).to.equal('EINVAL');
          }
        }
      });
    }
  }

  it('random words are refused, or read within their bounds', () => {
    fc.assert(
      fc.property(fc.constantFrom(...commands), fc.array(fc.integer(), { maxLength: 64 }), ([, { request }], words) => {
        try {
          readAll(request, new WordReader(Int32Array.from(words), words.length));
        } catch (error) {
          expect((error as { code?: string }).code).to.equal('EINVAL');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
