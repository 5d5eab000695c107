/**
 * Fields of messages: how a value becomes 32-bit words and comes back.
 *
 * What is read may come from an enemy: a field reads within the message only, and refuses every value that is not one of its own.
 */
import { VerbsError } from '@openverbs/verbs';
import { MALFORMED, malformed } from './words.ts';
import type { WordReader, WordWriter } from './words.ts';

/** Items of a list, and bytes, in a value that is drawn. */
const DRAWN_MAX = 8;

/** A field. */
export interface Field<T> {
  write(writer: WordWriter, value: T): void;
  /** @throws VerbsError EINVAL when the words are not one of the field's values */
  read(reader: WordReader): T;
  /** One of the field's values, made of random unsigned 32-bit numbers: tests are generated from the tables. */
  draw(next: () => number): T;
}

/** What a field holds. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** An integer of at most 32 bits, between two bounds. */
export function int(min: number, max: number): Field<number> {
  const unsigned = min >= 0;
  return {
    write(writer, value) {
      writer.put(value | 0);
    },
    read(reader) {
      const word = reader.take();
      const value = unsigned ? word >>> 0 : word;
      if (value < min || value > max) throw malformed(`${value} is not ${min} to ${max}`);
      return value;
    },
    draw: (next) => min + (next() % (max - min + 1)),
  };
}

/** Any unsigned integer of 32 bits. */
export const u32 = int(0, 0xffffffff);

/** A number that names an object of the back-end's; 0 names none. */
export const handle = u32;

/** A safe integer of 0 or more, in two words. */
export const u53: Field<number> = {
  write(writer, value) {
    writer.put(value | 0);
    writer.put(Math.floor(value / 4294967296) | 0);
  },
  read(reader) {
    const low = reader.take() >>> 0;
    const high = reader.take() >>> 0;
    if (high > 0x1fffff) throw malformed('an address or length is beyond 2^53 - 1');
    return high * 4294967296 + low;
  },
  draw: (next) => (next() & 0x1fffff) * 4294967296 + next(),
};

/** An unsigned integer of 64 bits, in two words. */
export const u64: Field<bigint> = {
  write(writer, value) {
    writer.put(Number(BigInt.asIntN(32, value)));
    writer.put(Number(BigInt.asIntN(32, value >> 32n)));
  },
  read(reader) {
    const low = BigInt(reader.take() >>> 0);
    return (BigInt(reader.take() >>> 0) << 32n) | low;
  },
  draw: (next) => (BigInt(next()) << 32n) | BigInt(next()),
};

const double = new Float64Array(1);
const doubleWords = new Int32Array(double.buffer);

/** A number that may be larger than 2^53, and then is the nearest one, in two words. */
export const f64: Field<number> = {
  write(writer, value) {
    double[0] = value;
    writer.put(doubleWords[0]);
    writer.put(doubleWords[1]);
  },
  read(reader) {
    doubleWords[0] = reader.take();
    doubleWords[1] = reader.take();
    const [value] = double;
    if (!(value >= 0 && value < Infinity)) throw malformed(`${value} is no address`);
    return value;
  },
  draw: (next) => next() * 4294967296 + next(),
};

/** True or false. */
export const bool: Field<boolean> = {
  write(writer, value) {
    writer.put(value ? 1 : 0);
  },
  read(reader) {
    const word = reader.take();
    if (word !== 0 && word !== 1) throw malformed(`${word} is neither 0 nor 1`);
    return word === 1;
  },
  draw: (next) => next() % 2 === 1,
};

/** Bytes; a word says how many there are, which is `min` to `max`. */
export function bytes(max: number, min = 0): Field<Uint8Array> {
  return {
    write(writer, value) {
      if (value.length > max) throw malformed(`${value.length} bytes are more than ${max}`);
      writer.put(value.length);
      for (let i = 0; i < value.length; i += 4) {
        writer.put(value[i] | (value[i + 1] << 8) | (value[i + 2] << 16) | (value[i + 3] << 24));
      }
    },
    read(reader) {
      const length = reader.take() >>> 0;
      if (length > max || length < min) throw malformed(`${length} bytes are not ${min} to ${max}`);
      const value = new Uint8Array((length + 3) & ~3);
      for (let i = 0; i < length; i += 4) {
        const word = reader.take();
        value[i] = word;
        value[i + 1] = word >> 8;
        value[i + 2] = word >> 16;
        value[i + 3] = word >> 24;
      }
      return value.subarray(0, length);
    },
    draw: (next) => Uint8Array.from({ length: Math.max(min, next() % (Math.min(max, DRAWN_MAX) + 1)) }, () => next()),
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text in UTF-8. What is longer than `maxBytes` is cut. */
export function text(maxBytes: number): Field<string> {
  const raw = bytes(maxBytes);
  return {
    write(writer, value) {
      raw.write(writer, encoder.encode(value).subarray(0, maxBytes));
    },
    read(reader) {
      return decoder.decode(raw.read(reader));
    },
    draw: (next) => 'x'.repeat(next() % (Math.min(maxBytes, DRAWN_MAX) + 1)),
  };
}

/** A field that may be null. */
export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    write(writer, value) {
      bool.write(writer, value !== null);
      if (value !== null) field.write(writer, value);
    },
    read(reader) {
      return bool.read(reader) ? field.read(reader) : null;
    },
    draw: (next) => (bool.draw(next) ? field.draw(next) : null),
  };
}

/** A list; a word says how many there are. */
export function list<T>(field: Field<T>, max: number): Field<readonly T[]> {
  return {
    write(writer, values) {
      if (values.length > max) throw malformed(`${values.length} items are more than ${max}`);
      writer.put(values.length);
      for (const value of values) field.write(writer, value);
    },
    read(reader) {
      const length = reader.take() >>> 0;
      if (length > max) throw malformed(`${length} items are more than ${max}`);
      const values: T[] = [];
      while (values.length < length) values.push(field.read(reader));
      return values;
    },
    draw: (next) => Array.from({ length: next() % (Math.min(max, DRAWN_MAX) + 1) }, () => field.draw(next)),
  };
}

/** Fields by name. */
export type Fields = Readonly<Record<string, Field<never>>>;
/** What such fields hold. */
export type ValuesOf<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Several fields, in their order. */
export function struct<F extends Readonly<Record<string, unknown>>>(fields: F): Field<ValuesOf<F>> {
  const entries = Object.entries(fields) as readonly (readonly [string, Field<unknown>])[];
  return {
    write(writer, value) {
      for (const [name, field] of entries) field.write(writer, (value as Record<string, unknown>)[name]);
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = readNamed(name, field, reader);
      return value as ValuesOf<F>;
    },
    draw(next) {
      return Object.fromEntries(entries.map(([name, field]) => [name, field.draw(next)])) as ValuesOf<F>;
    },
  };
}

/** Several fields, each of which may be left out; a word says which are there. */
export function partial<F extends Readonly<Record<string, unknown>>>(fields: F): Field<Partial<ValuesOf<F>>> {
  const entries = Object.entries(fields) as readonly (readonly [string, Field<unknown>])[];
  return {
    write(writer, value) {
      const given = value as Record<string, unknown>;
      let present = 0;
      entries.forEach(([name], bit) => {
        if (given[name] !== undefined) present |= 1 << bit;
      });
      writer.put(present);
      for (const [name, field] of entries) if (given[name] !== undefined) field.write(writer, given[name]);
    },
    read(reader) {
      const present = reader.take();
      if (entries.length < 32 && present >>> entries.length !== 0) throw malformed('attributes that do not exist');
      const value: Record<string, unknown> = {};
      entries.forEach(([name, field], bit) => {
        if ((present & (1 << bit)) !== 0) value[name] = readNamed(name, field, reader);
      });
      return value as Partial<ValuesOf<F>>;
    },
    draw(next) {
      const given = entries.filter(() => bool.draw(next));
      return Object.fromEntries(given.map(([name, field]) => [name, field.draw(next)])) as Partial<ValuesOf<F>>;
    },
  };
}

/** A field through which another type travels. */
export function mapped<T, U>(field: Field<T>, to: (value: U) => T, from: (value: T) => U): Field<U> {
  return {
    write(writer, value) {
      field.write(writer, to(value));
    },
    read(reader) {
      return from(field.read(reader));
    },
    draw: (next) => from(field.draw(next)),
  };
}

/** Reads all of a message, and nothing may be left. */
export function readAll<T>(field: Field<T>, reader: WordReader): T {
  const value = field.read(reader);
  if (reader.at !== reader.end) throw malformed(`${reader.end - reader.at} words are left over`);
  return value;
}

function readNamed(name: string, field: Field<unknown>, reader: WordReader): unknown {
  try {
    return field.read(reader);
  } catch (error) {
    if (!VerbsError.is(error)) throw error;
    throw malformed(`${name}: ${error.message.replace(MALFORMED, '')}`);
  }
}
