import { expect } from 'chai';
import fc from 'fast-check';
import type { Command } from '../src/protocol/command.ts';
import { Commands } from '../src/protocol/commands.ts';
import { bytes, f64, int, list, partial, readAll, struct, text, u32 } from '../src/protocol/field.ts';
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

  it('an address is a number of 0 or more', () => {
    const read = (value: number): unknown =>
      readAll(f64, new WordReader(new Int32Array(Float64Array.of(value).buffer), 2));
    expect([0, 1, 2 ** 60].map(read)).to.deep.equal([0, 1, 2 ** 60]);
    for (const bad of [NaN, -1, Infinity, -Infinity]) expect(() => read(bad), String(bad)).to.throw('is no address');
  });

  it('an integer is within its bounds, and bytes are as many as their field has', () => {
    const read = <T>(field: Field<T>, ...words: number[]): T =>
      readAll(field, new WordReader(Int32Array.from(words), words.length));
    expect([2, 5].map((word) => read(int(2, 5), word))).to.deep.equal([2, 5]);
    for (const bad of [1, 6, -1]) expect(() => read(int(2, 5), bad), String(bad)).to.throw('is not 2 to 5');
    expect([...read(bytes(6, 5), 5, 0x04030201, 5)]).to.deep.equal([1, 2, 3, 4, 5]);
    for (const bad of [4, 7, -1]) expect(() => read(bytes(6, 5), bad, 0, 0), String(bad)).to.throw('are not 5 to 6');
  });

  it('nothing is read or written beyond the end of a message', () => {
    const reader = new WordReader(Int32Array.of(7, 8), 1);
    expect(reader.take()).to.equal(7);
    expect(() => reader.take()).to.throw('ends too early');
    const writer = new WordWriter(new Int32Array(1));
    writer.put(7);
    expect(() => {
      writer.put(8);
    }).to.throw('take more than the 4 bytes');
    expect([writer.length, ...writer.words]).to.deep.equal([1, 7]);
  });

  it('a list or bytes that are longer than their field are not written', () => {
    expect(() => written(list(u32, 2), [1, 2, 3])).to.throw('3 items are more than 2');
    expect(() => written(bytes(2), new Uint8Array(3))).to.throw('3 bytes are more than 2');
    expect([written(list(u32, 2), [1, 2]).length, written(bytes(2), new Uint8Array(2)).length]).to.deep.equal([3, 2]);
  });

  it('attributes are up to 32, and those that do not exist are refused', () => {
    const attributes = (count: number) =>
      partial(Object.fromEntries(Array.from({ length: count }, (_, n) => [`attribute${n}`, u32])));
    const values = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`attribute${n}`, n]));
    const { words, length } = written(attributes(32), values);
    expect(readAll(attributes(32), new WordReader(words, length))).to.deep.equal(values);
    expect(() => readAll(attributes(31), new WordReader(words, length))).to.throw('attributes that do not exist');
  });

  it('what is drawn for a field has many lengths, and each fits it', () => {
    const next = drawer(3);
    const lengths = (field: Field<{ readonly length: number }>): number[] => {
      const drawn = Array.from({ length: 200 }, () => field.draw(() => next() >>> 0).length);
      return [...new Set(drawn)].sort((a, b) => a - b);
    };
    for (const field of [(max: number) => bytes(max), (max: number) => text(max), (max: number) => list(u32, max)]) {
      expect(lengths(field(3))).to.deep.equal([0, 1, 2, 3]);
      expect(lengths(field(1000))).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
    expect(lengths(bytes(6, 5))).to.deep.equal([5, 6]);
  });

  it('a fault at reading a field is no malformed message', () => {
    const fault = new TypeError('a fault');
    const broken: Field<number> = {
      write: () => undefined,
      read: () => {
        throw fault;
      },
      draw: () => 0,
    };
    expect(() => readAll(struct({ broken }), new WordReader(new Int32Array(1), 1))).to.throw(fault);
  });

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
