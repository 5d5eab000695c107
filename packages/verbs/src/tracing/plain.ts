/** Arguments and results as plain data: what a subscriber can keep, print and send to another thread. */
import { AsyncEvent } from '../async-event.ts';
import { Gid } from '../gid.ts';
import { VerbsObject } from '../lifetime.ts';

/** Objects in objects that are looked into. */
const DEPTH_MAX = 4;
/** Entries of a list that are looked at. */
const ENTRIES_MAX = 256;

/** `value` as plain data. A verbs object is its label, memory is its length; functions and signals are left out. */
export function toPlain(value: unknown, depth = 0): unknown {
  if (typeof value === 'function' || typeof value === 'symbol' || value instanceof AbortSignal) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof VerbsObject) return value.label;
  if (value instanceof AsyncEvent || value instanceof Gid) return value.toString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth === DEPTH_MAX) return '…';
  if (Array.isArray(value)) return value.slice(0, ENTRIES_MAX).map((entry) => toPlain(entry, depth + 1));
  const entries = Object.entries(value).map(([key, entry]) => [key, toPlain(entry, depth + 1)] as const);
  return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined));
}

/** Arguments by name. What a caller hands in may be anything, so one that can't be looked at is no error here. */
export function plainArguments(names: readonly string[], args: readonly unknown[]): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [n, name] of names.entries()) {
    let value: unknown;
    try {
      value = toPlain(args[n]);
    } catch {
      value = '?';
    }
    if (value !== undefined) plain[name] = value;
  }
  return plain;
}
