/** The words of a request with one of its fields replaced, also by words that no value of the field is written as. */
import type { Command } from '../../src/protocol/command.ts';
import { BULK_WORDS } from '../../src/protocol/limits.ts';
import { WordWriter } from '../../src/protocol/words.ts';

/** What stands in the place of a field: a value, or words. */
export type Spoiled = { readonly value: unknown } | { readonly words: readonly number[] };

interface Span {
  start: number;
  end: number;
}

/** Names of all fields of a request, with those of the attributes and work requests in it: `attr.qpState`, `wrs.0.opcode`. */
export function fieldsOf(request: object): string[] {
  return Object.entries(request).flatMap(([name, value]) => {
    const inner = hasFields(value) ? fieldsOf(value).map((each) => `${name}.${each}`) : [];
    return Array.isArray(request) ? inner : [name, ...inner];
  });
}

/** Words of a request, with what is spoiled. @param path - of the field, as {@link fieldsOf} names it */
export function spoiledWords(
  command: Command<never, never>,
  request: object,
  path: string,
  spoiled: Spoiled,
): number[] {
  if ('value' in spoiled) return write(command, replaced(request, path.split('.'), spoiled.value)).words;
  const { words, spans } = write(command, request);
  const span = spans.get(path);
  if (span === undefined) throw new Error(`${path} is not written by itself`);
  return [...words.slice(0, span.start), ...spoiled.words, ...words.slice(span.end)];
}

function write(command: Command<never, never>, request: object): { words: number[]; spans: Map<string, Span> } {
  const writer = new WordWriter(new Int32Array(BULK_WORDS));
  const spans = new Map<string, Span>();
  const note = (path: string): void => {
    // Whatever is read next begins where all that was read before has ended.
    for (const [other, span] of spans) if (!path.startsWith(`${other}.`) && span.end < 0) span.end = writer.length;
    spans.set(path, { start: writer.length, end: -1 });
  };
  command.request.write(writer, watched(request, '', note) as never);
  for (const span of spans.values()) if (span.end < 0) span.end = writer.length;
  return { words: Array.from(writer.words.subarray(0, writer.length)), spans };
}

/** An object that tells when one of its fields is read. */
function watched(value: object, path: string, note: (path: string) => void): object {
  if (Array.isArray(value))
    return value.map((item: unknown, n) => (hasFields(item) ? watched(item, `${path}${n}.`, note) : item));
  return new Proxy(value, {
    get(target, name) {
      const inner: unknown = Reflect.get(target, name);
      if (typeof name !== 'string') return inner;
      note(path + name);
      return hasFields(inner) ? watched(inner, `${path}${name}.`, note) : inner;
    },
  });
}

function replaced(request: object, [name, ...inner]: readonly string[], value: unknown): object {
  const before = (request as Record<string, unknown>)[name];
  const after = inner.length === 0 ? value : replaced(before as object, inner, value);
  if (Array.isArray(request)) return request.map((item: unknown, n) => (String(n) === name ? after : item));
  return { ...request, [name]: after };
}

/** Attributes and work requests have fields; GIDs, bytes and the attributes of an address are one, since they are written as one. */
function hasFields(value: unknown): value is object {
  if (Array.isArray(value)) return value.length > 0 && hasFields(value[0]);
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    !('grh' in value)
  );
}
